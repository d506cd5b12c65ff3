"""Traps of real crash text, one or more tests each; the number is that of the catalogue of formats, 1 to 15."""

# Long because one test or more for each of fifteen traps, with its log.

import pytest

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.read import read_log
from whypanic.model.code import CodeLine
from whypanic.model.context import KernelVersion, Modules, Task
from whypanic.model.fault import FaultAddress, PageWalk
from whypanic.model.kinds import Kind
from whypanic.model.registers import Register
from whypanic.model.report import LogReport
from whypanic.report.document import DocFrame, DocReport

OOPS = """\
[ 5.1] Internal error: Oops: 0000000096000006 [#1] SMP
[ 5.1] Modules linked in: gadget(O)
[ 5.1] CPU: 1 PID: 77 Comm: probe Not tainted 6.1.9 #1
[ 5.1] pstate: 60400009 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
"""


def documents(text: str) -> list[DocReport]:
    return build_document([explain_input(RawInput("log", text.encode()))]).reports


def document(text: str) -> DocReport:
    (report,) = documents(text)
    return report


def report_of(text: str) -> LogReport:
    (report,) = read_log(text.encode()).reports
    return report


def frame(text: str, symbol: str) -> DocFrame:
    return next(f for f in document(text).frames if f.symbol == symbol)


def evidence(report: DocReport, name: str) -> list[str]:
    return [e.text for e in report.evidence if e.name == name]


# 1: the function after a call that does not return -------------------------------------------------

NORETURN = """\
[ 9.1] SError Interrupt on CPU1, code 0x00000000be000011 -- SError
[ 9.1] CPU: 1 PID: 1 Comm: init Not tainted 6.19.0 #1
[ 9.1] pstate: 80400005 (Nzcv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
[ 9.1] pc : gadget_write+0x14/0x58
[ 9.1] lr : gadget_send+0x40/0x90
[ 9.1] Kernel panic - not syncing: Asynchronous SError Interrupt
[ 9.1] Call trace:
[ 9.1]  show_stack+0x18/0x24 (C)
[ 9.1]  dump_stack+0x18/0x24
[ 9.1]  vpanic+0x314/0x35c
[ 9.1]  nmi_panic+0x0/0x64
[ 9.1]  add_taint+0x0/0xbc
[ 9.1]  arm64_serror_panic+0x70/0x80
[ 9.1]  do_serror+0x28/0x68
[ 9.1]  el1h_64_error_handler+0x34/0x50
[ 9.1]  el1h_64_error+0x6c/0x70
[ 9.1]  gadget_write+0x14/0x58 (P)
[ 9.1]  gadget_send+0x40/0x90
"""


def test_trap_01_offset_zero_below_the_top_is_the_next_function() -> None:
    found = frame(NORETURN, "nmi_panic")
    assert found.lookup == "call-site"
    assert found.note is not None
    assert "the function before it" in found.note
    assert frame(NORETURN, "vpanic").note is None


def test_trap_01_offset_zero_behind_an_exception_is_the_code_itself() -> None:
    text = NORETURN.replace("gadget_write+0x14/0x58", "gadget_write+0x0/0x58").replace(" (P)", "")
    found = frame(text, "gadget_write")
    assert (found.lookup, found.offset) == ("exact", 0)
    assert document(text).blame is not None
    assert document(text).blame.function == "gadget_write"  # type: ignore[union-attr]


HYP_PANIC = """\
[ 0.9] Kernel panic - not syncing: HYP panic:
[ 0.9] PS:800003c9 PC:0000d1f2010a4c30 ESR:86000006
[ 0.9] FAR:0000d1f2010a4c30 HPFAR:0000000000000000 PAR:0000000000000000
[ 0.9] VCPU:0000000000000000
[ 0.9] CPU: 2 PID: 1 Comm: swapper/0 Not tainted {release} #7
[ 0.9] Call trace:
[ 0.9]  dump_backtrace+0x0/0x1a8
[ 0.9]  show_stack+0x14/0x20
[ 0.9]  panic+0x118/0x280
[ 0.9]  panic+0x0/0x280
[ 0.9]  kvm_arch_init+0x1b8/0x6f0
"""


@pytest.mark.parametrize(
    ("release", "lookup"), [("4.19.71", "exact"), ("5.4.2", "exact"), ("5.15.9", "call-site")]
)
def test_trap_01_a_link_register_set_by_hand_is_no_call(release: str, lookup: str) -> None:
    frames = document(HYP_PANIC.format(release=release)).frames
    assert [f.lookup for f in frames if f.symbol == "panic"] == ["call-site", lookup]


def test_trap_01_past_the_end_is_the_same_with_the_right_name() -> None:
    text = f"""\
[ 0.8] kvm [3]: nVHE hyp panic at: [<ffff8000090a6570>] __kvm_nvhe_gadget+0x10/0x34!
[ 0.8] kvm [3]: nVHE call trace:
[ 0.8] kvm [3]:  [<ffff8000090a6570>] __kvm_nvhe_hyp_panic+0xac/0xf8
[ 0.8] kvm [3]:  [<ffff8000090a65cc>] __kvm_nvhe_hyp_panic_bad_stack+0x10/0x10
[ 0.8] kvm [3]: ---[ end nVHE call trace ]---
{HYP_PANIC.format(release="6.1.9")}"""
    found = frame(text, "__kvm_nvhe_hyp_panic_bad_stack")
    assert found.note is not None
    assert "behind the function's last byte" in found.note


# 2: reporting frames first --------------------------------------------------------------------------


def test_trap_02_the_frame_that_faulted_is_below_those_that_report() -> None:
    roles = [(f.symbol, f.role) for f in document(NORETURN).frames]
    assert roles[0] == ("show_stack", "reporting")
    assert ("arm64_serror_panic", "reporting") in roles
    assert roles[-2:] == [("gadget_write", "exception"), ("gadget_send", "call")]
    assert document(NORETURN).blame.function == "gadget_write"  # type: ignore[union-attr]


@pytest.mark.parametrize("mark", [" (P)", ""])
def test_trap_02_a_panic_trace_alone_begins_with_frames_that_report(mark: str) -> None:
    text = NORETURN[NORETURN.index("[ 9.1] Kernel") :].replace(" (P)", mark)
    assert document(text).blame.function == "gadget_write"  # type: ignore[union-attr]


# 3: pr_cont broken ----------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["", "[ 5.1] eth0: link is up\n"])
def test_trap_03_page_table_entries_on_lines_of_their_own(between: str) -> None:
    """Pieces that follow each other are rejoined; where another CPU printed between them each is read, and added to the walk."""
    text = f"""\
[ 5.1] Unable to handle kernel paging request at virtual address ffff000012345678
[ 5.1] swapper pgtable: 4k pages, 48-bit VAs, pgd = ffff000009a10000
[ 5.1] [ffff000012345678] *pgd=00000000beffe003
{between}[ 5.1] , *pud=00000000beffd003
{between}[ 5.1] , *pmd=0000000000000000
[ 5.1] Internal error: Oops: 96000006 [#1] SMP
[ 5.1] PC is at gadget_get+0x10/0x40
"""
    (walk,) = (f for f in report_of(text).facts if isinstance(f, PageWalk))
    assert [(e.name, e.value) for e in walk.entries] == [
        ("pgd", 0xBEFFE003),
        ("pud", 0xBEFFD003),
        ("pmd", 0),
    ]
    rejoined = "line printed in pieces, rejoined" in [d.reason for d in document(text).damage]
    assert rejoined is not bool(between)


def test_trap_03_registers_one_a_line() -> None:
    report = report_of(
        OOPS + "[ 5.1] pc : gadget+0x10/0x40\n[ 5.1] x29: ffff800012345670\n"
        "[ 5.1] x28: 0000000000000001\n[ 5.1] x27: 0000000000000002\n"
    )
    names = [f.name for f in report.facts if isinstance(f, Register)]
    assert names[-3:] == ["x29", "x28", "x27"]


# 4: wrapped by the mailer ---------------------------------------------------------------------------


def test_trap_04_a_wrapped_version_and_a_wrapped_register() -> None:
    report = report_of("""\
> Internal error: Oops: 0000000096000006 [#1] SMP
> CPU: 1 UID: 0 PID: 9 Comm: probe Tainted: G   M      6.19.0-
> rc4-arm64-gadget-00123-gabcdef #62 NONE
> pstate: 60400009 (nZCv daif +PAN -UAO -TCO -DIT -SSBS
> BTYPE=--)
> pc : gadget+0x10/0x40
> x29: ffff800012345670 x28: 0000000000000000 x27:
> 0000000000000123
""")
    version = next(f for f in report.facts if isinstance(f, KernelVersion))
    assert version.release == "6.19.0-rc4-arm64-gadget-00123-gabcdef"
    values = {f.name: f.value for f in report.facts if isinstance(f, Register)}
    assert values["x27"] == 0x123


# 5: no pgtable line ---------------------------------------------------------------------------------


def test_trap_05_an_address_between_the_ranges_has_no_pgtable_line() -> None:
    text = (
        "[ 5.1] Unable to handle kernel paging request at virtual address f0e31122a6ad1238\n"
        "[ 5.1] Mem abort info:\n[ 5.1]   ESR = 0x0000000096000004\n"
        "[ 5.1] [f0e31122a6ad1238] address between user and kernel address ranges\n" + OOPS
    )
    report = document(text)
    assert report.page_table is not None
    assert report.page_table.note.startswith("address between")
    assert report.causes[0].id == "non-canonical-pointer"


# 6: PC that is text ---------------------------------------------------------------------------------


def test_trap_06_a_pc_that_is_text() -> None:
    value = int.from_bytes(b"clk-main", "little")
    report = document(f"""\
[ 4.1] Internal error: SP/PC alignment exception: 8a000000 [#1] SMP
[ 4.1] CPU: 0 PID: 9 Comm: probe Not tainted 6.0.1 #1
[ 4.1] pc : {value:#x}
[ 4.1] lr : gadget_find+0x138/0x174
[ 4.1] x21: 0000000000000000 x20: fffffffffffffffe x19: fffffffffffffffe
""")
    assert report.registers["pc"] == hex(value)
    assert report.kind == "sp-pc-alignment"
    assert report.causes[0].id == "text-as-pointer"


# 7: `>` and `|` -------------------------------------------------------------------------------------

KASAN = """\
BUG: KASAN: slab-out-of-bounds in gadget_copy+0x44/0x90
Read of size 4 at addr ffff0000c2bb7104 by task probe/41
CPU: 1 PID: 41 Comm: probe Not tainted 6.1.9 #1
Call trace:
 gadget_copy+0x44/0x90
 gadget_read+0x10/0x20
Memory state around the buggy address:
 ffff0000c2bb7000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
>ffff0000c2bb7100: fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
                   ^
 ffff0000c2bb7180: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
"""


@pytest.mark.parametrize("quote", ["", "> ", "| ", ">> "])
def test_trap_07_the_row_marker_is_no_quote(quote: str) -> None:
    text = "".join(f"{quote}{line}\n" for line in KASAN.splitlines())
    report = report_of(text)
    assert report.kind is Kind.KASAN
    assert report.span.last_line == len(KASAN.splitlines())
    assert report.unparsed == ()
    lines = read_lines(text.encode()).lines
    (marked,) = (line for line in lines if line.text.startswith(">ffff0000c2bb7100:"))
    assert {line.quote for line in lines} == {marked.quote}


def test_trap_07_bars_inside_flags_are_no_quote() -> None:
    line = "[ 5.1] flags: 0x17ffffc0000200(slab|node=0|zone=2|lastcpupid=0x1fffff)\n"
    report = report_of(f"[ 5.1] BUG: Bad page state in process probe  pfn:10c2b\n{line}{OOPS}")
    assert "flags: 0x17ffffc0000200(slab|node=0|zone=2|lastcpupid=0x1fffff)" in [
        f.source.text for f in report.facts
    ]


# 8: lines of printk itself --------------------------------------------------------------------------


def test_trap_08_replayed_and_dropped_lines() -> None:
    text = f"""\
[ 5.1] Internal error: Oops: 00000000960000
** replaying previous printk message **
{OOPS}** 12 printk messages dropped **
[ 5.1] pc : gadget+0x10/0x40
"""
    report = document(text)
    assert report.syndrome is not None
    assert report.syndrome.esr == "0x96000006"
    assert any("dropped" in d.reason for d in report.damage)


# 9: snipped -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["...", "[ ... ]", "<snip>", "-- cut --"])
def test_trap_09_a_snip_does_not_end_the_report(mark: str) -> None:
    text = f"{OOPS}{mark}\n[ 5.1] pc : gadget+0x10/0x40\n[ 5.1] Code: d503201f (f9400000)\n"
    report = report_of(text)
    assert "lines left out by the author" in [d.reason for d in document(text).damage]
    assert any(isinstance(f, CodeLine) for f in report.facts)
    assert report.unparsed == ()


def test_trap_09_a_module_list_that_the_author_cut() -> None:
    report = report_of(OOPS.replace("gadget(O)", "...") + "[ 5.1] pc : gadget+0x10/0x40\n")
    (modules,) = (f for f in report.facts if isinstance(f, Modules))
    assert (modules.names, modules.complete) == ((), False)


# 10: two kernels in one mail ------------------------------------------------------------------------


def test_trap_10_a_32_bit_dump_beside_a_64_bit_one() -> None:
    other = """\
Unable to handle kernel NULL pointer dereference at virtual address 00000010
pgd = c0004000
[00000010] *pgd=00000000
Internal error: Oops: 5 [#1] SMP ARM
PC is at widget+0x10/0x40
pc : [<c01f3218>]    lr : [<c01f3200>]    psr: 60000013
sp : c0801f58  ip : 00000000  fp : c0801f6c
r10: 00000000  r9 : 410fc075  r8 : 40004059

And on the other board:

"""
    text = read_log((other + OOPS + "[ 5.1] pc : gadget+0x10/0x40\n").encode())
    assert [r.title for r in text.reports] == ["bad paging request in gadget"]
    assert any("another architecture" in d.reason for d in text.damage)


def test_trap_10_two_kernels_keep_their_versions() -> None:
    before = OOPS + "[ 5.1] pc : gadget+0x10/0x40\n[ 5.1] ---[ end trace 0000000000000000 ]---\n"
    after = before.replace("6.1.9", "6.6.30").replace("gadget+", "widget+")
    reports = documents(before + "\nWith the patch:\n\n" + after)
    assert [(r.kernel.version, r.follows) for r in reports] == [("6.1.9", None), ("6.6.30", None)]


def test_trap_10_a_log_indented_in_a_commit_message() -> None:
    text = "".join(f"    {line}\n" for line in (OOPS + "[ 5.1] pc : gadget+0x10/0x40").splitlines())
    assert report_of(text).title == "bad paging request in gadget"


# 11: the same dump twice ----------------------------------------------------------------------------

DEATH = """\
[ 5.1] Unable to handle kernel paging request at virtual address ffff800012345678
[ 5.1] Internal error: Oops: 0000000096000006 [#{n}] SMP
[ 5.1] CPU: 1 PID: 77 Comm: probe {taint} 6.1.9 #1
[ 5.1] pc : {function}+0x10/0x40
[ 5.1] Call trace:
[ 5.1]  {function}+0x10/0x40
[ 5.1]  vfs_read+0x10/0x40
[ 5.1] Code: d503201f d503201f d503201f d503201f (f9400000)
[ 5.1] ---[ end trace 0000000000000000 ]---
"""


def death(n: int, function: str) -> str:
    taint = "Not tainted" if n == 1 else "Tainted: G      D   "
    return DEATH.format(n=n, function=function, taint=taint)


def test_trap_11_an_oops_its_panic_and_the_end_marker_are_one_report() -> None:
    text = (
        death(1, "gadget")
        + "[ 5.2] Kernel panic - not syncing: Oops: Fatal exception\n[ 5.2] SMP: stopping secondary CPUs\n"
        "[ 5.2] ---[ end Kernel panic - not syncing: Oops: Fatal exception ]---\n"
    )
    assert document(text).kind == "paging-request"


def test_trap_11_the_second_oops_follows_the_first() -> None:
    reports = documents(death(1, "gadget") + death(2, "widget"))
    assert [r.follows for r in reports] == [None, 1]
    assert evidence(reports[1], "cascade")[0] == "not the first oops since boot: [#2]"
    assert any("taint D" in e for e in evidence(reports[1], "cascade"))
    assert evidence(reports[0], "cascade") == []


def test_trap_11_a_boot_between_them_parts_them() -> None:
    boot = (
        "[ 0.0] Booting Linux on physical CPU 0x0000000000 [0x410fd034]\n[ 0.0] Linux version 6.1.9 "
        "(a@b) (gcc 12.2.0) #1 SMP\n"
    )
    second = death(2, "widget").replace("[ 5.1]", "[ 6.1]")
    assert [r.follows for r in documents(death(1, "gadget") + boot + second)] == [None, None]


def test_trap_11_killing_init_follows_the_oops() -> None:
    text = (
        death(1, "gadget").replace("PID: 77 Comm: probe", "PID: 1 Comm: init")
        + "".join(f"[ 5.3] usb 1-{n}: reset high-speed USB device\n" for n in range(300))
        + "[ 5.9] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\n"
        "[ 5.9] CPU: 1 PID: 1 Comm: init Tainted: G      D             6.1.9 #1\n"
    )
    assert [(r.kind, r.follows) for r in documents(text)] == [
        ("paging-request", None),
        ("panic", 1),
    ]


def test_trap_11_a_quoted_reply_and_the_original() -> None:
    quoted = "".join(f"> {line}\n" for line in death(1, "gadget").splitlines())
    report = document(death(1, "gadget") + "\nOn Monday somebody wrote:\n" + quoted)
    assert any("stands here again" in d.reason for d in report.damage)


# 12: names of tasks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comm", ["(udev-worker)", "CPU 18/KVM", "kworker/u49:1", "Web Content", "a:b]c"]
)
def test_trap_12_names_of_tasks(comm: str) -> None:
    report = report_of(OOPS.replace("probe", comm) + "[ 5.1] pc : gadget+0x10/0x40\n")
    assert next(f.comm for f in report.facts if isinstance(f, Task)) == comm


def test_trap_12_a_warning_of_6_19_names_the_task_with_a_slash() -> None:
    report = document("""\
[ 5.1] ------------[ cut here ]------------
[ 5.1] WARNING: kernel/gadget.c:757 at gadget_clean+0xc0/0x1e0, CPU#2: kworker/u49:1/114
[ 5.1] CPU: 2 UID: 0 PID: 114 Comm: kworker/u49:1 Not tainted 6.19.0 #1 PREEMPT
[ 5.1] pc : gadget_clean+0xc0/0x1e0
""")
    assert (report.cpu, report.pid, report.comm) == (2, 114, "kworker/u49:1")


# 13: symbols ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "function"),
    [
        ("gadget.isra.0", "gadget"),
        ("gadget.constprop.0.isra.0", "gadget"),
        ("gadget.llvm.1234567890", "gadget"),
        ("gadget.cfi_jt", "gadget"),
        ("gadget.part.0", "gadget"),
        ("__kvm_nvhe_$d.2314", "__kvm_nvhe_$d.2314"),
        ("$x", "$x"),
        (".L123", ".L123"),
        ("__pi_gadget", "__pi_gadget"),
    ],
)
def test_trap_13_symbols_that_compilers_make(symbol: str, function: str) -> None:
    text = f"{OOPS}[ 5.1] pc : {symbol}+0x10/0x40\n[ 5.1] Call trace:\n[ 5.1]  {symbol}+0x10/0x40\n"
    (found,) = document(text).frames
    assert (found.symbol, found.function, found.offset) == (symbol, function, 0x10)


# 14: PAC bits ---------------------------------------------------------------------------------------


def test_trap_14_a_signed_link_register_is_no_wild_pointer() -> None:
    text = OOPS + "[ 5.1] pc : gadget+0x10/0x40\n[ 5.1] lr : 0x91d8800010a2b3c4\n"
    report = document(text)
    assert report.registers["lr"] == "0x91d8800010a2b3c4"
    assert evidence(report, "pac") == [
        "lr carries a pointer authentication code: without it 0xffff800010a2b3c4"
    ]


def test_trap_14_a_plain_link_register_carries_none() -> None:
    text = OOPS + "[ 5.1] pc : gadget+0x10/0x40\n[ 5.1] lr : 0xffff800010a2b3c4\n"
    assert evidence(document(text), "pac") == []


# 15: ISV = 1 ----------------------------------------------------------------------------------------

ISV = """\
[ 5.1] Unable to handle kernel paging request at virtual address ffffffbefe638000
[ 5.1] Mem abort info:
[ 5.1]   ESR = 0x{esr:x}
[ 5.1]   Exception class = DABT (current EL), IL = 32 bits
[ 5.1] Data abort info:
[ 5.1]   Access size = 8 byte(s)
[ 5.1]   SSE = 0, SRT = 5
[ 5.1]   SF = 1, AR = 0
[ 5.1]   CM = 0, WnR = 0
[ 5.1] Internal error: Oops: {esr:x} [#1] PREEMPT SMP
[ 5.1] CPU: 1 PID: 77 Comm: probe Not tainted 4.19.9 #1
[ 5.1] pc : gadget+0x10/0x40
[ 5.1] x1 : ffffffbefe638000 x0 : 0000000000000000
[ 5.1] Code: d503201f d503201f d503201f d503201f ({word:08x})
"""
LDR_X5_X1 = 0xF9400025
LDR_W6_X1 = 0xB9400026


def isv(register: int, n_bytes: int) -> int:
    sas = n_bytes.bit_length() - 1
    return 0x96000007 | 1 << 24 | sas << 22 | register << 16 | 1 << 15


def test_trap_15_the_access_in_the_syndrome_agrees() -> None:
    report = document(ISV.format(esr=isv(5, 8), word=LDR_X5_X1))
    assert evidence(report, "isv") == [
        "ISV = 1: a load of 8 bytes, register x5, as the instruction at PC says"
    ]


def test_trap_15_the_access_in_the_syndrome_contradicts() -> None:
    (words,) = evidence(document(ISV.format(esr=isv(5, 8), word=LDR_W6_X1)), "isv")
    assert "4 bytes" in words
    assert "register x6" in words
    assert "not of one event" in words


def test_trap_15_no_claim_without_isv() -> None:
    assert evidence(document(ISV.format(esr=0x96000007, word=LDR_X5_X1)), "isv") == []


def test_addresses_are_not_lost() -> None:
    report = report_of(ISV.format(esr=isv(5, 8), word=LDR_X5_X1))
    assert next(f.va for f in report.facts if isinstance(f, FaultAddress)) == 0xFFFFFFBEFE638000
