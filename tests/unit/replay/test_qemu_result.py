"""What the harness saved, made up here, and what is said of it."""

import struct
from collections.abc import Mapping

import pytest

from whypanic.replay.protocol import Job, Outcome, Permission, Region
from whypanic.replay.qemu_job import Plan, plan_job
from whypanic.replay.qemu_result import Ending, merge_endings, not_run, read_ending
from whypanic.replay.qemu_wire import (
    REASON_STOPPED,
    REASON_SYNC,
    RETURN_IMMEDIATE,
    SYSTEM_NAMES,
    RawResult,
)

BASE, RETURN, VECTORS = 0x8000_0010_0000, 0x5000, 0xFFFF_FFFF_F000
SMC = 0x17 << 26
SYNC_VECTOR = 4
MARK = 0x1111


def _plan(*, return_va: int = RETURN, system: Mapping[str, int] | None = None) -> Plan:
    code = Region(BASE, struct.pack("<I", 0xD503201F), Permission.EXECUTE, "text")
    return plan_job(Job("j", "Cortex-A53", BASE, (code,), return_va=return_va, system=system or {}))


def _raw(
    elr: int,
    *,
    reason: int = REASON_SYNC,
    esr: int = SMC,
    x0: int = 0,
    mark: int = MARK,
    after: Mapping[str, int] | None = None,
) -> RawResult:
    before = dict.fromkeys(SYSTEM_NAMES, mark)
    return RawResult(
        reason, esr, elr, 0x3C9, (x0, *range(1, 31)), before, before | dict(after or {})
    )


def _fault(esr: int, pc: int, *, mark: int = MARK, x0: int = 0, **after: int) -> RawResult:
    taken = {"esr_el2": esr, "elr_el2": pc, "spsr_el2": 0x800003C9, "sp_el2": 0x77} | after
    return _raw(VECTORS + 0x80 * SYNC_VECTOR + 4, mark=mark, x0=x0, after=taken)


def _read(raw: RawResult, plan: Plan | None = None) -> Ending:
    return read_ending(raw, plan or _plan(), VECTORS)


def test_an_exception_at_el2_is_a_fault_with_the_values_of_the_model() -> None:
    ending = _read(_fault(0x86000004, 0xFFFF_0000_089E_6FD8))
    assert ending[:5] == (
        Outcome.FAULT,
        "Instruction Abort taken without a change in Exception level",
        0xFFFF_0000_089E_6FD8,
        0x86000004,
        0x800003C9,
    )


def test_the_syndrome_of_a_stage_1_data_abort_is_without_isv() -> None:
    ending = _read(_fault(0x97C18044, BASE))
    assert ending.esr == 0x96000044
    assert "ISV" in ending.reason
    assert "ISV" not in _read(_fault(0x96000044, BASE)).reason


def test_a_misaligned_pc_is_an_alignment_fault_before_all_else() -> None:
    seen = _merge(_fault(0x8600000F, BASE + 2, far_el2=BASE + 2))
    assert (seen["esr"], seen["far"], seen["modelled"]) == (0x8A000000, BASE + 2, True)
    plain = _merge(_fault(0x8A000000, BASE + 2, far_el2=BASE + 2))
    assert (plain["esr"], plain["modelled"]) == (0x8A000000, False)


@pytest.mark.parametrize("esr", [0x86000006, 0x8600000F, 0x8A000000])
def test_a_failed_fetch_at_the_return_address_is_the_return(esr: int) -> None:
    ending = _read(_fault(esr, RETURN))
    assert (ending.outcome, ending.pc, ending.esr) == (Outcome.RETURNED, RETURN, None)


def test_another_fault_there_is_not() -> None:
    assert _read(_fault(0x96000006, RETURN)).outcome is Outcome.FAULT


def test_the_call_that_stands_at_the_return_address_is_the_return() -> None:
    plan = _plan(return_va=BASE + 8)
    assert _read(_raw(BASE + 12, esr=SMC | RETURN_IMMEDIATE), plan).outcome is Outcome.RETURNED
    assert _read(_raw(BASE + 16, esr=SMC | RETURN_IMMEDIATE), plan).outcome is Outcome.UNKNOWN


def test_running_into_what_is_not_known_is_unknown() -> None:
    for raw in (_fault(0x02000000, BASE + 4), _raw(BASE + 8, esr=SMC | 0x5001)):
        ending = _read(raw)
        assert ending.outcome is Outcome.UNKNOWN
        assert f"went to {BASE + 4:#x}" in ending.reason


def test_an_undefined_instruction_of_the_job_is_a_fault() -> None:
    assert _read(_fault(0x02000000, BASE)).outcome is Outcome.FAULT


@pytest.mark.parametrize(
    ("raw", "outcome", "word"),
    [
        (_raw(BASE + 4, esr=SMC | 7), Outcome.UNKNOWN, "smc #0x7"),
        (_raw(BASE, reason=REASON_STOPPED), Outcome.LIMIT, "still running"),
        (_raw(BASE, esr=0x18 << 26), Outcome.UNKNOWN, "EL3"),
        (_raw(BASE, reason=3), Outcome.UNKNOWN, "EL3"),
        (_raw(VECTORS + 4), Outcome.UNKNOWN, "page of the harness"),
        (_fault(0x56000000, 0x80)._replace(elr_el3=VECTORS + 0x400 + 4), Outcome.UNKNOWN, "lower"),
    ],
    ids=["smc", "stopped", "trap", "other", "vectors", "lower"],
)
def test_other_ends(raw: RawResult, outcome: Outcome, word: str) -> None:
    ending = _read(raw)
    assert ending.outcome is outcome
    assert word in ending.reason


def test_a_job_stopped_at_a_vector_had_its_fault() -> None:
    raw = _fault(0x86000004, BASE)
    at_vector = raw._replace(elr_el3=raw.elr_el3 - 4, reason=REASON_STOPPED, esr_el3=0)
    assert _read(at_vector)[:4] == _read(raw)[:4]
    inside = raw._replace(elr_el3=raw.elr_el3 + 4, reason=REASON_STOPPED)
    assert _read(inside).outcome is Outcome.LIMIT


def _merge(*raws: RawResult, plan: Plan | None = None) -> Mapping[str, object]:
    plan = plan or _plan()
    return merge_endings(plan, [read_ending(raw, plan, VECTORS) for raw in raws])._asdict()


def test_what_the_runs_agree_on_is_known() -> None:
    seen = _merge(
        _fault(0x96000004, BASE, mark=1, x0=5, far_el2=9, spsr_el2=0x800003C9),
        _fault(0x96000004, BASE, mark=2, x0=6, far_el2=9, spsr_el2=0x200003C9),
    )
    assert seen["outcome"] is Outcome.FAULT
    assert (seen["pc"], seen["esr"], seen["far"]) == (BASE, 0x96000004, 9)
    assert seen["pstate_known"] == 0xFFFF_FFFF & ~0xA0000000
    registers = seen["registers"]
    assert isinstance(registers, dict)
    assert (registers["x0"], registers["x1"], registers["sp"]) == (None, 1, 0x77)


def test_an_address_that_follows_an_unknown_value_is_unknown() -> None:
    seen = _merge(_fault(0x96000004, BASE, far_el2=9), _fault(0x96000004, BASE, far_el2=10))
    assert (seen["outcome"], seen["far"]) == (Outcome.FAULT, None)


def test_runs_that_part_depend_on_an_unknown_value() -> None:
    for other in (_fault(0x96000004, BASE + 4), _fault(0x86000004, BASE), _raw(BASE, reason=2)):
        seen = _merge(_fault(0x96000004, BASE), other)
        assert seen["outcome"] is Outcome.UNKNOWN
        assert "depends on a value that is not known" in str(seen["reason"])
        assert seen["pc"] is None


def test_addresses_that_the_exception_left_alone_are_not_given() -> None:
    seen = _merge(_fault(0xF2000800, BASE))
    assert (seen["far"], seen["hpfar"]) == (None, None)
    given = _merge(_fault(0xF2000800, BASE), plan=_plan(system={"HPFAR_EL2": MARK}))
    assert (given["far"], given["hpfar"]) == (None, MARK)


def test_system_registers_that_were_written() -> None:
    seen = _merge(
        _fault(0xF2000800, BASE, mark=0, vtcr_el2=0, tpidr_el2=3, vttbr_el2=5),
        _fault(0xF2000800, BASE, mark=1, vtcr_el2=0, tpidr_el2=3, vttbr_el2=6),
    )
    assert seen["system"] == {"vtcr_el2": 0, "tpidr_el2": 3, "vttbr_el2": None}


def test_an_end_without_values() -> None:
    seen = merge_endings(_plan(), [Ending(Outcome.LIMIT, "deadline")])
    assert (seen.outcome, seen.pc, seen.registers, seen.pstate_known) == (
        Outcome.LIMIT,
        None,
        {},
        0,
    )


def test_a_job_that_was_not_run() -> None:
    seen = not_run(_plan().job, "no model")
    assert (seen.job, seen.engine, seen.outcome, seen.reason) == (
        "j",
        "qemu",
        Outcome.UNKNOWN,
        "no model",
    )
