"""An instruction copied to another address so that it still leads where it did.

Source: Debian linux-source-6.1 6.1.192-2, arch/arm64/kernel/alternative.c, get_alt_insn(); fields: Arm ARM DDI 0487,
"Branches, Exception Generating and System instructions" and "PC-rel. addressing".
"""

from typing import NamedTuple


class _Field(NamedTuple):
    mask: int
    value: int
    width: int
    lo: int
    reach: str


_BRANCHES = (
    _Field(0x7C000000, 0x14000000, 26, 0, "128 MB"),  # b, bl
    _Field(0xFF000010, 0x54000000, 19, 5, "1 MB"),  # b.cond; bc.cond is copied as it is
    _Field(0x7E000000, 0x34000000, 19, 5, "1 MB"),  # cbz, cbnz
    _Field(0x7E000000, 0x36000000, 14, 5, "32 KB"),  # tbz, tbnz
)
_ADR_MASK, _ADR, _ADRP = 0x9F000000, 0x10000000, 0x90000000
_ADR_BITS = 0x60FFFFE0
_LITERAL_MASK, _LITERAL = 0x3B000000, 0x18000000


class Relocated(NamedTuple):
    """An instruction at its new place."""

    word: int
    target: int | None = None
    """Where a branch leads."""
    problem: str | None = None
    """Why it does not do there what it was written for."""


def relocated(word: int, source: int, place: int, inside: tuple[int, int]) -> Relocated:
    """Return an instruction moved from `source` to `place`.

    :param inside: (first, end) of the sequence that is moved along: branches to it, its end included, stay as they are.
    """
    for field in _BRANCHES:
        if word & field.mask == field.value:
            return _branch(word, field, source, place, inside)
    if word & _ADR_MASK == _ADRP:
        return _page(word, source, place)
    if word & _ADR_MASK == _ADR:
        return Relocated(word, problem="adr in a replacement: the kernel refuses to apply it")
    if word & _LITERAL_MASK == _LITERAL:
        return Relocated(
            word, problem="literal load in a replacement: the kernel refuses to apply it"
        )
    return Relocated(word)


def _branch(
    word: int, field: _Field, source: int, place: int, inside: tuple[int, int]
) -> Relocated:
    bits = (1 << field.width) - 1
    target = source + 4 * _signed(word >> field.lo & bits, field.width)
    if inside[0] <= target <= inside[1]:
        return Relocated(word, target)
    offset = (target - place) >> 2
    problem = None
    if not -1 << field.width - 1 <= offset < 1 << field.width - 1:
        problem = f"its branch to {target:#x} does not reach: the limit is {field.reach}"
    return Relocated(word & ~(bits << field.lo) | (offset & bits) << field.lo, target, problem)


def _page(word: int, source: int, place: int) -> Relocated:
    offset = _signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
    pages = (source >> 12) + offset - (place >> 12)
    problem = (
        None if -(1 << 20) <= pages < 1 << 20 else "its adrp does not reach: the limit is 4 GB"
    )
    return Relocated(
        word & ~_ADR_BITS | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5, problem=problem
    )


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> width - 1 else value
