"""A value that is no pointer at all was used as one, and nothing explains it better.

Supported by: a small or odd integer, or bytes of the user range, where kernel objects never lie; a kernel-range address
in an area without objects; a linear-map address so far off that not even the upper tables exist.
Refuted by: a base register that is NULL, an error value or poison: those say what the value is.
Sources: Linux Documentation/arch/arm64/memory.rst.
From memory: Arm ARM DDI 0487 L, ESR_EL1 fault levels.
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import FAULT_KINDS, fault_kind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import How, data_pointer
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind
from whypanic.model.regions import Region


@cause(
    id="wild-pointer",
    title="a value that is no pointer was used as one",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC, Kind.WARNING},
    specificity=2,
)
def wild_pointer(case: CaseView) -> Statements:
    """Yield what the value is, as far as it discriminates."""
    pointer = data_pointer(case)
    if pointer is None:
        return
    fault = fault_kind(case)
    mapped = fault not in (None, FaultKind.TRANSLATION)
    match pointer.nature:
        case Nature.SMALL:
            say = consistent if pointer.how is How.FAR else supports
            yield say(pointer.claim, *pointer.facts)
        case Nature.ODD if not mapped:
            yield supports(pointer.claim, *pointer.facts)
        case Nature.LINEAR if not mapped:
            if case.esr is not None and case.esr.fault_level == 0:
                yield supports(
                    f"{pointer.claim}, and not even its top-level entry exists",
                    *pointer.facts,
                )
            else:
                yield consistent(pointer.claim, *pointer.facts)
        case Nature.NON_CANONICAL | Nature.USER:
            yield consistent(pointer.claim, *pointer.facts)
        case Nature.MAPPING if not mapped:
            if _never_mapped(case, pointer.value):
                yield supports(
                    f"{pointer.claim}, and there is not even a page table: unmapping leaves those",
                    *pointer.facts,
                )
            else:
                yield consistent(f"{pointer.claim}, where nothing is mapped", *pointer.facts)
        case Nature.IMAGE if not mapped:
            yield consistent(f"{pointer.claim}, where nothing is mapped", *pointer.facts)
        case Nature.POISON | Nature.TEXT | Nature.ERROR:
            yield refutes(f"the value is explained: {pointer.claim}", *pointer.facts)
        case _:
            return


def _never_mapped(case: CaseView, value: int) -> bool:
    """True where the level of the fault says that no page of this area was mapped before.

    vunmap() clears entries of the last level and keeps the tables; only block mappings, which modules never have, go
    away at a higher one.
    """
    level = case.esr.fault_level if case.esr is not None else None
    if level is None:
        return False
    last = 2 if case.classify(value).region is Region.MODULE else 1
    return level <= last
