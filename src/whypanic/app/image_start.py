"""Whether a file is an image, by its first bytes."""

IMAGE_START_BYTES = 64
_ELF, _ARM64, _ARM64_AT = b"\x7fELF", b"ARM\x64", 0x38


def is_image(start: bytes) -> bool:
    """Tell by its first bytes whether a file is an image and no text: ELF, a raw Image, an EFI zboot wrapper."""
    return start.startswith((_ELF, b"MZ")) or start[_ARM64_AT : _ARM64_AT + len(_ARM64)] == _ARM64
