"""What firmware and error-correcting memory reported."""

from whypanic.model.provenance import Fact


class HardwareRecord(Fact, frozen=True, kw_only=True):
    """One `name: value` of a CPER record (`{1}[Hardware Error]: ...`)."""

    name: str
    """event severity, section_type, error_type, physical_address, fru_text, source, MIDR, ..."""
    value: str


class MemoryFailure(Fact, frozen=True, kw_only=True):
    """`Memory failure: 0xPFN: recovery action for ..`: mm/memory-failure.c took a page out of use."""

    pfn: int
    words: str


class EdacError(Fact, frozen=True, kw_only=True):
    """`EDAC MC0: 1 UE|CE ... on LABEL (...)`."""

    uncorrected: bool
    words: str
