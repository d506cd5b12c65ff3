"""Which report is a consequence of which."""

from whypanic.crashlog.read import read_log

OOPS = """\
[    5.100000] Internal error: Oops: 0000000096000006 [#{n}] SMP
[    5.100000] CPU: 1 PID: {pid} Comm: probe {taint} {release} #1
[    5.100000] pc : gadget{n}+0x10/0x40
[    5.100000] Call trace:
[    5.100000]  gadget{n}+0x10/0x40
[    5.100000] Code: d503201f d503201f d503201f d503201f (f9400000)
[    5.100000] ---[ end trace 0000000000000000 ]---
"""
CLEAN, DEAD = "Not tainted", "Tainted: G      D   "
BOOT = "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd034]\n"
WARN = """\
[    9.000000] ------------[ cut here ]------------
[    9.000000] WARNING: CPU: 0 PID: 9 at kernel/exit.c:900 widget+0x10/0x40
[    9.000000] CPU: 0 PID: 9 Comm: probe {taint} 6.1.9 #1
[    9.000000] pc : widget+0x10/0x40
[    9.000000] Call trace:
[    9.000000]  widget+0x10/0x40
[    9.000000] ---[ end trace 0000000000000000 ]---
"""


def oops(n: int = 1, taint: str = CLEAN, release: str = "6.1.9", pid: int = 77) -> str:
    return OOPS.format(n=n, taint=taint, release=release, pid=pid)


def follows(text: str) -> list[int | None]:
    return [r.follows for r in read_log(text.encode()).reports]


def test_counted_oopses() -> None:
    assert follows(oops(1) + oops(2, DEAD) + oops(3, DEAD)) == [None, 0, 1]


def test_taint_d_without_a_count() -> None:
    assert follows(oops(1) + WARN.format(taint=DEAD)) == [None, 0]
    assert follows(oops(1) + WARN.format(taint=CLEAN)) == [None, None]


def test_the_first_is_not_in_the_text() -> None:
    assert follows(oops(2, DEAD)) == [None]


def test_another_boot_and_another_kernel() -> None:
    assert follows(oops(1) + BOOT + oops(2, DEAD)) == [None, None]
    assert follows(oops(1) + oops(2, DEAD, release="6.6.30")) == [None, None]


def test_an_earlier_stamp_is_no_consequence() -> None:
    assert follows(oops(1) + oops(2, DEAD).replace("    5.1", "    4.1")) == [None, None]


def test_the_count_goes_up() -> None:
    assert follows(oops(3, DEAD) + oops(2, DEAD)) == [None, None]


def test_a_panic_far_behind_its_oops() -> None:
    gap = "".join(f"[    6.{n:06}] usb 1-1: reset high-speed USB device\n" for n in range(300))
    panic = (
        "[    7.000000] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
        "[    7.000000] CPU: 1 PID: {pid} Comm: init Not tainted 6.1.9 #1\n"
    )
    assert follows(oops(1, pid=1) + gap + panic.format(pid=1)) == [None, 0]
