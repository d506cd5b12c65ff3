"""From explained reports to the document."""

from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document, title_of
from whypanic.app.inputs import RawInput
from whypanic.report.document import DocBlame, DocReport

OOPS = """\
[ 5.1] Unable to handle kernel NULL pointer dereference at virtual address {far}
[ 5.1] Mem abort info:
[ 5.1]   ESR = 0x0000000096000006
[ 5.2] Internal error: Oops: 0000000096000006 [#1] SMP
[ 5.2] CPU: {cpu} PID: {pid} Comm: probe Tainted: G        W          6.1.9 #1
[ 5.2] Hardware name: Example board (DT)
[ 5.2] pc : {symbol}+{offset}/0x80
[ 5.2] lr : caller_one+0x18/0x80
[ 5.2] Call trace:
[ 5.2]  {symbol}+{offset}/0x80
[ 5.2]  caller_one+0x18/0x80
[ 5.2]  caller_two+0x18/0x80
"""


def report(**changes: str) -> DocReport:
    words = {
        "far": "0000000000000018",
        "cpu": "1",
        "pid": "77",
        "symbol": "widget",
        "offset": "0x24",
    }
    text = OOPS.format(**{**words, **changes})
    (found,) = build_document([explain_input(RawInput("log", text.encode()))]).reports
    return found


def test_who_and_where() -> None:
    found = report()
    assert (found.cpu, found.pid, found.comm, found.machine) == (
        1,
        77,
        "probe",
        "Example board (DT)",
    )
    assert found.kernel.version == "6.1.9"
    assert "W" in found.taint
    assert found.blame is not None
    assert found.blame.function == "widget"
    assert [f.symbol for f in found.frames] == ["widget", "caller_one", "caller_two"]


def test_the_signature_is_stable() -> None:
    one = report().signature
    assert one == report(far="0000000000000040", cpu="3", pid="9", offset="0x30").signature
    assert one == report(symbol="widget.isra.0").signature
    assert one != report(symbol="gadget").signature
    assert "0x24" not in one


def test_order_and_follows_count_over_all_inputs() -> None:
    text = OOPS.format(far="0000000000000018", cpu="1", pid="77", symbol="widget", offset="0x24")
    inputs = [explain_input(RawInput(n, text.encode()), i) for i, n in enumerate("ab")]
    document = build_document(inputs)
    assert [r.order for r in document.reports] == [1, 2]
    assert [r.span.input for r in document.reports] == [0, 1]
    assert [i.name for i in document.inputs] == ["a", "b"]
    (group,) = document.groups
    assert (group.count, group.orders) == (2, [1, 2])
    assert group.signature == document.reports[1].signature


def test_the_first_cause_says_what_to_do_next() -> None:
    assert report().causes[0].next


def test_title() -> None:
    culprit = DocBlame(function="f", file=None, line=None)
    assert title_of("HYP panic at EL2", culprit) == "HYP panic at EL2, in f"
    assert title_of("NULL pointer dereference in g", culprit) == "NULL pointer dereference in g"
    assert title_of("HYP panic at EL2", None) == "HYP panic at EL2"


def test_the_signature_has_no_frames_that_vary() -> None:
    one = report().signature
    assert one == "null-dereference:ec25-fsc04:widget:caller_one:caller_two"
    doubted = "caller_one+0x18/0x80\n[ 5.2]  ? leftover+0x8/0x10"
    assert OOPS.replace("caller_one+0x18/0x80\n[ 5.2]  caller_two", doubted) != OOPS
    text = OOPS.replace(
        " caller_one+0x18/0x80\n[ 5.2]  caller_two", f" {doubted}\n[ 5.2]  caller_two"
    )
    text = text.format(far="0000000000000018", cpu="1", pid="77", symbol="widget", offset="0x24")
    (found,) = build_document([explain_input(RawInput("log", text.encode()))]).reports
    assert found.signature == one
