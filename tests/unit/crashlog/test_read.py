"""A whole input."""

import json
from pathlib import Path

import pytest

from builders.log_lines import of
from whypanic.crashlog.read import read_log
from whypanic.model.code import Listing
from whypanic.model.context import KernelVersion, StartedAtEl
from whypanic.model.fault import Headline
from whypanic.model.hyp import HypVaRange

CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"

LOG = b"""\
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd073]
[    0.000000] Linux version 6.1.0-test (me@host) (gcc (X) 12.2.0) #4 SMP
[    1.200000] CPU: All CPU(s) started at EL2
[    1.300000] kvm [1]: HYP VA range: 400000000000:7fffffffffff
[    1.400000] usb 1-1: new high-speed USB device number 2
[    9.000000] kernel BUG at drivers/quux/quux.c:12!
[    9.000001] Internal error: Oops - BUG: 00000000f2000800 [#1] SMP
[    9.000002] usb 1-1: something else
[    9.000003] CPU: 2 PID: 71 Comm: quux Not tainted 6.1.0-test #4
[    9.000004] pc : quux_read+0x18/0x40
[    9.000005] Kernel panic - not syncing: Oops - BUG: Fatal exception
"""


def test_context_and_report() -> None:
    text = read_log(LOG, 2)
    (found,) = text.reports
    assert (found.span.input, found.span.first_line, found.span.last_line) == (2, 6, 11)
    assert [(s.first_line, s.last_line) for s in found.unparsed] == [(8, 8)]
    kinds = [type(fact) for fact in text.context]
    assert {KernelVersion, StartedAtEl, HypVaRange} <= set(kinds)
    assert (text.n_lines, text.n_understood) == (11, 9)
    assert all(fact.source.input == 2 for fact in (*found.facts, *text.context))


def test_facts_are_in_order() -> None:
    lines = [fact.source.line or 0 for fact in read_log(LOG).reports[0].facts]
    assert lines == sorted(lines)


def test_listing_is_context() -> None:
    listing = b"0000000000000000 <quux>:\n   0:\td503201f \tnop\n   4:\td65f03c0 \tret\n"
    text = read_log(LOG + b"\n\n" + listing)
    assert [fact.function for fact in text.context if isinstance(fact, Listing)] == ["quux"]


@pytest.mark.parametrize("data", [b"", b"\n", b"\0\xff\xfe", b"no crash here\n"])
def test_nothing_to_report(data: bytes) -> None:
    assert read_log(data).reports == ()


def test_other_architecture_is_said() -> None:
    data = (
        b"Unable to handle kernel NULL pointer dereference at virtual address 00000018\n"
        b"pc : [<c01f3218>]    lr : [<c01f3200>]    psr: 60000013\n"
    )
    text = read_log(data)
    assert text.reports == ()
    assert [d.reason for d in text.damage] == ["a report of another architecture, left out"]


def test_facts_of_one_report_are_bounded() -> None:
    data = b"kernel BUG at a/b.c:1!\n" + b"Call trace:\n" + b" quux+0x1/0x2\n" * 6000
    (found,) = read_log(data).reports
    assert len(found.facts) == 4000
    assert any("left out" in d.reason for d in found.damage)


def test_thousand_reports_each_with_its_headline() -> None:
    data = b"".join(b"kernel BUG at a/b.c:%d!\npc : f+0x1/0x2\n" % n for n in range(1000))
    found = read_log(data).reports
    assert len(found) == 1000
    assert all(len(of(report, Headline)) == 1 for report in found)


@pytest.mark.skipif(
    not CASES.is_dir(), reason="no labelled logs: ../shared/cases beside the repository is missing"
)
def test_kinds_of_labelled_logs() -> None:
    rows = [json.loads(row) for row in (CASES / "cases.jsonl").read_text("utf-8").splitlines()]
    wrong = []
    for row in rows:
        found = read_log((CASES / row["file"]).read_bytes()).reports
        if not any(report.kind in row["kind"] for report in found):
            wrong.append(row["file"])
    assert len(wrong) <= len(rows) // 50, wrong


def test_words_missing_in_a_listing_are_damage() -> None:
    rows = "".join(f"{n:4x}:\td503201f \tnop\n" for n in (0, 4, 8, 0x14, 0x18))
    text = read_log(f"0000000000000000 <f>:\n{rows}".encode())
    assert [d.reason for d in text.damage] == ["2 words missing in a listing"]
