"""What the harness saw, read as an observation. Every number here may have been forged by the code that ran."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from whypanic.arch.esr.exception_class import exception_class
from whypanic.replay.protocol import Job, Observation, Outcome
from whypanic.replay.qemu_job import Plan
from whypanic.replay.qemu_wire import (
    REASON_STOPPED,
    REASON_SYNC,
    RETURN_IMMEDIATE,
    TAKEN_BY_EXCEPTION,
    VECTOR_BYTES,
    VECTORS_BYTES,
    RawResult,
)

_SMC = 0x17
_INSTRUCTION_ABORT = 0x21
_PC_ALIGNMENT = 0x22
_PC_ALIGNMENT_ESR = _PC_ALIGNMENT << 26 | 1 << 25
"""DDI 0487, "Synchronous exception prioritization": a PC alignment fault comes before an Instruction Abort. QEMU 7.2
looks at the page before it looks at the low bits. Either writes the PC to FAR_EL2."""
_FETCH_CLASSES = (_INSTRUCTION_ABORT, _PC_ALIGNMENT)
_UNDEFINED = 0x00
_DATA_ABORT = 0x25
_ISV = 1 << 24
_VALIDATED = 0x7FF << 14
"""ISV, SAS, SSE, SRT, SF, AR. DDI 0487, ESR_EL2 ISS (Data Abort): ISV is 0 unless the fault is of stage 2, and then the
others are RES0. QEMU 7.2 asks only whether EL2 takes the fault (merge_syn_data_abort in target/arm/tlb_helper.c)."""
_ALL_PSTATE = 0xFFFF_FFFF
_LOWER_EL = 8
"""Number of the first vector for exceptions from a lower Exception level."""


class Ending(NamedTuple):
    """How one run ended."""

    outcome: Outcome
    reason: str
    pc: int | None = None
    esr: int | None = None
    pstate: int | None = None
    raw: RawResult | None = None
    modelled: bool = False
    """ESR is ours."""


def read_ending(raw: RawResult, plan: Plan, vectors_va: int) -> Ending:
    """Return how a run ended, from what the harness saved."""
    at = raw.elr_el3
    if raw.reason == REASON_SYNC and raw.esr_el3 >> 26 & 0x3F == _SMC:
        at -= 4
        immediate = raw.esr_el3 & 0xFFFF
        if 0 <= at - vectors_va < VECTORS_BYTES:
            return _exception(raw, plan, (at - vectors_va) // VECTOR_BYTES)
        if at == plan.job.return_va and immediate == RETURN_IMMEDIATE:
            return _ended(Outcome.RETURNED, "reached its return address", raw, at)
        if plan.is_unknown_code(at):
            return _unknown_code(raw, at)
        text = f"secure monitor call `smc #{immediate:#x}`, and there is no firmware to answer it"
        return _ended(Outcome.UNKNOWN, text, raw, at)
    if raw.reason == REASON_STOPPED:
        offset = at - vectors_va
        if 0 <= offset < VECTORS_BYTES and not offset % VECTOR_BYTES:
            return _exception(raw, plan, offset // VECTOR_BYTES)
        text = "still running after as many instructions as it was given"
        return _ended(Outcome.LIMIT, text, raw, at)
    text = f"left EL2 for EL3: {exception_class(raw.esr_el3 >> 26 & 0x3F).name}"
    return _ended(Outcome.UNKNOWN, text, raw, at)


def _exception(raw: RawResult, plan: Plan, vector: int) -> Ending:
    esr, pc = raw.after["esr_el2"], raw.after["elr_el2"]
    if all(raw.after[name] == raw.before[name] for name in ("esr_el2", "elr_el2", "spsr_el2")):
        return _ended(Outcome.UNKNOWN, "ran into the page of the harness", raw, None)
    ec = esr >> 26 & 0x3F
    pstate = raw.after["spsr_el2"]
    if vector >= _LOWER_EL:
        text = f"left EL2 for a lower Exception level: {exception_class(ec).name}"
        return Ending(Outcome.UNKNOWN, text, pc, None, pstate, raw)
    if pc == plan.job.return_va and ec in _FETCH_CLASSES:
        return Ending(Outcome.RETURNED, "reached its return address", pc, None, pstate, raw)
    if ec == _UNDEFINED and plan.is_unknown_code(pc):
        return _unknown_code(raw, pc)
    if ec == _INSTRUCTION_ABORT and pc & 3:
        text = f"{exception_class(_PC_ALIGNMENT).name}; this QEMU translates the address first"
        return Ending(Outcome.FAULT, text, pc, _PC_ALIGNMENT_ESR, pstate, raw, modelled=True)
    text = exception_class(ec).name
    if ec == _DATA_ABORT and esr & _ISV:
        esr &= ~_VALIDATED
        text += "; ISV, which this QEMU sets for stage 1 too, and the fields it validates read as 0"
    return Ending(Outcome.FAULT, text, pc, esr, pstate, raw)


def _ended(outcome: Outcome, reason: str, raw: RawResult, pc: int | None) -> Ending:
    return Ending(outcome, reason, pc, None, raw.spsr_el3, raw)


def _unknown_code(raw: RawResult, pc: int) -> Ending:
    text = f"went to {pc:#x}, where code is mapped and not known"
    return _ended(Outcome.UNKNOWN, text, raw, pc)


def merge_endings(plan: Plan, endings: Sequence[Ending]) -> Observation:
    """Return the observation that the runs with different fillings agree on."""
    first = endings[0]
    outcomes = list(dict.fromkeys(e.outcome for e in endings))
    same_fault = first.outcome is not Outcome.FAULT or (
        len({(e.pc, e.esr and e.esr >> 26) for e in endings}) == 1
    )
    if len(outcomes) > 1 or not same_fault:
        ways = ", ".join(dict.fromkeys(_way(e) for e in endings))
        text = f"depends on a value that is not known: {ways}"
        return _observation(plan.job, plan.modelled, Outcome.UNKNOWN, text)
    raws = [e.raw for e in endings if e.raw is not None]
    registers: Mapping[str, int | None] = {}
    system: Mapping[str, int | None] = {}
    far = hpfar = None
    if len(raws) == len(endings):
        registers = _agreed([_registers(e) for e in endings])
        system = _written(raws)
        if first.outcome is Outcome.FAULT:
            far, hpfar = (_address(plan, raws, name) for name in ("far_el2", "hpfar_el2"))
    pstate, pstate_known = _pstate(endings)
    modelled = plan.modelled or any(e.modelled for e in endings)
    return _observation(plan.job, modelled, first.outcome, first.reason)._replace(
        pc=_one(e.pc for e in endings),
        esr=_one(e.esr for e in endings),
        far=far,
        hpfar=hpfar,
        pstate=pstate,
        pstate_known=pstate_known,
        registers=registers,
        system=system,
    )


def not_run(job: Job, reason: str) -> Observation:
    """Return the observation of a job that this engine cannot run."""
    return _observation(job, False, Outcome.UNKNOWN, reason)


def _observation(job: Job, modelled: bool, outcome: Outcome, reason: str) -> Observation:
    return Observation(job.id, "qemu", modelled, outcome, reason, pstate_known=0)


def _way(ending: Ending) -> str:
    return str(ending.outcome) if ending.pc is None else f"{ending.outcome} at {ending.pc:#x}"


def _one(values: Iterable[int | None]) -> int | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _registers(ending: Ending) -> dict[str, int]:
    raw = ending.raw
    if raw is None:
        return {}
    values = {f"x{n}": value for n, value in enumerate(raw.x)}
    own = ending.pstate is None or ending.pstate & 1
    return values | {"sp": raw.after["sp_el2" if own else "sp_el0"]}


def _agreed(states: Sequence[Mapping[str, int]]) -> dict[str, int | None]:
    return {name: _one(state[name] for state in states) for name in states[0]}


def _written(raws: Sequence[RawResult]) -> dict[str, int | None]:
    return {
        name: _one(raw.after[name] for raw in raws)
        for name in raws[0].after
        if name not in TAKEN_BY_EXCEPTION and any(r.after[name] != r.before[name] for r in raws)
    }


def _address(plan: Plan, raws: Sequence[RawResult], name: str) -> int | None:
    """Return FAR_EL2 or HPFAR_EL2 if the exception wrote it, or the job gave what was in it before."""
    given = name in {key.lower() for key in plan.job.system}
    if given or any(raw.after[name] != raw.before[name] for raw in raws):
        return _one(raw.after[name] for raw in raws)
    return None


def _pstate(endings: Sequence[Ending]) -> tuple[int | None, int]:
    values = [e.pstate for e in endings if e.pstate is not None]
    if len(values) != len(endings):
        return None, 0
    known = _ALL_PSTATE
    for value in values[1:]:
        known &= ~(value ^ values[0])
    return values[0], known & _ALL_PSTATE
