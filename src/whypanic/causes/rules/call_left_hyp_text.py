"""A PC-relative call or branch at EL2 reached kernel text that is not mapped there.

A helper emitted out of line, or instrumentation, was called from hyp code: the call is PC-relative, so the target is
a hyp VA, but EL2 maps only its own text.
Supported by: instruction abort with PC == FAR, a TTBR0 address above the first page, without VHE.
Refuted by: PC a TTBR1 address (nothing PC-relative leads there); VHE; the kernel naming PC as hyp code.
Sources: Linux arch/arm64/kvm (create_hyp_mappings of __hyp_text_start..__hyp_text_end only).
From memory: Arm ARM DDI 0487 L, TTBR0_EL2.
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import (
    FIRST_PAGE,
    El2,
    at_is_meaningless,
    hyp_offset_address,
    outside_hyp_range,
    read_el2,
)
from whypanic.causes.image_el2 import call_in_image
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.kinds import Kind

_PREFIX = "__kvm_nvhe_"


@cause(
    id="call-left-hyp-text",
    title="a PC-relative call at EL2 reached kernel text that is not mapped there",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=7,
)
def call_left_hyp_text(case: CaseView) -> Statements:
    """Yield what speaks for and against a call out of the hyp text."""
    el2 = read_el2(case)
    if not el2.fetch or el2.pc is None or el2.esr is None:
        return
    if el2.pc_is_upper:
        yield refutes(
            f"PC {el2.pc:#018x} is a TTBR1 address: a PC-relative branch from a hyp VA does not lead there",
            el2.panic,
        )
        return
    if not el2.pc_is_lower:
        yield refutes(f"PC {el2.pc:#018x} is no address that EL2 can translate", el2.panic)
        return
    if el2.pc < FIRST_PAGE:
        yield refutes(f"PC is {el2.pc:#x}, near zero: no PC-relative branch leads there", el2.panic)
        return
    if not el2.nvhe and el2.mode is not None:
        yield refutes("with VHE all kernel text is mapped at EL2", el2.mode)
        return
    outside = outside_hyp_range(case, el2.pc)
    if outside is not None:
        yield refutes(
            f"PC {el2.pc:#x} lies outside the HYP VA range {outside.first:x}:{outside.last:x}",
            el2.panic,
            outside,
        )
        return
    yield from call_in_image(case, el2)
    yield from _fetch(case, el2)


def _fetch(case: CaseView, el2: El2) -> Statements:
    at = case.get(HypPanicAt)
    named = at.ref.symbol if at is not None and at.ref is not None else None
    if at is not None and named is not None and not at_is_meaningless(case):
        if named.startswith(_PREFIX):
            yield refutes(f"the kernel names PC as hyp code, {named}", at)
            return
        yield supports(f"PC is {named}, kernel code outside the hyp text", at)
    if el2.esr is not None and el2.esr.fault_kind is FaultKind.PERMISSION:
        yield consistent(
            f"the page of PC {el2.pc:#018x} is mapped at EL2 but not executable: data or rodata",
            el2.panic,
        )
    else:
        level = el2.esr.fault_level if el2.esr is not None else None
        # The hyp text is mapped: an address near it has the same level 0 entry, save at the very end of its range.
        say = consistent if level == 0 else supports
        yield say(
            f"PC == FAR == {el2.pc:#018x}, an EL2 address with nothing mapped"
            f"{'' if level is None else f' (translation fault, level {level})'}: "
            "a PC-relative call ran out of the hyp text",
            el2.panic,
            *((el2.mode,) if el2.mode else ()),
        )
    link = hyp_offset_address(case)
    yield Remedy(
        "make the callee part of the hyp text: __always_inline, or build it with the hyp objects; keep "
        "instrumentation (KASAN, UBSAN, KCOV, ftrace, shadow call stack) out of them"
    )
    if link is None and el2.pc is not None:
        yield NextStep(
            "name the callee: a call leads to its first instruction, and PC keeps its place in the image, so the low "
            "20 bits are those of the symbol",
            f"nm -n vmlinux | grep -i '{el2.pc & 0xFFFFF:05x} t '",
        )
    elif link is not None:
        yield NextStep(
            "name the callee: PC + Hyp Offset is its link address",
            f"addr2line -ife vmlinux {link:x}",
        )
