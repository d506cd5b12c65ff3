"""What the rules for silent boots read of the facts."""

from builders.boots import BANNER, OWN_FAULT, boot_result, stuck
from whypanic.app.lab_diagnosis import explain_boot
from whypanic.causes.case import CaseView
from whypanic.causes.hangs import (
    busy_cpus,
    kernel_at_el2,
    measured,
    repeated,
    watched_storm,
)
from whypanic.model.claims import Strength
from whypanic.model.lab import BootResult, CpuSample, ExceptionRecord, LabVerdict
from whypanic.model.lab_facts import BootWatched


def case_of(result: BootResult) -> CaseView:
    found = explain_boot(result, BANNER.encode())
    assert found is not None
    return found.explained.case


def test_busy_is_neither_waiting_nor_looked_at_once() -> None:
    samples = (
        stuck("loop", pc=0x1000),
        CpuSample(cpu=1, pc=0x2000, el=1, motion="waits for an interrupt", halted=True),
        CpuSample(cpu=2, pc=0x3000, el=1),
        CpuSample(cpu=3, pc=0x4000, el=1, motion="goes round in a small loop"),
    )
    case = case_of(boot_result(LabVerdict.SILENT_HANG, samples=samples))
    assert [cpu.cpu for cpu in busy_cpus(case)] == [0, 3]


def test_kernel_runs_at_el2_with_vhe_only() -> None:
    for mode, whole in (("vhe", True), ("nvhe", False), ("kvm-off", True), ("protected", False)):
        case = case_of(boot_result(LabVerdict.SILENT_HANG, mode=mode))
        assert (kernel_at_el2(case) is not None) is whole, mode


def test_storm_and_what_repeats() -> None:
    records = (OWN_FAULT, OWN_FAULT, OWN_FAULT)
    storm = case_of(boot_result(LabVerdict.EXCEPTION_STORM, exceptions=records))
    assert watched_storm(storm) is not None
    again = repeated(storm)
    assert again is not None
    assert again.n_times == 3
    silent = case_of(boot_result(LabVerdict.SILENT_HANG, exceptions=records[:1]))
    assert watched_storm(silent) is None
    assert repeated(silent) is None


def test_a_measurement_proves_only_what_has_no_further_cause() -> None:
    for exceptions, strength in (
        ((), Strength.EXECUTED),
        ((OWN_FAULT,), Strength.DISCRIMINATING),
    ):
        case = case_of(boot_result(LabVerdict.SILENT_HANG, exceptions=exceptions))
        claim = measured(case, "it stands", case.one(BootWatched))
        assert claim.strength is strength


def test_what_repeats_is_what_the_end_shows() -> None:
    def taken(kind: str, elr: int) -> ExceptionRecord:
        return ExceptionRecord(kind=kind, from_el=1, to_el=1, elr=elr)

    first, last = taken("Undefined Instruction", 0x1000), taken("Prefetch Abort", 0x200)
    others = (taken("Breakpoint", 0x10), taken("Data Abort", 0x20)) * 9
    case = case_of(
        boot_result(LabVerdict.EXCEPTION_STORM, exceptions=(first,) * 2 + others + (last,) * 20)
    )
    again = repeated(case)
    assert again is not None
    assert (again.elr, again.n_times) == (0x200, 20)
    case = case_of(boot_result(LabVerdict.EXCEPTION_STORM, exceptions=(first,) * 2 + others))
    assert repeated(case) is None
