"""What of the image a domain's code finds mapped where it runs."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain, Range
from whypanic.formats.kernel_image import ImageKind

_SAME_MAPPING = {"hyp": ("hyp-stub",)}
_READABLE = (".rodata", ".bss")
_BOUNDARIES = ("__start_rodata", "__bss_start")
_RELOCATIONS = (".hyp.reloc", ".rela.dyn")


class Mapped(StrEnum):
    OWN = "its own"
    READ_ONLY = "mapped read-only"
    SOMETIMES = "mapped read-only in some configurations"
    UNKNOWN = "not known"
    NOT = "not mapped"


class MappedRanges(NamedTuple):
    """Link VAs, by how a domain reaches them."""

    code: tuple[Range, ...]
    """Where it may execute."""
    data: tuple[Range, ...]
    read_only: tuple[Range, ...]
    sometimes: tuple[Range, ...]
    unknown: tuple[Range, ...]

    @property
    def readable(self) -> tuple[Range, ...]:
        """All that a load never faults on."""
        return (*self.code, *self.data, *self.read_only, *self.unknown)

    def of(self, address: int) -> Mapped:
        """Return how data at a link VA is mapped."""
        for ranges, answer in (
            ((*self.code, *self.data), Mapped.OWN),
            (self.read_only, Mapped.READ_ONLY),
            (self.sometimes, Mapped.SOMETIMES),
            (self.unknown, Mapped.UNKNOWN),
        ):
            if _holds(ranges, address):
                return answer
        return Mapped.NOT

    def executes(self, address: int) -> bool:
        return _holds(self.code, address)

    def ends(self) -> frozenset[int]:
        """Return the first addresses behind ranges: code forms them to know where to stop."""
        return frozenset(
            end for _, end in (*self.code, *self.data, *self.read_only, *self.sometimes)
        )


def _holds(ranges: Sequence[Range], address: int) -> bool:
    return any(first <= address < end for first, end in ranges)


def mapped_ranges(view: AuditView, domain: Domain) -> MappedRanges:
    """Return what a domain reaches, by its boundary symbols.

    A raw Image, and one that was stripped, has no symbols of data: of its sections .rodata and .bss hold both what is
    mapped and what is not, and so does .data in front of .hyp.reloc, where the init data and the per-cpu data of the
    hyp code lie.
    """
    mates = view.named(_SAME_MAPPING.get(domain.name, ()))
    code = (*domain.code, *(r for mate in mates for r in mate.code))
    unknown: tuple[Range, ...] = ()
    if not domain.reaches and (view.image.kind is ImageKind.RAW or _lost_boundaries(view, domain)):
        unknown = tuple(_unknown(view))
    return MappedRanges(code, domain.data, domain.reaches, domain.reaches_warn, unknown)


def _lost_boundaries(view: AuditView, domain: Domain) -> bool:
    """Tell whether a kernel's hyp code has lost the symbols between which its data lies."""
    if domain.name != "hyp" or view.image.kind is not ImageKind.VMLINUX:
        return False
    return not view.image.symbols.find_each(_BOUNDARIES)


def _unknown(view: AuditView) -> list[Range]:
    sections = view.image.sections
    first = next((s.address for s in sections if s.name in _RELOCATIONS), None)
    return [
        (s.address, s.end)
        for s in sections
        if s.name in _READABLE or (s.name == ".data" and (first is None or s.address < first))
    ]
