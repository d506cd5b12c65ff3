"""What an alignment fault says of memory type and instruction.

Sources: Arm ARM DDI 0487 L, ESR_EL1 ISS (DFSC 0b100001), alignment of data accesses; Linux
arch/arm64/include/asm/memory.h (order of the memory types, by release).
"""

from functools import lru_cache
from typing import NamedTuple

from whypanic.arch.esr import FaultKind
from whypanic.arch.pte import decode_descriptor, memory_type
from whypanic.causes.aborts import fault_kind
from whypanic.causes.case import CaseView
from whypanic.causes.natures import NULLS, Nature, value_nature
from whypanic.causes.pointers import Pointer, data_pointer
from whypanic.model.fault import PageTable, PageWalk
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact

_NO_MEMORY = frozenset(
    {*NULLS, Nature.ERROR, Nature.POISON, Nature.TEXT, Nature.NON_CANONICAL, Nature.SMALL}
)
WIDEST_ATOMIC = 16
"""Bytes of the widest exclusive, atomic or ordered access: LDXP, CASP and their like."""
Evidence = tuple[str, Fact]


class Unaligned(NamedTuple):
    """An alignment fault of a data access."""

    claim: str
    facts: tuple[Fact, ...]
    nature: Nature
    """Of the address that was accessed."""
    explained: Pointer | None
    """The pointer is none at all: that it is unaligned is a by-product."""
    device: Evidence | None
    normal: Evidence | None
    """The leaf entry names the memory type."""
    needs_alignment: Evidence | None
    linear: bool
    """The address is certainly of the linear map, which is Normal memory only. The image is that too, but where it ends
    is a guess, and ioremap() maps right above it."""
    aligned: bool
    """FAR is aligned to the widest atomic access."""
    plain: Evidence | None
    """The instruction is exclusive, atomic or ordered; or it is none of that."""


@lru_cache(maxsize=8)
def unaligned_access(case: CaseView) -> Unaligned | None:
    """Return what is known of the access; None where the fault is no alignment fault."""
    far = case.far
    said = case.kind is Kind.ALIGNMENT_FAULT and case.esr is None
    if far is None or not (said or fault_kind(case) is FaultKind.ALIGNMENT):
        return None
    pointer = data_pointer(case)
    explained = pointer.story if pointer and pointer.story.nature in _NO_MEMORY else None
    fact: Fact = case.syndrome or far
    device, normal = _memory_type(case)
    needs, plain = access_of_instruction(case)
    nature = value_nature(case, far.va)[0]
    return Unaligned(
        claim=f"an alignment fault at {far.va:#x}",
        facts=(far, fact) if fact is not far else (far,),
        nature=nature,
        linear=nature is Nature.LINEAR and case.layout.flipped is not None,
        explained=explained,
        device=device,
        normal=normal,
        needs_alignment=needs,
        aligned=far.va % WIDEST_ATOMIC == 0,
        plain=plain,
    )


def _memory_type(case: CaseView) -> tuple[Evidence | None, Evidence | None]:
    table, kernel = case.get(PageTable), case.kernel
    version = kernel.number if kernel is not None else None
    for walk in case.all(PageWalk):
        if not walk.entries:
            continue
        last = walk.entries[-1]
        view = decode_descriptor(
            last.value,
            last.name,
            page_kib=table.page_kib or 4 if table else 4,
            va_bits=table.va_bits or 48 if table else 48,
        )
        if view.attr_index is None:
            continue
        name = memory_type(view.attr_index, version)
        if name is None:
            continue
        evidence = (f"the {last.name} entry has memory type {name}", walk)
        return (evidence, None) if name.startswith("DEVICE") else (None, evidence)
    return None, None


def access_of_instruction(case: CaseView) -> tuple[Evidence | None, Evidence | None]:
    """Return what says that the instruction at PC needs alignment, or that it does not."""
    faulting = case.faulting
    memory = faulting.insn.memory if faulting is not None else None
    if faulting is None or memory is None:
        return None, None
    if memory.exclusive:
        return (f"{faulting.insn.mnemonic} is an exclusive access", faulting), None
    if memory.atomic:
        return (f"{faulting.insn.mnemonic} is an atomic access", faulting), None
    if memory.ordered:
        return (f"{faulting.insn.mnemonic} is an ordered access", faulting), None
    return None, (f"{faulting.insn.mnemonic} is a plain access", faulting)
