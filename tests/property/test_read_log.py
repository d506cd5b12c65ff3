"""Any bytes give an answer, and what the answer points to is in the input."""

from hypothesis import given
from hypothesis import strategies as st

from whypanic.crashlog.read import read_log
from whypanic.model.fault import Headline
from whypanic.model.report import LogText

LINES = (
    "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018",
    "Unable to handle kernel paging request at virtual address ffff800012345678",
    "Mem abort info:",
    "  ESR = 0x0000000096000006",
    "  Exception class = DABT (current EL), IL = 32 bits",
    "  ISV = 0, ISS = 0x00000046",
    "swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041a3c000",
    "[0000000000000018] pgd=0000000000000000",
    ", *pud=0000000000000000",
    "Internal error: Oops: 0000000096000006 [#1] SMP",
    "Modules linked in: a b",
    "CPU: 2 PID: 71 Comm: quux Not tainted 6.1.0 #4",
    "PC is at quux+0x10/0x20",
    "pc : quux+0x10/0x20",
    "x2 : 0000000000000000 x1 : 0000000000000000 x0 : 0000000000000000",
    "Call trace:",
    " quux+0x10/0x20",
    "Code: aa0003f3 910003fd (f9400c22)",
    "---[ end trace 0000000000000000 ]---",
    "------------[ cut here ]------------",
    "kernel BUG at a/b.c:1!",
    "WARNING: CPU: 1 PID: 9 at a/b.c:77 quux+0x20/0x30",
    "list_add corruption. next->prev should be prev",
    "BUG: KASAN: use-after-free in quux+0x10/0x20",
    "Allocated by task 7:",
    "SError Interrupt on CPU1, code 0xbe000011 -- SError",
    "Kernel panic - not syncing: Oops: Fatal exception",
    "Kernel panic - not syncing: HYP panic:",
    "kvm [1]: nVHE hyp panic at: [<ffff8000090a6570>] __kvm_nvhe_quux+0xac/0xf8!",
    "kvm [1]: nVHE call trace:",
    "PS:800003c9 PC:0000aa0081203abc ESR:86000006",
    "FAR:0000aa0081203abc HPFAR:0000000000010000 PAR:0000000000000000",
    "VCPU:0000aa0090000000",
    "---[ end Kernel panic - not syncing: HYP panic:",
    "pc : [<c01f3218>]    lr : [<c01f3200>]    psr: 60000013",
    "Booting Linux on physical CPU 0x0000000000 [0x411fd073]",
    "Insufficient stack space to handle exception!",
    "quux: something that nobody knows",
    "This is what I see, and I cannot say why.",
    "...",
    "",
)
PREFIXES = ("", "> ", "[    1.000000] ", "[    1.000000][   T1] ", "[    1.000000][   C2] ", "<4>")

_line = st.builds(
    lambda prefix, text: prefix + text, st.sampled_from(PREFIXES), st.sampled_from(LINES)
)
_cut = st.builds(
    lambda text, n: text[n:] if n > 0 else text[: n or None], _line, st.integers(-40, 40)
)
logs = st.lists(st.one_of(_line, _cut), max_size=40).map(lambda lines: "\n".join(lines).encode())


def _check(text: LogText) -> None:
    assert 0 <= text.n_understood <= text.n_lines
    for index, report in enumerate(text.reports):
        assert 1 <= report.span.first_line <= report.span.last_line <= text.n_lines
        assert any(isinstance(fact, Headline) for fact in report.facts)
        assert report.title
        assert report.follows is None or 0 <= report.follows < index
        for span in report.unparsed:
            assert 1 <= span.first_line <= span.last_line <= text.n_lines
    for fact in (*text.context, *(f for r in text.reports for f in r.facts)):
        assert fact.source.line is not None
        assert 1 <= fact.source.line <= text.n_lines
        last = fact.source.last_line
        assert last is None or fact.source.line <= last <= text.n_lines


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    _check(read_log(data))


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    _check(read_log(text.encode("utf-8", "surrogatepass")))


@given(logs)
def test_lines_of_crashes_in_any_order(data: bytes) -> None:
    _check(read_log(data))


@given(logs)
def test_reading_is_repeatable(data: bytes) -> None:
    assert read_log(data) == read_log(data)


@given(logs, st.integers(0, 3000))
def test_a_log_cut_anywhere(data: bytes, where: int) -> None:
    _check(read_log(data[:where]))
    _check(read_log(data[where:]))
