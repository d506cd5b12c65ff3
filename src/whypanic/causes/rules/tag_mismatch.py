"""Pointer and memory carry different tags.

Stated by: KASAN's `invalid-access`.
Supported by: a synchronous tag check fault, FSC 0x11, without KASAN's report.
Refuted by: equal tags under other words than `invalid-access`: KASAN refused the size of the access; an address that
has no tags, for which KASAN says `invalid-access` too.
Sources: Linux mm/kasan/report_tags.c, mm/kasan/report_hw_tags.c, mm/kasan/sw_tags.c (kasan_check_range),
arch/arm64/mm/fault.c (do_tag_check_fault: bits 63:60 of FAR are UNKNOWN there).
From memory: Arm ARM DDI 0487 L, FAR_EL1.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from whypanic.arch.brk import brk_meaning
from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import untagged_address
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import TAG_MISMATCH, doubt, stack_claims, verdict_claim
from whypanic.causes.shadow import INVALID_TAG, Granule, granules, near_object
from whypanic.model.claims import (
    Claim,
    NextStep,
    Statements,
    Strength,
    consistent,
    refutes,
    supports,
)
from whypanic.model.kinds import Kind
from whypanic.model.sanitizer import Access, AsynchronousFault, TagPair
from whypanic.model.trace import Frame

_UNTAGGED = 0xFF
_HARDWARE_FRAMES = frozenset({"do_tag_check_fault", "do_tag_recovery"})
_LOW = 0x0F


@cause(
    id="tag-mismatch",
    title="pointer and memory carry different tags",
    kinds=frozenset({Kind.KASAN, Kind.MTE, Kind.HYP_PANIC}),
    specificity=4,
)
def tag_mismatch(case: CaseView) -> Statements:
    """Yield the checker's words, both tags and what the memory's tag means."""
    if case.kind is Kind.MTE:
        yield from _fault(case)
        return
    if case.kind is Kind.HYP_PANIC:
        yield from _trap(case)
        return
    verdict, tags = verdict_claim(case, TAG_MISMATCH), case.get(TagPair)
    if verdict is None:
        if tags is not None and tags.pointer == tags.memory:
            yield refutes(
                "both tags are the same: KASAN refused the size of the access, not its tag", tags
            )
        else:
            yield from _trap(case)
        return
    untagged = untagged_address(case)
    if untagged is not None:
        yield refutes("memory at this address has no tags: the pointer itself is bad", untagged)
        return
    late = case.get(AsynchronousFault)
    is_told = tags is not None or late is not None
    yield verdict if is_told else replace(verdict, strength=Strength.DISCRIMINATING)
    if late is not None:
        yield doubt("asynchronous: the access was before the code of the trace", late)
        yield NextStep("boot with kasan.mode=sync: then the trace is that of the access")
    if tags is None:
        return
    yield consistent(
        f"pointer tag {tags.pointer:#04x}, memory tag {tags.memory:#04x}{_meaning(tags.memory)}",
        tags,
    )
    yield from _tag_doubts(case, tags)
    near = near_object(case)
    if near is not None:
        yield consistent(f"the address is {near.words}", *near.facts)
    yield from stack_claims(case, "freed", "allocated")


def _trap(case: CaseView) -> Iterator[Claim]:
    """Yield the BRK of a tag check: code at EL2 has no report behind it, and one at EL1 may be cut off."""
    immediate = case.esr.brk_immediate if case.esr is not None else None
    if immediate is None or case.syndrome is None:
        return
    meaning = brk_meaning(immediate)
    if meaning.kind == "kasan":
        place = " at EL2" if case.at_el2 else ""
        yield supports(f"BRK #{immediate:#x}{place}: {meaning.text}", case.syndrome)


def _meaning(memory: int) -> str:
    if memory == INVALID_TAG:
        return ", that of memory which is not allocated or a redzone"
    if memory == _UNTAGGED:
        return ", that of memory given out without a tag"
    return ""


def _fault(case: CaseView) -> Statements:
    esr = case.esr
    if esr is None or case.syndrome is None:
        return
    if esr.is_abort and esr.fault_kind is FaultKind.TAG_CHECK:
        yield supports("the fault is a synchronous tag check fault", case.syndrome)
        yield NextStep("CONFIG_KASAN_HW_TAGS reports both tags and the object")
    else:
        yield refutes("the syndrome is not that of a tag check fault", case.syndrome)


def _tag_doubts(case: CaseView, tags: TagPair) -> Iterator[Claim]:
    hardware = next(
        (f for f in case.all(Frame) if f.ref and f.ref.symbol in _HARDWARE_FRAMES), None
    )
    same = tags.pointer & _LOW == tags.memory & _LOW
    if hardware is not None:
        access = case.get(Access)
        if same:
            yield doubt("the tags agree as printed: the memory was tagged anew", tags)
        elif access is not None and tags.pointer >> 4 != _LOW:
            yield consistent(
                "bits 63:60 of FAR mean nothing for a tag check fault: the tag is the low digit",
                access,
                hardware,
            )
        return
    if tags.pointer == tags.memory:
        yield doubt("the tags agree as printed: the memory was tagged anew", tags)
    mixed = _mixed(list(granules(case)), tags)
    if mixed is not None:
        yield doubt(
            "granules with the pointer's tag and without it alternate within one access: the "
            "memory, such as a stack, was tagged or untagged without its user knowing",
            tags,
            mixed.row,
        )


def _mixed(touched: list[Granule], tags: TagPair) -> Granule | None:
    """Return a granule behind the first bad one that has the pointer's tag again."""
    bad = next((i for i, g in enumerate(touched) if g.value != tags.pointer), None)
    if bad is None:
        return None
    return next((g for g in touched[bad:] if g.value == tags.pointer), None)
