"""The text a maintainer reads first."""

from functools import cache

import msgspec

from builders.repository import ROOT
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.report.document import DocCause, DocClaim, DocFact, ExplainDocument
from whypanic.report.text import Style, render

EXAMPLE = ROOT / "examples" / "2017-juno-hyp-panic.txt"


@cache
def document(data: bytes = b"") -> ExplainDocument:
    raw = data or EXAMPLE.read_bytes()
    return build_document([explain_input(RawInput("mail.txt", raw))])


def test_the_finding_stands_before_the_values() -> None:
    lines = render(document(), Style()).splitlines()
    assert lines[0].startswith("HYP panic")
    cause = next(i for i, line in enumerate(lines) if line.startswith("cause:"))
    decoded = next(i for i, line in enumerate(lines) if line == "decoded")
    assert "absolute-jump-table-at-el2  SUPPORTED" in lines[cause]
    assert cause < 8
    assert cause < decoded
    remedy = next(i for i, line in enumerate(lines) if "remedy:" in line)
    assert cause < remedy < decoded


def test_rivals_with_their_reason() -> None:
    text = render(document(), Style())
    assert "not absolute-pointer-at-el2 (refuted)" in text
    assert "not call-left-hyp-text (refuted)" in text


def test_width_is_kept() -> None:
    for line in render(document(), Style(width=80)).splitlines():
        if "$ " not in line and "ccflags" not in line and "  features " not in line:
            assert len(line) <= 80, line


def test_colour_only_where_asked() -> None:
    assert "\x1b" not in render(document(), Style())
    assert "\x1b[1m" in render(document(), Style(colour=True))


def test_commands_and_coverage_only_where_asked() -> None:
    plain = render(document(), Style())
    assert "addr2line -ife vmlinux ffff0000089e6fd8" not in plain
    assert "coverage" not in plain
    full = render(document(), Style(commands=True, coverage=True))
    assert "$ addr2line -ife vmlinux ffff0000089e6fd8" in full
    assert "lines of the report understood" in full


def test_all_shows_every_fact_with_its_line() -> None:
    full = render(document(), Style(everything=True))
    assert len(full.splitlines()) > len(render(document(), Style()).splitlines())
    assert "PS:800003c9" in full


def test_escapes_in_a_log_stay_visible() -> None:
    hostile = (
        b"Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\n"
        b"Internal error: Oops: 96000006 [#1] SMP\n"
        b"CPU: 0 PID: 7 Comm: \x1b]0;owned\x07\x1b[2Jx Not tainted 6.1.0 #1\n"
        b"Hardware name: \x9b31m\xe2\x80\xaeboard\n"
        b"pc : evil\x1b[31m_fn+0x10/0x20\n"
    )
    for style in (Style(), Style(everything=True, commands=True, coverage=True)):
        shown = render(document(hostile), style)
        assert all(c == "\n" or c.isprintable() for c in shown)


def test_nothing_for_nothing() -> None:
    assert render(document(b"all is well\n"), Style()) == ""


FREED = b"""\
BUG: KASAN: slab-use-after-free in foo_get+0x10/0x20
Read of size 8 at addr ffff0000c2bb7080 by task foo/7
Call trace:
 foo_get+0x10/0x20

Freed by task 9:
 kasan_save_stack+0x10/0x20
 foo_put_1+0x10/0x20
 foo_put_2+0x10/0x20
 foo_put_3+0x10/0x20
 foo_put_4+0x10/0x20
 foo_put_5+0x10/0x20
 foo_put_6+0x10/0x20
 foo_put_7+0x10/0x20
"""


def test_other_stacks_are_short_and_begin_behind_the_bookkeeping() -> None:
    lines = render(document(FREED), Style()).splitlines()
    start = lines.index("Freed by task 9")
    assert lines[start + 1] == "  foo_put_1+0x10/0x20"
    assert lines[start + 7] == "  ... 2 more with --all"


def test_all_shows_other_stacks_whole() -> None:
    lines = render(document(FREED), Style(everything=True)).splitlines()
    start = lines.index("Freed by task 9")
    assert lines[start + 1] == "  kasan_save_stack+0x10/0x20  (reporting)"
    assert lines[start + 8] == "  foo_put_7+0x10/0x20"


def several(*logs: bytes) -> ExplainDocument:
    inputs = [explain_input(RawInput(f"{n}.log", log), n) for n, log in enumerate(logs)]
    return build_document(inputs)


def test_one_report_of_a_signature_is_shown_for_several_inputs() -> None:
    other = FREED.replace(b"foo_get", b"bar_get")
    text = render(several(FREED, other, FREED), Style())
    assert text.count("KASAN") == render(document(FREED), Style()).count("KASAN") * 2
    assert "2 reports have this signature; also 2.log:1" in text
    assert "1.log" in text


def test_all_shows_every_report() -> None:
    text = render(several(FREED, FREED), Style(everything=True))
    assert "have this signature" not in text
    assert "0.log" in text
    assert "1.log" in text


def test_one_input_is_shown_whole() -> None:
    twice = FREED + b"x\n" * 500 + FREED.replace(b"task 9", b"task 8").replace(b"7080", b"7180")
    assert len(document(twice).reports) == 2
    assert "have this signature" not in render(document(twice), Style())


def test_claims_that_rest_on_the_image_alone_say_where_in_it() -> None:
    def text_of(*facts: DocFact) -> str:
        claim = DocClaim(sense="supports", text="so it is", facts=list(facts))
        cause = DocCause(
            id="some-cause",
            title="t",
            verdict="supported",
            claims=[claim],
            missing=[],
            remedies=[],
            next=[],
        )
        plain = document()
        report = msgspec.structs.replace(plain.reports[0], causes=[cause])
        shown = render(msgspec.structs.replace(plain, reports=[report]), Style())
        return next(line for line in shown.splitlines() if "so it is" in line).strip()

    def fact(source: str, *, line: int | None = None, address: str | None = None) -> DocFact:
        return DocFact(text="f", source=source, line=line, address=address)

    here, there = fact("image", address="0x10"), fact("image", address="0xff00")
    assert text_of(here) == "+ so it is  [image 0x10]"
    assert text_of(there, here, there) == "+ so it is  [image 0x10..0xff00]"
    assert text_of(fact("image")) == "+ so it is  [image]"
    assert text_of(here, fact("log", line=7)) == "+ so it is  [line 7]"
    assert text_of(fact("replay", address="0x10")) == "+ so it is"
