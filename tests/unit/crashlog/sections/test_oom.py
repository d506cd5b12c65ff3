"""Lines before a panic for want of memory or of a root file system."""

from builders.log_lines import fact, reports
from whypanic.model.fault import Detail, PanicMessage
from whypanic.model.kinds import Kind
from whypanic.model.progress import OomKill, OomVictim, RootDevice

OOM = """[   90.1] eater invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=2, oom_score_adj=0
[   90.1] CPU: 1 PID: 620 Comm: eater Not tainted 6.6.30 #4
[   90.1] Call trace:
[   90.1]  dump_backtrace+0x94/0x114
[   90.1]  dump_header+0x44/0x1f0
[   90.1]  out_of_memory+0xe8/0x350
[   90.1] Mem-Info:
"""
NO_ROOT = '[    2.1] VFS: Cannot open root device "nfs" or unknown-block(0,255): error -110\n'


def test_kill_and_victim() -> None:
    kill = fact(OOM.splitlines()[0].partition("] ")[2], OomKill)
    assert (kill.comm, kill.order) == ("eater", 2)
    text = "Out of memory: Killed process 620 (eater x) total-vm:98kB, anon-rss:91kB, file-rss:0kB"
    victim = fact(text, OomVictim)
    assert (victim.pid, victim.comm, victim.anon_kib) == (620, "eater x", 91)


def test_old_victim() -> None:
    assert fact("Killed process 620 (eater) total-vm:98kB, anon-rss:91kB", OomVictim).pid == 620


def test_root_device() -> None:
    device = fact(NO_ROOT.partition("] ")[2], RootDevice)
    assert (device.device, device.block, device.error) == ("nfs", "unknown-block(0,255)", -110)


def test_request_for_a_crash() -> None:
    for text in (
        "sysrq: Trigger a crash",
        "sysrq: SysRq : Trigger a crash",
        "SysRq : Trigger a crash",
    ):
        assert fact(text, Detail).name == "sysrq"


def test_a_kill_is_no_report() -> None:
    assert reports(OOM + "[   90.1] Out of memory: Killed process 620 (eater)\n") == ()


def test_a_device_that_cannot_be_opened_is_no_report() -> None:
    assert reports(NO_ROOT) == ()


def test_the_panic_takes_what_stands_before_it() -> None:
    panic = "Kernel panic - not syncing: System is deadlocked on memory"
    (report,) = reports(f"{OOM}[   90.2] {panic}\n")
    assert report.kind is Kind.PANIC
    assert report.title == "panic: System is deadlocked on memory"
    assert report.span.first_line == 1


def test_another_panic_does_not() -> None:
    (report,) = reports(f"{OOM}[   99.2] Kernel panic - not syncing: gadget: lost\n")
    assert report.span.first_line == 8
    assert [f.message for f in report.facts if isinstance(f, PanicMessage)] == ["gadget: lost"]


def test_an_oops_behind_a_kill_is_its_own_report() -> None:
    (report,) = reports(
        OOM
        + "[   99.2] Internal error: Oops: 0000000096000004 [#1] SMP\n[   99.2] pc : foo+0x4/0x20\n"
    )
    assert report.span.first_line == 8
