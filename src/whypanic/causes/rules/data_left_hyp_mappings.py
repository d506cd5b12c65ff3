"""A PC-relative data reference at EL2 reached a page that is not mapped there.

EL2 code and its data keep their distance in the image, so a reference to an unmapped section (.data, or the host's
.bss under protected KVM) gives a hyp VA near PC.
Supported by: data abort at EL2, translation fault, FAR a TTBR0 address within an image's span of PC.
Refuted by: FAR a TTBR1 address; FAR in the first page; permission fault; FAR stale (not an abort).
Sources: Linux arch/arm64/kvm (mappings of init_hyp_mode and recreate_hyp_mappings).
From memory: Arm ARM DDI 0487 L, FAR_EL2.
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import FIRST_PAGE, IMAGE_SPAN, El2, hyp_offset_address, is_upper, read_el2
from whypanic.causes.image_el2 import data_in_image
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind


@cause(
    id="data-left-hyp-mappings",
    title="a PC-relative data reference at EL2 reached a page that is not mapped there",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=7,
)
def data_left_hyp_mappings(case: CaseView) -> Statements:
    """Yield what speaks for and against a reference to data that EL2 does not map."""
    el2 = read_el2(case)
    if not el2.read_write or el2.panic.far is None or el2.esr is None:
        return
    far = el2.panic.far
    if is_upper(far):
        yield refutes(
            f"FAR {far:#018x} is a TTBR1 address: nothing PC-relative at EL2 gives it", el2.panic
        )
        return
    if far < FIRST_PAGE:
        yield refutes(f"FAR is {far:#x}, in the first page: a NULL base, no reference", el2.panic)
        return
    if not el2.nvhe and el2.mode is not None:
        yield refutes("with VHE all kernel data is mapped at EL2", el2.mode)
        return
    if el2.esr.fault_kind is not FaultKind.TRANSLATION:
        yield refutes(
            f"the fault is no translation fault ({el2.esr.fsc_name}): the page is mapped", el2.panic
        )
        return
    yield from data_in_image(case, el2)
    yield from _distance(case, el2, far)


def _distance(case: CaseView, el2: El2, far: int) -> Statements:
    distance = None if el2.pc is None or el2.pc_is_upper else far - el2.pc
    if distance is not None and abs(distance) < IMAGE_SPAN:
        yield supports(
            f"FAR is {abs(distance):#x} {'past' if distance >= 0 else 'before'} PC: inside one kernel image, where "
            "only a PC-relative reference of hyp code leads, and not mapped at EL2",
            el2.panic,
        )
    else:
        yield consistent(f"FAR {far:#018x} is an EL2 address with nothing mapped", el2.panic)
    yield Remedy(
        "move the object into a section that EL2 maps (.hyp.data, .hyp.bss, .hyp.rodata), or hand EL2 a copy"
    )
    link = hyp_offset_address(case)
    if link is not None and el2.pc is not None:
        place = (far + link - el2.pc) & (1 << 64) - 1
        yield NextStep(
            "name the object: FAR + Hyp Offset is its link address",
            f"gdb -batch -ex 'info symbol {place:#x}' vmlinux",
        )
    else:
        yield NextStep(
            "name the object: FAR keeps its place in the image, so its low 20 bits are those of the object",
            f"nm -n vmlinux | grep -iE '{far >> 12 & 0xFF:02x}[0-9a-f]{{3}} [bdr] ' # low bits {far & 0xFFFFF:05x}",
        )
