"""The note by which a kernel tells debuggers where it lies (VMCOREINFO), found in RAM without any help of the kernel.

A kernel with CRASH_CORE (6.10: VMCORE_INFO) writes it in subsys_initcall(crash_save_vmcoreinfo_init): one text of at
most a page, lines `KEY=VALUE`, of which OSRELEASE is the first. Source: Linux kernel/crash_core.c (6.1),
include/linux/crash_core.h; arch/arm64/kernel/crash_core.c.
"""

from typing import NamedTuple, Self

from whypanic.lab.ram import Ram

_FIRST = b"OSRELEASE="
_MAX_BYTES = 16 << 10
"""VMCOREINFO_BYTES is a page, of 4 KiB to 64 KiB; no kernel wrote more than 5 KiB."""
_LEAST_LINES = 8


class VmcoreInfo(NamedTuple):
    """The lines of the note."""

    text: str
    values: dict[str, str]

    @property
    def release(self) -> str:
        """6.1.192."""
        return self.values.get("OSRELEASE", "")

    @property
    def kernel_offset(self) -> int | None:
        """The slide: by how much KASLR moved the kernel."""
        return _number(self.values.get("KERNELOFFSET"), 16)

    def symbol(self, name: str) -> int | None:
        """Return where a variable runs."""
        return _number(self.values.get(f"SYMBOL({name})"), 16)

    def number(self, name: str) -> int | None:
        """Return a number that is no address of a variable: kimage_voffset, TCR_EL1_T1SZ, ..."""
        return _number(self.values.get(f"NUMBER({name})"), 0)

    def size(self, structure: str) -> int | None:
        """Return the bytes of a structure."""
        return _number(self.values.get(f"SIZE({structure})"), 10)

    def offset(self, member: str) -> int | None:
        """Return the offset of `structure.member`."""
        return _number(self.values.get(f"OFFSET({member})"), 10)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the note that a text is."""
        lines = (line.partition("=") for line in text.splitlines())
        return cls(text, {key: value for key, equals, value in lines if equals})


def find_vmcoreinfo(ram: Ram) -> VmcoreInfo | None:
    """Return the note in RAM, of several the one that says most; None where there is none.

    Kernels hold it twice, and the text of its formats a third time.
    """
    best: VmcoreInfo | None = None
    for pa in ram.find(_FIRST):
        text = _text(ram, pa)
        found = VmcoreInfo.from_text(text)
        if len(found.values) >= _LEAST_LINES and (best is None or len(text) > len(best.text)):
            best = found
    return best


def _text(ram: Ram, pa: int) -> str:
    """Return the printable lines from an address up."""
    data = ram.up_to(pa, _MAX_BYTES)
    end = next((i for i, b in enumerate(data) if not 0x20 <= b < 0x7F and b != 0x0A), len(data))
    whole, _, _ = data[:end].decode("ascii").rpartition("\n")
    return "" if "%" in whole else f"{whole}\n"


def _number(text: str | None, base: int) -> int | None:
    try:
        return None if text is None else int(text, base)
    except ValueError:
        return None
