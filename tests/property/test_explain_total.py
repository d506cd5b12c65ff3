"""Whatever comes in, a document goes out, and nothing in it can command a terminal."""

import json
import re

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from builders.repository import ROOT
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.causes.engine import OWN_ERROR
from whypanic.report.document import ExplainDocument, encode
from whypanic.report.text import Style, render

_LOG = re.compile(r"^```log\n(.*?)^```", re.M | re.S)
MAIL = (ROOT / "examples" / "2017-juno-hyp-panic.txt").read_text()
LOGS = [MAIL] + [
    log
    for path in sorted((ROOT / "tests" / "cases").glob("*.md"))
    for log in _LOG.findall(path.read_text(encoding="utf-8"))
]
FULL = Style(everything=True, commands=True, coverage=True)


def check(data: bytes) -> ExplainDocument:
    document = build_document([explain_input(RawInput("log", data))])
    n_lines = data.count(b"\n") + data.count(b"\r") + 1
    for report in document.reports:
        assert report.causes
        assert 1 <= report.span.first_line <= report.span.last_line <= n_lines
        for cause in report.causes:
            assert all(claim.facts for claim in cause.claims)
            if cause.verdict == "not-evaluated":
                assert cause.missing
            assert not any(words.startswith(OWN_ERROR) for words in cause.missing)
    decoded = msgspec.json.decode(encode(document), type=ExplainDocument)
    assert decoded == document
    json.loads(encode(document))
    shown = render(document, FULL)
    assert all(char == "\n" or char.isprintable() for char in shown)
    return document


@given(st.binary(max_size=2000))
@example(b"")
@example(b"\x00" * 100)
@example(b"\xff\xfe" * 50)
@example(b"HYP panic:\nPS:" + b"f" * 4000)
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(st.text(max_size=1500))
def test_any_text(text: str) -> None:
    check(text.encode("utf-8", "surrogatepass"))


@given(st.sampled_from(LOGS), st.data())
def test_lines_dropped_duplicated_and_moved(log: str, data: st.DataObject) -> None:
    lines = log.splitlines()
    picks = data.draw(
        st.lists(st.integers(0, max(0, len(lines) - 1)), max_size=len(lines) + 8), label="lines"
    )
    check("\n".join(lines[i] for i in picks if lines).encode())


@given(st.sampled_from(LOGS), st.floats(0, 1), st.floats(0, 1))
def test_cut_anywhere(log: str, start: float, end: float) -> None:
    data = log.encode()
    check(data[int(start * len(data)) : int(end * len(data))])


@given(st.sampled_from(LOGS), st.sampled_from(LOGS), st.randoms(use_true_random=False))
def test_two_logs_interleaved(one: str, two: str, random: object) -> None:
    rows = [one.splitlines(), two.splitlines()]
    mixed = []
    while any(rows):
        source = random.choice([r for r in rows if r])  # type: ignore[attr-defined]
        mixed.append(source.pop(0))
    check("\n".join(mixed).encode())


@given(st.sampled_from(LOGS), st.data())
def test_bytes_overwritten(log: str, data: st.DataObject) -> None:
    raw = bytearray(log.encode())
    for _ in range(data.draw(st.integers(1, 12), label="changes")):
        if not raw:
            break
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + 1] = data.draw(st.binary(max_size=8))
    check(bytes(raw))


@given(
    st.sampled_from(LOGS),
    st.lists(
        st.sampled_from([b"\x1b[2J", b"\x1b]0;x\x07", b"\x9b31m", b"\xe2\x80\xae", b"\r", b"\x08"]),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_terminal_commands_stay_visible(log: str, bad: list[bytes], random: object) -> None:
    raw = log.encode()
    for sequence in bad:
        at = random.randrange(len(raw))  # type: ignore[attr-defined]
        raw = raw[:at] + sequence + raw[at:]
    check(raw)


@given(st.sampled_from(["> ", ">> ", "| ", "    ", "> > "]))
def test_quoting_does_not_change_the_answer(quote: str) -> None:
    quoted = "\n".join(quote + line for line in MAIL.splitlines())
    (report,) = check(quoted.encode()).reports
    assert report.causes[0].id == "absolute-jump-table-at-el2"
    assert report.causes[0].verdict == "supported"


def test_a_reply_that_quotes_the_crash_again_is_one_report() -> None:
    again = "\n".join("> " + line for line in MAIL.splitlines())
    (report,) = check(f"{MAIL}\n\nAs I said:\n\n{again}\n".encode()).reports
    assert report.causes[0].id == "absolute-jump-table-at-el2"
