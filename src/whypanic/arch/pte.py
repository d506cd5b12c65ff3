"""Translation table descriptors as the kernel prints them: `pgd=, p4d=, pud=, pmd=, pte=`.

Stage 1 descriptors of the EL1&0 regime (at EL2 without VHE bit 53 means nothing and bit 54 is XN).
Source: Arm ARM DDI 0487 L, VMSAv8-64 descriptor formats; Linux
arch/arm64/include/asm/pgtable-hwdef.h and pgtable-prot.h for the software bits; memory types from
arch/arm64/include/asm/memory.h (opened: the tables of 5.10, 5.12 and 6.x, and the patches that moved
them).
"""

from typing import NamedTuple

from whypanic.arch.fields import Field, FieldSpec, bits, split_fields

LEVEL_NAMES = ("pgd", "p4d", "pud", "pmd", "pte")

_F = FieldSpec
_PAGE_SHIFTS = {4: 12, 16: 14, 64: 16}
_FIRST_BLOCK_LEVEL = {4: 1, 16: 2, 64: 1}
"""Without LPA2; with it blocks exist one level further up. Level 1 with 64 KiB pages needs LPA."""
_LPA2_VA_BITS = 52
_AP = {
    0: "read-write, no access from EL0",
    1: "read-write, also from EL0",
    2: "read-only, no access from EL0",
    3: "read-only, also from EL0",
}
_SHAREABILITY = {0: "non-shareable", 2: "outer shareable", 3: "inner shareable"}

# Index in MAIR_EL1 of each type, by the first kernel that has the order.
# fmt: off
_MEMORY_TYPES: tuple[tuple[tuple[int, int], tuple[str, ...]], ...] = (
    ((3, 7),  ("DEVICE_nGnRnE", "DEVICE_nGnRE", "DEVICE_GRE", "NORMAL_NC", "NORMAL", "NORMAL_WT")),
    # 0178dc761368 ("arm64: mte: Use Normal Tagged attributes for the linear map") and
    # 9f3419315f3c ("arm64: mte: Add PROT_MTE support to mmap() and mprotect()") (in v5.10)
    ((5, 10), ("NORMAL", "NORMAL_TAGGED", "NORMAL_NC", "NORMAL_WT",
               "DEVICE_nGnRnE", "DEVICE_nGnRE", "DEVICE_GRE")),
    # 21cfe6edbadb ("arm64: mm: Remove unused support for Normal-WT memory type") and
    # 58cc6b72a212 ("arm64: mm: Remove unused support for Device-GRE memory type") (in v5.14)
    ((5, 14), ("NORMAL", "NORMAL_TAGGED", "NORMAL_NC", "DEVICE_nGnRnE", "DEVICE_nGnRE")),
)
# fmt: on


class DescriptorView(NamedTuple):
    """One decoded descriptor."""

    value: int
    level: int
    """Arm level, -1..3."""
    kind: str
    """invalid | table | block | page"""
    fields: tuple[Field, ...]
    output_address: int | None
    """Physical address of the page, block or next table; None where the descriptor is invalid."""
    note: str

    @property
    def valid(self) -> bool:
        return self.kind != "invalid"

    @property
    def is_leaf(self) -> bool:
        """Maps memory: a block or a page."""
        return self.kind in ("block", "page")

    def _leaf_bit(self, lo: int) -> bool | None:
        return bool(bits(self.value, lo)) if self.is_leaf else None

    @property
    def writable(self) -> bool | None:
        """AP[2] is 0. None, as below, where the descriptor maps nothing."""
        return not bits(self.value, 7) if self.is_leaf else None

    @property
    def user(self) -> bool | None:
        """AP[1]: accessible from EL0."""
        return self._leaf_bit(6)

    @property
    def af(self) -> bool | None:
        """Access flag."""
        return self._leaf_bit(10)

    @property
    def gp(self) -> bool | None:
        """Guarded page: BTI is enforced."""
        return self._leaf_bit(50)

    @property
    def dbm(self) -> bool | None:
        """Dirty bit modifier; Linux keeps PTE_WRITE here."""
        return self._leaf_bit(51)

    @property
    def contiguous(self) -> bool | None:
        return self._leaf_bit(52)

    @property
    def pxn(self) -> bool | None:
        """Not executable at EL1."""
        return self._leaf_bit(53)

    @property
    def uxn(self) -> bool | None:
        """Not executable at EL0."""
        return self._leaf_bit(54)

    @property
    def attr_index(self) -> int | None:
        """Index into MAIR_EL1."""
        return bits(self.value, 2, 3) if self.is_leaf else None


def memory_type(attr_index: int, version: tuple[int, int] | None) -> str | None:
    """Return the kernel's name of a memory type, without `MT_`.

    None where the index is unassigned in that kernel, or the version is unknown and the eras
    disagree (they do for every index). Vendor kernels may assign more.
    """
    if version is None:
        names = {_name_at(order, attr_index) for _, order in _MEMORY_TYPES}
        return names.pop() if len(names) == 1 else None
    order: tuple[str, ...] = ()
    for first, candidate in _MEMORY_TYPES:
        if version >= first:
            order = candidate
    return _name_at(order, attr_index)


def _name_at(order: tuple[str, ...], index: int) -> str | None:
    return order[index] if 0 <= index < len(order) else None


def table_level(level: str | int, *, page_kib: int = 4, va_bits: int = 48) -> int:
    """Return the Arm level, -1..3, of a Linux level name.

    A folded level prints the entry of the next real one, and has its level.

    An int is an Arm level already. A page size that does not exist counts as 4 KiB.

    :raises ValueError: on an unknown name or a level outside -1..3.
    """
    if isinstance(level, int):
        if not -1 <= level <= 3:
            message = f"table level {level} is not one of -1..3"
            raise ValueError(message)
        return level
    if level not in LEVEL_NAMES:
        message = f"table level {level!r} is not one of {', '.join(LEVEL_NAMES)}"
        raise ValueError(message)
    shift = _PAGE_SHIFTS.get(page_kib, 12)
    n_levels = -(-(va_bits - shift) // (shift - 3))
    first = max(-1, min(3, 4 - n_levels))
    natural = first if level == "pgd" else LEVEL_NAMES.index(level) - 1
    return max(first, natural)


def decode_descriptor(
    value: int,
    level: str | int,
    *,
    page_kib: int = 4,
    va_bits: int = 48,
    version: tuple[int, int] | None = None,
) -> DescriptorView:
    """Return the view of one descriptor.

    :param level: Linux name, or Arm level.
    :param page_kib: 4, 16 or 64, as `4k pages` prints; anything else counts as 4.
    :param va_bits: as `48-bit VAs` prints; 52 with 4 or 16 KiB pages means the LPA2 format.
    :param version: kernel version, to name the memory type.
    :raises ValueError: as `table_level`.
    """
    value &= (1 << 64) - 1
    page_kib = page_kib if page_kib in _PAGE_SHIFTS else 4
    number = table_level(level, page_kib=page_kib, va_bits=va_bits)
    lpa2 = page_kib != 64 and va_bits == _LPA2_VA_BITS
    kind = _kind(value, number, _FIRST_BLOCK_LEVEL[page_kib] - lpa2)
    shift = _PAGE_SHIFTS[page_kib]
    if kind in ("block", "page"):
        low = shift + (3 - number) * (shift - 3)
        layout = _leaf_layout(value, low, lpa2=lpa2, page_kib=page_kib, version=version)
    elif kind == "table":
        low = shift
        layout = _table_layout(lpa2=lpa2, page_kib=page_kib)
    else:
        low = shift
        layout = (_F("IGNORED", 1, 63, "ignored by the MMU"), _F("Valid", 0, 1, {0: "invalid"}))
        if value & 1:
            layout = (_F("RESERVED", 0, 64, "reserved encoding, treated as invalid"),)
    return DescriptorView(
        value=value,
        level=number,
        kind=kind,
        fields=split_fields(value, layout),
        output_address=None if kind == "invalid" else _address(value, low, lpa2, page_kib),
        note=_note(value, kind, number),
    )


def _kind(value: int, level: int, first_block_level: int) -> str:
    if not value & 1:
        return "invalid"
    if level == 3:
        return "page" if value & 2 else "invalid"
    if value & 2:
        return "table"
    return "block" if level >= first_block_level else "invalid"


def _address(value: int, low: int, lpa2: bool, page_kib: int) -> int:
    top = 50 if lpa2 else 48
    address = bits(value, low, top - low) << low
    if lpa2:
        return address | bits(value, 8, 2) << 50
    return address | bits(value, 12, 4) << 48 if page_kib == 64 else address


def _note(value: int, kind: str, level: int) -> str:
    if kind == "invalid":
        if value == 0:
            return "empty entry: nothing is mapped"
        if value & 1:
            return "reserved encoding at this level, treated as invalid"
        if level == 3 and value & 2:
            return "invalid, with the rest of a page descriptor left: only Valid was cleared"
        return "invalid: a swap entry, or an entry that was taken away"
    if kind == "table":
        return "points to the next table"
    return f"maps a {kind}"


def _address_rows(low: int, lpa2: bool, page_kib: int) -> tuple[FieldSpec, ...]:
    top = 50 if lpa2 else 48
    rows = [_F("OA", low, top - low, lambda n: f"address {n << low:#x}")]
    if lpa2:
        rows.append(_F("OA[51:50]", 8, 2, "address bits above"))
    elif page_kib == 64:
        rows.append(_F("OA[51:48]", 12, 4, "address bits above, where LPA is in use"))
    return tuple(rows)


def _leaf_layout(
    value: int, low: int, *, lpa2: bool, page_kib: int, version: tuple[int, int] | None
) -> tuple[FieldSpec, ...]:
    name = memory_type(bits(value, 2, 3), version)
    attribute = f"MT_{name}" if name else "memory type: depends on the kernel version"
    if name is None and version is not None:
        attribute = "no memory type of this kernel"
    shareability = () if lpa2 else (_F("SH", 8, 2, _SHAREABILITY),)
    block = () if value & 2 else (_F("nT", 16, 1, {0: "", 1: "block may not be cached split"}),)
    return (
        _F("SOFTWARE_OR_IGNORED", 59, 5, "PBHA, POIndex, or software"),
        _F("SOFTWARE", 55, 4, "software: bit 55 Linux PTE_DIRTY, bit 56 PTE_SPECIAL"),
        _F("UXN", 54, 1, {0: "executable at EL0 (with AP[1])", 1: "not executable at EL0"}),
        _F("PXN", 53, 1, {0: "executable at EL1", 1: "not executable at EL1"}),
        _F("Contiguous", 52, 1, {0: "", 1: "one of a contiguous run of entries"}),
        _F("DBM", 51, 1, {0: "Linux PTE_WRITE clear", 1: "dirty bit modifier; Linux PTE_WRITE"}),
        _F("GP", 50, 1, {0: "", 1: "guarded page (BTI)"}),
        *_address_rows(low, lpa2, page_kib),
        *block,
        _F("nG", 11, 1, {0: "global", 1: "not global"}),
        _F("AF", 10, 1, {0: "access flag clear: an access faults", 1: "access flag"}),
        *shareability,
        _F("AP[2:1]", 6, 2, _AP),
        _F("NS", 5, 1, {0: "", 1: "Non-secure"}),
        _F("AttrIndx", 2, 3, attribute),
        _F("Type", 1, 1, {0: "block", 1: "page"}),
        _F("Valid", 0, 1, {1: "valid"}),
    )


def _table_layout(*, lpa2: bool, page_kib: int) -> tuple[FieldSpec, ...]:
    return (
        _F("NSTable", 63, 1, {0: "", 1: "walks on in Non-secure memory"}),
        _F("APTable", 61, 2, {0: "no limit below", 1: "no EL0 access below",
                              2: "read-only below", 3: "read-only, no EL0 access below"}),
        _F("UXNTable", 60, 1, {0: "", 1: "not executable at EL0 below"}),
        _F("PXNTable", 59, 1, {0: "", 1: "not executable at EL1 below"}),
        _F("IGNORED", 51, 8, "ignored, or software"),
        *_address_rows(_PAGE_SHIFTS[page_kib], lpa2, page_kib),
        _F("IGNORED", 2, 6, "ignored"),
        _F("Type", 1, 1, {1: "table"}),
        _F("Valid", 0, 1, {1: "valid"}),
    )  # fmt: skip
