"""What the immediate of a BRK instruction stands for in a Linux kernel.

Source: Linux arch/arm64/include/asm/brk-imm.h, lib/ubsan.h (the order of clang's SanitizerHandler)
and arch/arm64/kernel/traps.c (`KASAN_ESR_*`). 0x1 and 0x3e8 are the compilers' own traps, measured
in logs.
"""

from typing import NamedTuple


class BrkMeaning(NamedTuple):
    """One immediate."""

    name: str
    kind: str
    """bug | kasan | ubsan | cfi | compiler-trap | kprobe | uprobe | kgdb | fault | unknown"""
    text: str
    check: str | None = None
    """UBSAN only: the check, in the kernel's words."""
    cfi_target: int | None = None
    """CFI only: number of the register that holds the call's target."""
    cfi_type: int | None = None
    """CFI only: number of the register that holds the expected type hash."""
    kasan_write: bool | None = None
    """KASAN only: the access was a write."""
    kasan_bytes: int | None = None
    """KASAN only: size of the access; None when the size is in x1."""


# fmt: off
UBSAN_CHECKS: tuple[str, ...] = (
    "addition overflow",               # 0x00
    "unreachable code",
    "CFI failure",
    "divide/remainder overflow",
    "dynamic type cache miss",         # 0x04
    "float cast overflow",
    "function type mismatch",
    "implicit conversion",
    "invalid builtin",                 # 0x08
    "invalid object cast",
    "loading invalid value",
    "missing return",
    "multiplication overflow",         # 0x0c
    "negation overflow",
    "nullability argument",
    "nullability return",
    "non-NULL argument",               # 0x10
    "non-NULL return",
    "array index out of bounds",
    "pointer overflow",
    "shift out of bounds",             # 0x14
    "subtraction overflow",
    "type mismatch",
    "alignment assumption",
    "VLA bounds not positive",         # 0x18
)

_SINGLE: dict[int, BrkMeaning] = {
    0x001: BrkMeaning("clang trap", "compiler-trap", "__builtin_trap() as clang emits it"),
    0x004: BrkMeaning("kprobe", "kprobe", "a kprobe's breakpoint"),
    0x005: BrkMeaning("uprobe", "uprobe", "a uprobe's breakpoint"),
    0x006: BrkMeaning("kprobe single-step", "kprobe", "end of a kprobe's single-step slot"),
    0x007: BrkMeaning("kretprobe", "kprobe", "a kretprobe's return trampoline"),
    0x100: BrkMeaning("fault", "fault", "placed to fault on purpose: poisoned code"),
    0x3e8: BrkMeaning("gcc trap", "compiler-trap", "__builtin_trap() as GCC emits it"),
    0x400: BrkMeaning("kgdb dynamic", "kgdb", "a breakpoint set by kgdb"),
    0x401: BrkMeaning("kgdb compiled", "kgdb", "kgdb_breakpoint()"),
    0x800: BrkMeaning("BUG/WARN", "bug", "BUG() or WARN()"),
}
# fmt: on


def _kasan(imm: int) -> BrkMeaning:
    size = None if imm & 0xF == 0xF else 1 << (imm & 0xF)
    write = bool(imm & 0x10)
    access = "write" if write else "read"
    amount = "of the size in x1" if size is None else f"of {size} byte{'' if size == 1 else 's'}"
    text = f"KASAN tag mismatch: {access} {amount}, address in x0"
    if imm & 0x20:
        text += "; execution goes on"
    return BrkMeaning("KASAN tag", "kasan", text, kasan_write=write, kasan_bytes=size)


def _ubsan(imm: int) -> BrkMeaning:
    number = imm & 0xFF
    if number < len(UBSAN_CHECKS):
        check = UBSAN_CHECKS[number]
        return BrkMeaning("UBSAN", "ubsan", f"UBSAN: {check}", check=check)
    return BrkMeaning("UBSAN", "ubsan", f"UBSAN: unknown check {number:#04x}")


def _cfi(imm: int) -> BrkMeaning:
    target, expected = imm & 31, imm >> 5 & 31
    text = f"KCFI: target in x{target}, expected type in w{expected}"
    return BrkMeaning("CFI", "cfi", text, cfi_target=target, cfi_type=expected)


def brk_meaning(imm: int) -> BrkMeaning:
    """Return what a 16-bit immediate stands for; an unassigned one is of kind `unknown`."""
    imm &= 0xFFFF
    if imm in _SINGLE:
        return _SINGLE[imm]
    if imm & 0xFF00 == 0x0900:
        return _kasan(imm)
    if imm & 0xFF00 == 0x5500:
        return _ubsan(imm)
    if imm & 0xFC00 == 0x8000:
        return _cfi(imm)
    if 0x400 <= imm <= 0x7FF:
        return BrkMeaning("kgdb range", "kgdb", f"reserved for kgdb: {imm:#x}")
    return BrkMeaning("unknown", "unknown", f"BRK #{imm:#x} is assigned to nobody in the kernel")
