"""EL2 followed an absolute EL1 address other than a jump table's: function pointer, literal, GOT slot, veneer, data.

The rival that people suspect first is among them: the function itself entered at its EL1 address through the hyp
call. Then PC is the function's first instruction, with the flags of the hyp call path.
Supported by: a data abort on a TTBR1 address without VHE; a fetch there, at the first instruction of a function.
Refuted by: PC a hyp VA; VHE; PC in the middle of a function (a pointer to a function leads to its start).
Sources: Linux arch/arm64/kvm/hyp/hyp-entry.S (el1_sync, 4.6 to 5.8).
From memory: Arm ARM DDI 0487 L, TTBR1_EL2.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.el2 import (
    El2,
    Entry,
    branches_of,
    flags_against_entry,
    is_upper,
    line_against_opening,
    link_address,
    listing_of_pc,
    outside_hyp_range,
    read_el2,
    upper_fault_contradicted,
    upper_fetch_finding,
)
from whypanic.causes.image_el2 import slots_in_image
from whypanic.code.indirect_branch import TargetOrigin
from whypanic.model.claims import NextStep, Remedy, Statements, consistent, refutes, supports
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind


@cause(
    id="absolute-pointer-at-el2",
    title="EL2 followed an absolute EL1 address: function pointer, literal, GOT slot, veneer or data pointer",
    kinds=frozenset({Kind.HYP_PANIC}),
    needs=(HypPanic,),
    specificity=7,
)
def absolute_pointer_at_el2(case: CaseView) -> Statements:
    """Yield what speaks for and against a pointer that was not converted for EL2."""
    el2 = read_el2(case)
    if el2.fetch and el2.pc is not None:
        yield from _fetch(case, el2)
    elif el2.read_write:
        yield from _data(case, el2)


def _fetch(case: CaseView, el2: El2) -> Statements:
    if not el2.pc_is_upper:
        yield refutes(
            f"PC {el2.pc:#018x} is {'an EL2' if el2.pc_is_lower else 'no kernel'} address, "
            "not an absolute EL1 address",
            el2.panic,
        )
        return
    if not el2.nvhe and el2.mode is not None:
        yield refutes(
            "with VHE, EL2 translates kernel addresses: they are no error there", el2.mode
        )
        return
    contradiction = upper_fault_contradicted(el2)
    if contradiction is not None:
        yield refutes(contradiction, el2.panic)
        return
    finding = upper_fetch_finding(case, el2)
    yield consistent("an absolute EL1 address was followed at EL2", finding)
    yield from slots_in_image(case, el2.pc)
    line = line_against_opening(case)
    flags = flags_against_entry(case)
    if line is not None and line.at_start is True:
        yield from _at_start(el2, line, flags)
    elif line is not None:
        jumps = any(_origins(case))
        for entry in (line, flags):
            if entry is not None and entry.at_start is False:
                if jumps:
                    yield consistent(
                        f"{entry.text}: not entered through the hyp call", *entry.because
                    )
                    continue
                yield refutes(
                    f"{entry.text}; a call through a pointer, as the hyp call makes it, enters at the "
                    "first instruction",
                    *entry.because,
                )
    elif flags is not None and flags.at_start is False:
        yield consistent(
            f"{flags.text}; if PC is the first instruction of a function, another pointer than the "
            "hyp call's led there",
            *flags.because,
        )
    elif flags is not None:
        yield consistent(flags.text, *flags.because)
    yield from _origins(case)
    yield Remedy(
        "convert the pointer where it is used at EL2 (kern_hyp_va, hyp_symbol_addr), "
        "or let .hyp.reloc cover the place that holds it (5.12 and later)"
    )
    yield NextStep(
        "name the function of PC and its offset: at its first instruction a pointer to it was called",
        f"addr2line -ife vmlinux {link_address(case, el2.pc or 0):x}",
    )


def _at_start(el2: El2, line: Entry, flags: Entry | None) -> Statements:
    if flags is not None and flags.at_start is False:
        yield consistent(line.text, *line.because)
        yield consistent(
            f"{flags.text.split(':')[0]}: not through the hyp call path; another pointer to the function is left",
            *flags.because,
        )
        return
    facts = (*line.because, *(flags.because if flags else ()))
    text = line.text if flags is None else f"{line.text}; {flags.text}"
    yield supports(f"{text}: the function was entered at its EL1 address", el2.panic, *facts)


def _origins(case: CaseView) -> Statements:
    listing = listing_of_pc(case)
    if listing is None:
        return
    origins = (TargetOrigin.POINTER, TargetOrigin.LITERAL, TargetOrigin.CONSTANT)
    for branch in branches_of(case, listing):
        if branch.origin in origins and not branch.call:
            yield consistent(f"{branch.statement}", branch, *branch.slice)
            return


def _data(case: CaseView, el2: El2) -> Statements:
    far = el2.panic.far or 0
    if not is_upper(far):
        return
    if not el2.nvhe and el2.mode is not None:
        yield refutes(
            "with VHE, EL2 translates kernel addresses: they are no error there", el2.mode
        )
        return
    contradiction = upper_fault_contradicted(el2)
    if contradiction is not None:
        yield refutes(contradiction, el2.panic)
        return
    outside = outside_hyp_range(case, far)
    facts = (el2.panic, *((outside,) if outside else ()), *((el2.mode,) if el2.mode else ()))
    yield supports(
        f"data abort at EL2 on {far:#018x}, a TTBR1 address: EL2 without VHE translates with TTBR0_EL2 only, "
        "so a kernel pointer was dereferenced as it is",
        facts[0],
        *facts[1:],
    )
    yield from slots_in_image(case, far)
    yield Remedy("convert the pointer with kern_hyp_va before EL2 uses it")
    yield NextStep(
        "find the load or store at PC and where its base comes from",
        None
        if el2.pc is None
        else f"objdump -d vmlinux # around the link address of PC {el2.pc:#x}",
    )
