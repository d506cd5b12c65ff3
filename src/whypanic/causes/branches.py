"""What a failed instruction fetch says of the branch before it: target, kind of branch, who branched.

A fetch abort shows PC == FAR == the target. How it got there is in lr: after `blr` it is the next instruction of the
caller; after `ret` it usually still equals the target; after `br` it is that of an earlier call.

Sources: Arm ARM DDI 0487 L, ESR_EL1 ISS for an Instruction Abort, shared pseudocode Auth() and AddPAC();
Linux arch/arm64/mm/fault.c (is_el1_instruction_abort, die_kernel_fault).
"""

from functools import lru_cache
from typing import NamedTuple

from whypanic.causes.aborts import is_fetch
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature, value_nature
from whypanic.model.code import CodeLine
from whypanic.model.context import Modules
from whypanic.model.fault import PageWalk
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register
from whypanic.model.trace import Frame

MASK64 = (1 << 64) - 1
_PAC_ERROR = {0xBF: "A", 0xDF: "B"}
"""Top byte of a kernel address whose authentication failed without FPAC: bits 62:61 are 01 for an A key, 10 for a B
key, all other extension bits 1 (Auth(), with TBI off for kernel addresses)."""


class Fetch(NamedTuple):
    """A fetch that failed."""

    target: int
    nature: Nature
    is_what: str
    facts: tuple[Fact, ...]
    returned: bool
    """lr holds the same address: the way of a return."""
    through: tuple[Register, ...]
    """General registers that hold the target: what a `blr` or `br` would have used."""
    caller: Fact | None
    """lr or the first frame that lies in live code."""
    caller_name: str | None
    permission: bool
    """The page is mapped, execution is not allowed."""

    @property
    def claim(self) -> str:
        """One sentence on PC."""
        return f"the CPU fetched from {self.target:#x}: {self.is_what}"


@lru_cache(maxsize=8)
def bad_fetch(case: CaseView) -> Fetch | None:
    """Return the fetch that failed; None where the report is about something else."""
    target, facts = _target(case)
    if target is None:
        return None
    nature, words = value_nature(case, target)
    lr = case.registers.get("lr")
    returned = lr is not None and lr.ref is None and lr.value == target
    through = tuple(
        r for name, r in case.registers.items() if name.startswith("x") and r.value == target
    )
    caller, name = _caller(case, lr)
    return Fetch(
        target=target,
        nature=nature,
        is_what=words,
        facts=facts,
        returned=returned,
        through=through if target else (),
        caller=caller,
        caller_name=name,
        permission=_is_permission(case),
    )


def _target(case: CaseView) -> tuple[int | None, tuple[Fact, ...]]:
    pc = case.registers.get("pc")
    if case.kind is Kind.SP_PC_ALIGNMENT:
        value = pc.value if pc is not None else None
        return (value, (pc,)) if pc is not None and value is not None and value % 4 else (None, ())
    if not (is_fetch(case) or _runs_at_zero(case)):
        return None, ()
    far = case.far
    if far is not None:
        return far.va, (far,) if pc is None else (far, pc)
    if pc is not None and pc.value is not None:
        return pc.value, (pc,)
    return None, ()


def _runs_at_zero(case: CaseView) -> bool:
    """True where the trace itself starts at the fault address, for reports without ESR and registers."""
    far, frames = case.far, case.frames
    return (
        case.esr is None
        and far is not None
        and bool(frames)
        and frames[0].ref is None
        and frames[0].address == far.va
    )


def _is_permission(case: CaseView) -> bool:
    esr = case.esr
    return esr is not None and esr.is_abort and str(esr.fault_kind) == "permission"


def _caller(case: CaseView, lr: Register | None) -> tuple[Fact | None, str | None]:
    if lr is not None and lr.ref is not None:
        return lr, lr.ref.symbol
    for frame in case.frames:
        if frame.ref is not None and not frame.unreliable:
            return frame, frame.ref.symbol
    return None, None


def pac_key(target: int) -> str | None:
    """Return the key letter where a kernel address carries the mark of a failed authentication."""
    return _PAC_ERROR.get(target >> 56) if target >> 48 & 0xFF == 0xFF else None


def unloaded(case: CaseView) -> Modules | None:
    """Return the module list where it names a module that was unloaded."""
    return next((m for m in case.all(Modules) if m.last_unloaded), None)


def unreadable_code(case: CaseView) -> CodeLine | None:
    """Return the `Code: bad PC value` line."""
    return next((c for c in case.all(CodeLine) if c.bad_pc), None)


def empty_entry(case: CaseView) -> PageWalk | None:
    """Return the walk where its last entry is zero: nothing is mapped there any more, or never was."""
    return next((w for w in case.all(PageWalk) if w.entries and w.entries[-1].value == 0), None)


def raw_frames(case: CaseView) -> tuple[Frame, ...]:
    """Return frames that have an address and no symbol: code that the kernel no longer knows."""
    return tuple(f for f in case.frames if f.ref is None and f.address)
