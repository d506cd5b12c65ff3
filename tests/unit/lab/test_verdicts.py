import pytest
from msgspec.structs import replace

from whypanic.crashlog.read import read_log
from whypanic.lab.modes import Proof
from whypanic.lab.sampling import Motion
from whypanic.lab.verdicts import Evidence, describe, judge, verdict_of_report, worst_report
from whypanic.lab.watch import End
from whypanic.model.lab import CpuSample, ExceptionRecord, GuestResult, LabVerdict
from whypanic.model.report import LogReport

PASSED = GuestResult(passed=7, failed=0, skipped=0)
FAILED = GuestResult(passed=5, failed=2, skipped=0, failures=("guest-fp: wrong", "two"))
PROVED = Proof(True, "kvm [1]: VHE mode initialized successfully")
WRONG = Proof(False, "kvm [1]: Hyp mode initialized successfully")
FINE = Evidence(End.POWER_OFF, PROVED, "vhe", guest=PASSED, done=True, n_console_bytes=9000)
SAMPLE = CpuSample(cpu=0, pc=0x40DC2784, el=2, symbol="__kvm_nvhe_some+0x4")
FAULT = ExceptionRecord(
    kind="Data Abort", from_el=2, to_el=2, esr=0x96000004, far=0x10, elr=0x40DC2700, symbol="some"
)

PANIC = """\
[    1.000000] Kernel panic - not syncing: nothing to do
[    1.000001] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.7 #1
[    1.000002] Call trace:
[    1.000003]  panic+0x188/0x33c
[    1.000004]  worker_of_ours+0x10/0x20
[    1.000005] ---[ end Kernel panic - not syncing: nothing to do ]---
"""
OOPS = """\
[    2.000000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018
[    2.000001] Mem abort info:
[    2.000002]   ESR = 0x0000000096000004
[    2.000003] Internal error: Oops: 0000000096000004 [#1] SMP
[    2.000004] CPU: 0 PID: 7 Comm: worker Not tainted 6.1.7 #1
[    2.000005] pc : turn_wheel+0x18/0x40
[    2.000006] lr : drive+0x20/0x60
[    2.000007] x1 : 0000000000000000 x0 : 0000000000000000
[    2.000008] Call trace:
[    2.000009]  turn_wheel+0x18/0x40
[    2.000010]  drive+0x20/0x60
[    2.000011] ---[ end trace 0000000000000000 ]---
"""
WARNING = """\
[    3.000000] ------------[ cut here ]------------
[    3.000001] WARNING: CPU: 0 PID: 1 at drivers/wheel/wheel.c:77 check_wheel+0x20/0x30
[    3.000002] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.7 #1
[    3.000003] pc : check_wheel+0x20/0x30
[    3.000004] Call trace:
[    3.000005]  check_wheel+0x20/0x30
[    3.000006] ---[ end trace 0000000000000000 ]---
"""
STALL = """\
[   25.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [worker:7]
[   25.000001] CPU: 0 PID: 7 Comm: worker Not tainted 6.1.7 #1
[   25.000002] pc : wait_for_wheel+0x18/0x40
[   25.000003] Call trace:
[   25.000004]  wait_for_wheel+0x18/0x40
"""
HYP = """\
[    4.000000] kvm [71]: nVHE hyp panic at: [<ffff800008a01234>] __kvm_nvhe_turn_vcpu+0x14/0x80!
[    4.000001] Kernel panic - not syncing: HYP panic:
[    4.000002] PS:600003c9 PC:0000b02108a01234 ESR:0000000096000005
[    4.000003] FAR:0000000000001234 HPFAR:0000000000000000 PAR:0000000000000000
[    4.000004] VCPU:ffff00000412c000
[    4.000005] CPU: 0 PID: 71 Comm: init Not tainted 6.1.7 #1
"""


def _reports(text: str) -> tuple[LogReport, ...]:
    return read_log(text.encode()).reports


def test_a_boot_that_did_all_it_should() -> None:
    assert judge(FINE) == (LabVerdict.OK, PROVED.words)
    untold = judge(FINE._replace(proof=Proof(None)))
    assert untold == (LabVerdict.OK, "nothing on the console tells the mode")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (PANIC, LabVerdict.PANIC),
        (OOPS, LabVerdict.OOPS),
        (WARNING, LabVerdict.WARNING),
        (STALL, LabVerdict.STALL),
        (HYP, LabVerdict.HYP_PANIC),
    ],
)
def test_reports_and_their_verdicts(text: str, verdict: LabVerdict) -> None:
    reports = _reports(text)
    assert [verdict_of_report(r) for r in reports] == [verdict]
    for end in (End.RESET, End.PANIC_TEXT, End.DEADLINE, End.SILENT, End.FLOOD):
        assert judge(FINE._replace(end=end, reports=reports)).verdict is verdict, end
    assert judge(FINE._replace(reports=reports)).verdict is verdict


def test_the_gravest_report_counts_by_the_one_it_follows_from() -> None:
    worst = worst_report(_reports(WARNING + OOPS + PANIC))
    assert worst is not None
    assert worst.verdict is LabVerdict.PANIC
    root = _reports(OOPS)[0]
    death = replace(_reports(PANIC)[0], follows=0)
    assert worst_report((root, death)) == (LabVerdict.PANIC, root.title)
    assert worst_report(()) is None


def test_a_wrong_mode_counts_before_failures_and_after_deaths() -> None:
    wrong = FINE._replace(proof=WRONG, guest=FAILED)
    assert judge(wrong) == (
        LabVerdict.WRONG_MODE,
        f"asked for vhe, and the console says: {WRONG.words}",
    )
    assert judge(wrong._replace(reports=_reports(WARNING))).verdict is LabVerdict.WRONG_MODE
    assert judge(wrong._replace(reports=_reports(OOPS))).verdict is LabVerdict.OOPS


def test_failed_tests_count_before_warnings() -> None:
    failed = FINE._replace(guest=FAILED, reports=_reports(WARNING))
    assert judge(failed) == (LabVerdict.KVM_FAIL, "guest-fp: wrong")


def test_a_power_off_that_init_did_not_announce() -> None:
    verdict, reason = judge(FINE._replace(done=False, guest=None, running="guest-mmio"))
    assert verdict is LabVerdict.KVM_FAIL
    assert reason == (
        "the power went off while test guest-mmio ran, and init had not said that it was done"
    )


def test_ends_without_a_word_of_the_kernel() -> None:
    for end, verdict in (
        (End.RESET, LabVerdict.RESET_LOOP),
        (End.PANICKED, LabVerdict.PANIC),
        (End.PANIC_TEXT, LabVerdict.PANIC),
        (End.FLOOD, LabVerdict.SLOW),
        (End.DEADLINE, LabVerdict.SLOW),
        (End.SILENT, LabVerdict.SILENT_HANG),
    ):
        assert judge(FINE._replace(end=end)).verdict is verdict, end


def test_a_hang_says_where() -> None:
    hang = FINE._replace(
        end=End.SILENT, quiet_s=3.04, samples=(SAMPLE,), motions={0: Motion.STUCK}, running="fp"
    )
    words = "CPU 0 stands still at EL2, PC 0x40dc2784 (__kvm_nvhe_some+0x4)"
    assert judge(hang) == (LabVerdict.SILENT_HANG, f"no output for 3.0 s in test fp, {words}")
    fault = "Data Abort from EL2 to EL2, ESR 0x96000004, FAR 0x10, ELR 0x40dc2700 (some)"
    assert describe(FAULT) == fault
    assert judge(hang._replace(exceptions=(FAULT,))).reason.endswith(
        f"{words}, the last fault there: {fault}"
    )
    elsewhere = replace(FAULT, from_el=1, to_el=1)
    assert judge(hang._replace(exceptions=(elsewhere,))).reason.endswith(words)


def test_a_hang_after_a_warning_is_a_hang_too() -> None:
    hang = FINE._replace(end=End.SILENT, quiet_s=3.0, samples=(SAMPLE,), motions={0: Motion.STUCK})
    verdict, reason = judge(hang._replace(reports=_reports(STALL)))
    assert verdict is LabVerdict.STALL
    assert "; then no output for 3.0 s" in reason


def test_no_byte_at_all() -> None:
    silent = FINE._replace(end=End.SILENT, quiet_s=3.0, n_console_bytes=0)
    assert judge(silent) == (LabVerdict.NO_EARLY_OUTPUT, "no output at all for 3.0 s")
    late = FINE._replace(end=End.DEADLINE, deadline_s=60, n_console_bytes=0)
    assert judge(late) == (LabVerdict.NO_EARLY_OUTPUT, "no output within 60 s")


@pytest.mark.parametrize(
    ("motion", "quiet_s", "busy_s", "verdict"),
    [
        (Motion.WAITING, 12.0, 0.0, LabVerdict.SILENT_HANG),
        (Motion.WAITING, 7.0, 0.0, LabVerdict.SLOW),
        (Motion.STUCK, 3.5, 3.0, LabVerdict.SILENT_HANG),
        (Motion.STUCK, 3.5, 0.1, LabVerdict.SLOW),
        (Motion.STUCK, 0.1, 0.1, LabVerdict.SLOW),
        (Motion.LOOPING, 5.0, 5.0, LabVerdict.SLOW),
        (Motion.MOVING, 30.0, 30.0, LabVerdict.SLOW),
    ],
)
def test_at_the_deadline_a_hang_needs_its_silence(
    motion: Motion, quiet_s: float, busy_s: float, verdict: LabVerdict
) -> None:
    late = FINE._replace(end=End.DEADLINE, deadline_s=40.0, samples=(SAMPLE,))
    late = late._replace(quiet_s=quiet_s, busy_s=busy_s)
    assert judge(late._replace(motions={0: motion})).verdict is verdict


def test_a_deadline_claims_no_progress_that_nobody_saw() -> None:
    late = FINE._replace(end=End.DEADLINE, deadline_s=8.0, samples=(SAMPLE,), quiet_s=0.2)
    assert judge(late).reason == "not at its end after 8 s: no output for 0.2 s"


def test_a_storm_is_told_by_its_first_exception() -> None:
    storm = FINE._replace(
        end=End.STORM, n_exceptions=9000, quiet_s=0.3, exceptions=(FAULT, replace(FAULT, elr=0x200))
    )
    assert judge(storm) == (
        LabVerdict.EXCEPTION_STORM,
        f"9000 exceptions and no output for 0.3 s; the first: {describe(FAULT)}",
    )
    assert judge(storm._replace(reports=_reports(WARNING))).verdict is LabVerdict.EXCEPTION_STORM
    assert judge(storm._replace(reports=_reports(HYP))).verdict is LabVerdict.HYP_PANIC


def test_a_qemu_that_died_is_not_the_kernels_fault() -> None:
    died = Evidence(End.DIED, Proof(None), "vhe", complaint="no such CPU")
    assert judge(died) == (LabVerdict.INFRASTRUCTURE, "no such CPU")
    assert judge(died._replace(reports=_reports(WARNING))).verdict is LabVerdict.INFRASTRUCTURE
    assert judge(died._replace(reports=_reports(PANIC))).verdict is LabVerdict.PANIC


@pytest.mark.parametrize("end", [End.RESET, End.DEADLINE, End.FLOOD])
def test_what_was_survived_does_not_hide_how_it_ended(end: End) -> None:
    verdict, reason = judge(FINE._replace(end=end, reports=_reports(WARNING)))
    assert verdict is LabVerdict.WARNING
    assert "; then " in reason
