"""An unaligned access hit Device memory, which takes none.

Supported by: an alignment fault (FSC 0x21) of a plain access or DC ZVA; a leaf entry with a Device memory type; a fault
at an aligned address, as only DC ZVA makes it.
Refuted by: a Normal memory type; an exclusive, atomic or ordered access to the linear map.
Sources: Linux arch/arm64/include/asm/memory.h (MT_*).
From memory: Arm ARM DDI 0487 L, alignment of data accesses (Device memory; SCTLR_EL1.A is 0 in Linux).
"""

from whypanic.causes.aborts import FAULT_KINDS
from whypanic.causes.alignment import Unaligned, unaligned_access
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.model.claims import Remedy, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="unaligned-device-access",
    title="an unaligned access hit Device memory",
    kinds=FAULT_KINDS - {Kind.HYP_PANIC},
    specificity=6,
)
def unaligned_device_access(case: CaseView) -> Statements:
    """Yield what memory type, instruction and address say."""
    access = unaligned_access(case)
    if access is None:
        return
    if access.explained is not None:
        yield refutes(access.explained.claim, *access.explained.facts)
        return
    if access.device is not None:
        text, fact = access.device
        yield supports(text, fact)
    elif access.normal is not None:
        text, fact = access.normal
        yield refutes(text, fact)
        return
    elif access.needs_alignment is not None:
        text, fact = access.needs_alignment
        if access.linear:
            yield refutes(f"{text}, and the address is in the linear map: Normal memory", fact)
        else:
            yield consistent("the address may be of an ioremap() mapping", *access.facts)
        return
    elif access.linear and access.plain is None and not access.aligned:
        yield refutes("the address is in the linear map: Normal memory", *access.facts)
        return
    if access.plain is not None:
        text, fact = access.plain
        yield supports(f"{text}: on Normal memory it would not fault", fact)
    elif access.aligned and access.device is None:
        yield supports(
            "the address is aligned: DC ZVA, which Device memory never takes", *access.facts
        )
    elif access.nature is Nature.MAPPING and access.device is None:
        yield supports("the address is where ioremap() maps devices", *access.facts)
    yield from _closing(access)


def _closing(access: Unaligned) -> Statements:
    yield consistent(access.claim, *access.facts)
    yield Remedy(
        text="use readl()/writel() at aligned offsets, or memcpy_fromio() and memcpy_toio()"
    )
