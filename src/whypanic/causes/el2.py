"""What the rules for EL2 share: which way PC and FAR point, and where in the function PC lies."""

from typing import NamedTuple

from whypanic.arch.esr import EsrView, FaultKind, decode_esr
from whypanic.arch.kvm_eras import entry_nzcv, function_opening_line
from whypanic.arch.pstate import decode_pstate
from whypanic.causes.case import CaseView
from whypanic.causes.image import image_matches, pc_location, used_image
from whypanic.code.hyp_mode import HypMode
from whypanic.code.indirect_branch import IndirectBranch, TargetOrigin
from whypanic.code.switch_values import SwitchFit, SwitchSolution, SwitchSurvey, kernel_addresses
from whypanic.model.code import Listing, SourceLocation
from whypanic.model.context import KernelOffset
from whypanic.model.hyp import HypOffset, HypPanic, HypPanicAt, HypVaRange
from whypanic.model.provenance import Fact, Finding, Origin

EL2 = 2
UPPER_BIT = 55
"""VA bit that selects TTBR1 (set) or TTBR0 (clear): DDI 0487, AArch64.S1TTBRSelect."""
_VA_BITS = 52
_TOP_BITS = 0xFFF
"""The widest virtual addresses have 52 bits (FEAT_LVA): above them a kernel address is all ones, a hyp VA all zeros."""
FIRST_PAGE = 0x1000
IMAGE_SPAN = 64 << 20
"""A kernel image with its data and bss is smaller than this; PC-relative references stay inside the image."""


class El2(NamedTuple):
    """The panic lines, judged."""

    panic: HypPanic
    esr: EsrView | None
    mode: HypMode | None
    fetch: bool
    """Instruction abort whose FAR is PC: the fetch itself failed."""
    read_write: bool
    """Data abort from EL2 with a valid FAR."""

    @property
    def pc(self) -> int | None:
        return self.panic.pc

    @property
    def nvhe(self) -> bool:
        """EL2 has its own page tables and TTBR0_EL2 only; the default of the panic lines' users."""
        return self.mode is None or self.mode.mode != "vhe"

    @property
    def pc_is_upper(self) -> bool:
        """PC is a kernel (EL1) address: all of its top 12 bits are set."""
        return self.panic.pc is not None and self.panic.pc >> _VA_BITS == _TOP_BITS

    @property
    def pc_is_lower(self) -> bool:
        """PC is in the range of TTBR0_EL2; neither lower nor upper is no address of this kernel at all."""
        return self.panic.pc is not None and not self.panic.pc >> _VA_BITS

    @property
    def nzcv(self) -> int | None:
        return None if self.panic.ps is None else decode_pstate(self.panic.ps).nzcv


def is_upper(va: int) -> bool:
    """Return whether an address lies in the TTBR1 range, where the kernel is linked."""
    return bool(va >> UPPER_BIT & 1)


def read_el2(case: CaseView) -> El2:
    """Return the panic lines of a `hyp-panic`; the caller `needs` HypPanic."""
    panic = case.one(HypPanic)
    esr = None if panic.esr is None else decode_esr(panic.esr, el=2)
    valid = esr is not None and esr.far_valid is not False
    from_el2 = panic.ps is None or decode_pstate(panic.ps).el == EL2
    fetch = (
        esr is not None
        and from_el2
        and esr.is_instruction_abort
        and esr.same_el is not False
        and panic.pc is not None
        and panic.pc == panic.far
    )
    data = esr is not None and from_el2 and esr.is_data_abort and esr.same_el is not False and valid
    return El2(panic, esr, case.get(HypMode), fetch, data and panic.far is not None)


def upper_fault_contradicted(el2: El2) -> str | None:
    """Return why the syndrome cannot be that of a kernel address at EL2 without VHE; None where it can.

    With HCR_EL2.E2H = 0 EL2 has one range and one table, TTBR0_EL2: an address whose upper bits are set is outside it
    and gives a level 0 Translation fault whatever the table holds (DDI 0487 L, D8 "EL2 translation regime"); only an
    alignment check comes before it.
    """
    if el2.esr is None or el2.esr.fault_kind in (None, FaultKind.ALIGNMENT):
        return None
    if el2.esr.fault_kind is FaultKind.TRANSLATION and el2.esr.fault_level == 0:
        return None
    measured = el2.panic.source.origin is Origin.LAB
    if measured and el2.esr.fault_kind is FaultKind.ADDRESS_SIZE and el2.esr.fault_level == 0:
        # With the MMU of EL2 off, as on the way into the hypervisor, where nobody could print it.
        # From memory: Arm ARM DDI 0487 L, AArch64.S1DisabledOutput.
        return None
    return (
        f"ESR {el2.panic.esr or 0:#x} says {el2.esr.fsc_name}: an address that EL2 does not translate at all gives "
        "a level 0 translation fault"
    )


def outside_hyp_range(case: CaseView, va: int) -> HypVaRange | None:
    """Return the printed HYP VA range if the address lies outside it."""
    printed = case.get(HypVaRange)
    return printed if printed is not None and not printed.first <= va <= printed.last else None


# Where in the function PC lies -------------------------------------------------------------------


def location_of_pc(case: CaseView) -> SourceLocation | None:
    """Return what addr2line said of PC; a result whose command is not shown counts when it is the only one."""
    locations = case.all(SourceLocation)
    for location in locations:
        if location.address is not None and location.address in pc_addresses(case):
            return location
    unaddressed = [x for x in locations if x.address is None and x.function]
    return unaddressed[0] if len(unaddressed) == 1 and len(locations) == 1 else None


def pc_addresses(case: CaseView) -> tuple[int, ...]:
    """Return PC as it ran and, with KASLR, as it was linked: debuggers are asked for either."""
    panic = case.get(HypPanic)
    return () if panic is None else kernel_addresses(panic.pc, case.all(KernelOffset))


def function_of_pc(case: CaseView) -> str | None:
    """Return the function that PC lies in, as the text names it."""
    location = location_of_pc(case)
    if location is not None and location.function:
        return location.function
    at = case.get(HypPanicAt)
    if at is not None and at.ref is not None and not at_is_meaningless(case):
        return at.ref.symbol
    return None


def at_is_meaningless(case: CaseView) -> bool:
    """Return whether the bracketed address of `nVHE hyp panic at:` was made from a PC that is no hyp VA.

    The kernel prints PC + Hyp Offset there (Linux arch/arm64/kvm/handle_exit.c, nvhe_hyp_panic_handler): of a PC
    that is a kernel address the sum is the address of nothing.
    """
    panic = case.get(HypPanic)
    return (
        case.get(HypPanicAt) is not None
        and panic is not None
        and panic.pc is not None
        and is_upper(panic.pc)
    )


class Entry(NamedTuple):
    """Whether PC is the first instruction of its function."""

    at_start: bool | None
    because: tuple[Fact, ...]
    text: str


def line_against_opening(case: CaseView) -> Entry | None:
    """Return whether PC is the function's first instruction, by the image or by addr2line's line.

    An image that is surely the crashed kernel's comes first; one that merely fits comes behind the text's own words.
    """
    identity, by_image = used_image(case), _offset_against_opening(case)
    if by_image is not None and identity is not None and identity.certain:
        return by_image
    return _named_line_against_opening(case) or by_image


def _offset_against_opening(case: CaseView) -> Entry | None:
    at = pc_location(case) if image_matches(case) else None
    if at is None or at.located.symbol is None or at.located.offset is None:
        return None
    name, offset = at.located.symbol, at.located.offset
    words = f"the image has PC at {name}+{offset:#x}"
    return Entry(not offset, (at,), words if offset else f"{words}, its first instruction")


def _named_line_against_opening(case: CaseView) -> Entry | None:
    location = location_of_pc(case)
    if location is None or location.line is None or not location.function:
        return None
    if location.source.origin is Origin.IMAGE:
        return None
    kernel = case.kernel
    opening = function_opening_line(
        location.file or "", location.function, kernel.release if kernel else None
    )
    if opening is None:
        return None
    where = f"addr2line puts PC on line {location.line} of {location.function}"
    if location.line in (opening, opening + 1):
        return Entry(True, (location,), f"{where}: the function opens at {opening}")
    return Entry(False, (location,), f"{where}, not on its first line, {opening}")


def flags_against_entry(case: CaseView) -> Entry | None:
    """Return what NZCV says: the flags with which the hyp call path enters a function, or others."""
    el2 = read_el2(case)
    expected = entry_nzcv(case.kernel.release if case.kernel else None)
    if expected is None or el2.nzcv is None:
        return None
    if el2.nzcv == expected:
        return Entry(
            None,
            (el2.panic,),
            f"NZCV {el2.nzcv:04b} is what the hyp call path leaves when it enters a function",
        )
    return Entry(
        False,
        (el2.panic,),
        f"NZCV is {el2.nzcv:04b}; the hyp call path compares x0, a kernel pointer, with 3 just before it enters "
        f"the function and leaves {expected:04b}: code of the function ran and compared again",
    )


# The table branch ------------------------------------------------------------------------------


def listing_of_pc(case: CaseView) -> Listing | None:
    """Return the listing of the function that PC lies in; the only listing where the function is not named.

    A listing of an image that does not reach PC is another function's, or another build's.
    """
    listings = tuple(x for x in case.all(Listing) if _may_hold_pc(case, x))
    function = function_of_pc(case)
    if function is not None:
        bare = function.removeprefix("__kvm_nvhe_")
        for listing in listings:
            if listing.function and listing.function.removeprefix("__kvm_nvhe_") == bare:
                return listing
        return None if any(x.function for x in listings) else (listings[0] if listings else None)
    return listings[0] if len(listings) == 1 else None


def _may_hold_pc(case: CaseView, listing: Listing) -> bool:
    panic = case.get(HypPanic)
    if panic is None or panic.pc is None or not is_upper(panic.pc) or not listing.lines:
        return True
    first, last = listing.lines[0].address, listing.lines[-1].address
    return not is_upper(first) or any(first <= place <= last for place in pc_addresses(case))


def branches_of(case: CaseView, listing: Listing) -> tuple[IndirectBranch, ...]:
    """Return the indirect branches of a listing."""
    return tuple(b for b in case.all(IndirectBranch) if b.because and b.because[0] is listing)


def table_branches(case: CaseView, origin: TargetOrigin) -> tuple[IndirectBranch, ...]:
    """Return branches (not calls) through a table in the function of PC."""
    listing = listing_of_pc(case)
    if listing is None:
        return ()
    return tuple(b for b in branches_of(case, listing) if b.origin is origin and not b.call)


def survey_of(case: CaseView, branch: IndirectBranch) -> SwitchSurvey | None:
    """Return how the index of a branch depends on a system register, where it does."""
    return next((s for s in case.all(SwitchSurvey) if s.branch is branch), None)


def fit_of(case: CaseView, branch: IndirectBranch) -> SwitchFit | None:
    """Return the indexes that fit the flags of the panic."""
    return next((s for s in case.all(SwitchFit) if s.survey.branch is branch), None)


def solution_of(case: CaseView) -> SwitchSolution | None:
    """Return index, target and load address, where the text leaves one choice."""
    return case.get(SwitchSolution)


def link_address(case: CaseView, va: int) -> int:
    """Return a kernel address as linked: without the KASLR offset where the text prints one."""
    offset = case.get(KernelOffset)
    return va if offset is None else va - offset.slide


# Sentences that several rules need ---------------------------------------------------------------


def upper_fetch_finding(case: CaseView, el2: El2) -> Finding:
    """Return the sentence about PC == FAR in the TTBR1 range."""
    outside = outside_hyp_range(case, el2.panic.pc or 0)
    more = ""
    if outside is not None:
        more = f", outside the HYP VA range {outside.first:x}:{outside.last:x}"
    because: tuple[Fact, ...] = (el2.panic,) if outside is None else (el2.panic, outside)
    return Finding(
        source=el2.panic.source,
        because=because,
        sentence=f"PC == FAR == {el2.panic.pc:#018x}: a TTBR1 address (bit 55 set){more}",
    )


def hyp_offset_address(case: CaseView) -> int | None:
    """Return PC as a link address: PC + Hyp Offset modulo 2^64, where PC is a hyp VA."""
    offset = case.get(HypOffset)
    panic = case.get(HypPanic)
    if offset is None or panic is None or panic.pc is None or is_upper(panic.pc):
        return None
    return (panic.pc + offset.offset) & (1 << 64) - 1
