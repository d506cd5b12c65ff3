"""The kernel branched to an address that holds no mapped code.

Supported by: PC in a range where code never lies (user range, linear map, between the ranges), or misaligned.
Refuted by: a permission fault: the page is mapped.
Sources: Linux Documentation/arch/arm64/memory.rst.
From memory: Arm ARM DDI 0487 L, ESR_EL1 (EC 0x21, 0x22).
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.api import cause
from whypanic.causes.branches import bad_fetch, pac_key, unloaded
from whypanic.causes.case import CaseView
from whypanic.causes.natures import NULLS, Nature
from whypanic.model.claims import Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind

_NEVER_CODE = frozenset({Nature.LINEAR, Nature.ODD, Nature.NON_CANONICAL, Nature.SMALL})
_SAYS_MORE = frozenset({*NULLS, Nature.POISON, Nature.TEXT})


@cause(
    id="wild-branch",
    title="a branch reached an address without code",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=3,
)
def wild_branch(case: CaseView) -> Statements:
    """Yield where PC points."""
    fetch = bad_fetch(case)
    if fetch is None:
        return
    if fetch.permission and fetch.nature not in (Nature.USER, Nature.SMALL, *NULLS):
        yield refutes("a permission fault: the page is mapped", *fetch.facts)
        return
    if fetch.target % 4:
        yield supports(f"PC is {fetch.target:#x}, no multiple of 4", *fetch.facts)
    elif fetch.nature in _NEVER_CODE and pac_key(fetch.target) is None:
        yield supports(fetch.claim, *fetch.facts)
    elif fetch.nature in _SAYS_MORE:
        return
    elif unloaded(case) is None or fetch.nature is not Nature.MAPPING:
        yield consistent(fetch.claim, *fetch.facts)
    else:
        return
    for register in fetch.through[:2]:
        yield consistent(f"{register.name} holds the target", register)
