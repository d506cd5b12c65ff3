"""MRS, MSR and the operations by address (DC, IC, AT) at EL2.

Source: Arm ARM DDI 0487 L, the instruction or register named.
"""

from typing import TYPE_CHECKING

from whypanic.arch.insn.record import Insn, X
from whypanic.replay import architecture
from whypanic.replay.architecture import PSTATE_FIELDS, ExceptionTakenError, UnansweredError
from whypanic.replay.protocol import MemoryAccess

if TYPE_CHECKING:
    from whypanic.replay.el2_run import El2Run

_IN_PSTATE = ("nzcv", "daif", *PSTATE_FIELDS)
_DCZID_DZP = 0x10


def move(run: "El2Run", insn: Insn) -> None:
    """Run MRS or MSR.

    :raises ExceptionTakenError: if it is UNDEFINED at EL2.
    :raises UnansweredError: if what it changes is not modelled.
    """
    name, rt = insn.system_register or "", insn.word & 31
    register = X[rt]
    is_read = insn.mnemonic == "mrs"
    if insn.immediate is None and run.system.is_undefined(name, write=not is_read):
        what = f"{insn.mnemonic} of {name} at EL2"
        raise ExceptionTakenError(architecture.undefined(run.pc, what))
    if is_read:
        if "nzcv" in insn.writes:
            run.put("nzcv", None)
        if register != "xzr":
            run.put(register, _read_system(run, name))
    elif insn.immediate is not None:
        _write_field(run, name, insn.immediate)
    elif name == "spsel":
        _write_field(run, name, run.need(register, "the choice of the stack pointer"))
    elif name in _IN_PSTATE:
        _write_pstate(run, name, run.look(register))
    else:
        run.system.write(name, run.look(register))
        if run.system.changes_regime(name):
            message = f"the code changes its own translation: {name} at {run.place(run.pc)}"
            raise UnansweredError(message)


def _read_system(run: "El2Run", name: str) -> int | None:
    if name == "nzcv":
        flags = run.look("nzcv")
        return None if flags is None else flags << 28
    if name == "daif":
        return None if run.pstate.daif is None else run.pstate.daif << 6
    return None if name in PSTATE_FIELDS else run.system.read(name)


def _write_field(run: "El2Run", name: str, immediate: int) -> None:
    """MSR (immediate)."""
    daif = run.pstate.daif
    if name == "spsel" and not immediate & 1:
        message = f"the code selects sp_el0 at {run.place(run.pc)}, which is not modelled"
        raise UnansweredError(message)
    if name in ("daifset", "daifclr") and daif is not None:
        run.pstate.daif = daif | immediate if name == "daifset" else daif & ~immediate
    elif name in PSTATE_FIELDS:
        run.pstate.write(PSTATE_FIELDS[name], immediate & 1)


def _write_pstate(run: "El2Run", name: str, value: int | None) -> None:
    """MSR (register) of a part of PSTATE."""
    if name == "nzcv":
        run.put("nzcv", None if value is None else value >> 28 & 15)
    elif name == "daif":
        run.pstate.daif = None if value is None else value >> 6 & 15
    else:
        bit = PSTATE_FIELDS[name]
        run.pstate.write(bit, None if value is None else value >> bit & 1)


def maintain(run: "El2Run", insn: Insn, base: str, accesses: list[MemoryAccess]) -> None:
    """Run DC, IC or AT by address.

    :raises ExceptionTakenError: if nothing is mapped there, or DC ZVA may not write it.
    :raises UnansweredError: if the address is unknown.
    """
    if insn.mnemonic.startswith("at "):
        run.system.forget("par_el1")
        return
    va = run.need(base, f"the address of {insn.mnemonic}")
    if insn.mnemonic == "dc zva":
        _clear(run, va, accesses)
        return
    fault = architecture.maintenance_fault(run.space, run.pc, va)
    if fault is not None:
        raise ExceptionTakenError(fault)


def _clear(run: "El2Run", va: int, accesses: list[MemoryAccess]) -> None:
    """DC ZVA: FAR_EL2 is the address given, what is cleared the aligned block around it."""
    size = run.system.read("dczid_el0")
    if size is None or size & _DCZID_DZP:
        message = f"the block that dc zva at {run.place(run.pc)} clears is unknown"
        raise UnansweredError(message)
    n_bytes = 4 << (size & 15)
    first = va & -n_bytes
    page = run.space.page_at(first)
    accesses.append(MemoryAccess(first, n_bytes, True, 0, page.name if page else None))
    fault = architecture.access_fault(run.space, run.pc, va, 1, load=False, store=True)
    if fault is not None:
        raise ExceptionTakenError(fault)
    run.cpu.write_memory(first, n_bytes, 0)
    run.space.mark(first, n_bytes, known=True)
