import pytest

from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.wrapping import BROKEN, WRAPPED


def texts(data: str) -> list[str]:
    return [line.text for line in read_lines(data.encode()).lines]


def test_a_mark_for_lines_left_out_is_no_rest_of_a_line() -> None:
    data = "> [    4.100000] BUG: KCSAN: data-race in frob / quux\n[...]\n> [    4.100001] x"
    assert texts(data)[1] == "[...]"


# fmt: off
WRAPS = [
    ("> > [    4.100000] Internal error: SP/PC alignment exception: 8a000000\n> [#1] SMP",
     "Internal error: SP/PC alignment exception: 8a000000 [#1] SMP"),
    ("Unable to handle kernel paging request at virtual\naddress ffff800012345678",
     "Unable to handle kernel paging request at virtual address ffff800012345678"),
    ("> > [    4.100000] pstate: 60000005 (nZCv daif -PAN -UAO -TCO -DIT -SSBS\n> BTYPE=--)",
     "pstate: 60000005 (nZCv daif -PAN -UAO -TCO -DIT -SSBS BTYPE=--)"),
    ("> x29: ffff80000a24b680 x28: 0000000000000000 x27:\n> ffff80000a24c00c",
     "x29: ffff80000a24b680 x28: 0000000000000000 x27: ffff80000a24c00c"),
    ("CPU: 1 UID: 0 PID: 1 Comm: init Tainted: G   M      6.19.0-\nrc4-arm64-frob #62 NONE",
     "CPU: 1 UID: 0 PID: 1 Comm: init Tainted: G   M      6.19.0-rc4-arm64-frob #62 NONE"),
    ("[    4.100000] CPU: 0 PID: 9 Comm: kworker/u8:0 Not tainted\n6.2.0-rc3 #1",
     "CPU: 0 PID: 9 Comm: kworker/u8:0 Not tainted 6.2.0-rc3 #1"),
    ("[    4.100000] Modules linked in: frob(+) 8021q\nbaz_core quux(OE)\nlast_one [last unloaded: zip]",
     "Modules linked in: frob(+) 8021q baz_core quux(OE) last_one [last unloaded: zip]"),
    ("[    4.100000] pc : frob_start+0x10/0x20\n[frob]",
     "pc : frob_start+0x10/0x20 [frob]"),
    ("swapper pgtable: 4k pages, 48-bit VAs,\npgdp=0000000081234000",
     "swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000081234000"),
    ("[ffff800012345678] pgd=1000000000000003, p4d=1000000000000003,\npud=1000000000000003, pmd=0",
     "[ffff800012345678] pgd=1000000000000003, p4d=1000000000000003, pud=1000000000000003, pmd=0"),
    ("> 24: 52800509 mov w9, #0x28\n> // #40", "24: 52800509 mov w9, #0x28 // #40"),
    ("> 10: 54000188 b.hi 40\n> <frob+0x40>", "10: 54000188 b.hi 40 <frob+0x40>"),
    ("EC = 0x25: DABT (current EL), IL = 32\nbits", "EC = 0x25: DABT (current EL), IL = 32 bits"),
    ("Kernel panic - not syncing: Attempted to kill init!\nexitcode=0x0000000b",
     "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"),
    ("[    4.100000] BUG: KASAN: invalid-access in\nfrob_start+0x10/0x20",
     "BUG: KASAN: invalid-access in frob_start+0x10/0x20"),
    ("PS:800003c9 PC:ffff000008a00000\nESR:86000004", "PS:800003c9 PC:ffff000008a00000 ESR:86000004"),
    ("BUG: Unable to handle kernel paging request at virtual address\nffff8000123456e3",
     "BUG: Unable to handle kernel paging request at virtual address ffff8000123456e3"),
    ("pc : [<ffffff8008428194>] lr : [<ffffff8008428254>]\npstate: a0400145",
     "pc : [<ffffff8008428194>] lr : [<ffffff8008428254>] pstate: a0400145"),
    ("Task stack:\n[0xffff800012b18000..0xffff800012b1c000]",
     "Task stack: [0xffff800012b18000..0xffff800012b1c000]"),
    ("KASAN: null-ptr-deref in range\n[0x0000000000000028-0x000000000000002f]",
     "KASAN: null-ptr-deref in range [0x0000000000000028-0x000000000000002f]"),
    ("Process frobd (pid: 267, stack limit =\n0xffffffc008fdd000)",
     "Process frobd (pid: 267, stack limit = 0xffffffc008fdd000)"),
    ("Kernel BUG at frob_find+0x6c/0xf0 [verbose debug\ninfo unavailable]",
     "Kernel BUG at frob_find+0x6c/0xf0 [verbose debug info unavailable]"),
]
# fmt: on


@pytest.mark.parametrize(("data", "whole"), WRAPS)
def test_wrapped(data: str, whole: str) -> None:
    reading = read_lines(data.encode())
    (line,) = reading.lines
    assert line.text == whole
    assert (line.number, line.last_number) == (1, data.count("\n") + 1)
    assert line.raw == data.encode()
    assert {damage.reason for damage in reading.damage} == {WRAPPED}


# fmt: off
APART = [
    # line ends inside one message
    "Kernel panic - not syncing: HYP panic:\nPS:800003c9 PC:ffff000008a00000 ESR:86000004\n"
    "FAR:ffff000008a00000 HPFAR:0000000000000000 PAR:0000000000000000\nVCPU:0000000000000000",
    "[    4.1] Kernel panic - not syncing: HYP panic:\n[    4.1] PS:800003c9 PC:0 ESR:86000004",
    "---[ end Kernel panic - not syncing: HYP panic:\nPS:800003c9 PC:0 ESR:0\nVCPU:0 ]---",
    # one register a line
    "x29: ffff80000a24b680\nx28: 0000000000000000",
    # prose behind a log
    "> [    4.100000] CPU: 0 PID: 1 Comm: init Not tainted 5.4.0 #1\nThis happens on 5.4 too.",
    "> [    4.100000] Call trace:\nNice!",
    "[    4.100000] Modules linked in: frob\nthe machine then hangs",
    # whole lines
    "CPU: 0 PID: 1 Comm: init\nHardware name: frob 1.0",
    "Internal error: Oops: 96000004\nModules linked in: frob",
    "pgd = ffff000000000000\n[0000000000000018] *pgd=0000000000000000",
    "[    4.100000]  frob+0x10/0x20\n baz+0x10/0x20",
    "kvm [1]: nVHE hyp panic at\nKernel panic - not syncing: Attempted to kill init!",
]
# fmt: on


@pytest.mark.parametrize("data", APART)
def test_apart(data: str) -> None:
    assert len(texts(data)) == data.count("\n") + 1


def test_broken_by_the_console() -> None:
    data = (
        "[    1.000001] [0000000000000018] *pgd=0000000081234003\n"
        "[    1.000002] , *pud=0000000081235003\n"
        "[    1.000003] , *pmd=0000000000000000\n"
        "[    1.000004] Internal error: Oops: 96000046 [#1] SMP\n"
    )
    reading = read_lines(data.encode())
    assert reading.lines[0].text == (
        "[0000000000000018] *pgd=0000000081234003, *pud=0000000081235003, *pmd=0000000000000000"
    )
    assert (len(reading.lines), {damage.reason for damage in reading.damage}) == (2, {BROKEN})


def test_word_that_did_not_fit() -> None:
    data = (
        "[    1.000001] frob f8000000.frob: searching for the missing legacy widget\n"
        "controller\n"
        "[    1.000002] frob ready\n"
    )
    assert texts(data) == [
        "frob f8000000.frob: searching for the missing legacy widget controller",
        "frob ready",
    ]


def test_short_line_does_not_take_the_next() -> None:
    assert len(texts("[    1.000001] frob ready\ncontroller\n[    1.000002] baz ready\n")) == 3


def test_no_width_rule_where_long_lines_survive() -> None:
    data = (
        "[    1.000000] " + "word " * 40 + "\n"
        "[    1.000001] frob f8000000.frob: searching for the missing legacy widget\n"
        "controller\n"
        "[    1.000002] frob ready\n"
    )
    assert "controller" in texts(data)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("SError Interrupt on CPU2, code", "0x00000000be000011 -- SError"),
        ("Bad mode in Synchronous Abort handler detected on CPU1, code", "0x34000003 -- BTI"),
        ("Unhandled 64-bit el1h sync exception on", "CPU3, ESR 0x000000005e000000 -- SMC"),
        ("INFO: task widget:71 blocked for more than 120", "seconds."),
        ("INFO: task widget:71", "blocked for more than 120 seconds."),
        ("UBSAN: array-index-out-of-bounds in", "drivers/widget/widget.c:97:12"),
        ("watchdog: BUG: soft lockup - CPU#3 stuck", "for 26s! [widget:71]"),
        ("watchdog: BUG: soft lockup - CPU#3 stuck for 26s!", "[widget:71]"),
        ("rcu: INFO: rcu_preempt detected", "stalls on CPUs/tasks:"),
    ],
)
def test_first_lines_of_reports_are_put_together(first: str, second: str) -> None:
    (line,) = read_lines(f"{first}\n{second}\n".encode()).lines
    assert line.text == f"{first} {second}"
