"""The reference case, explained with its replay."""

from pathlib import Path

import pytest

from builders.engines import qemu_engine
from builders.replays import REFERENCE
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.explain_replay import replayer
from whypanic.app.inputs import RawInput

MAIL = RawInput("mail", REFERENCE.read_bytes())
TABLE = """
RELOCATION RECORDS FOR [.rodata]:
OFFSET           TYPE              VALUE
"""


def test_explain_with_replay_ends_in_proven() -> None:
    qemu_engine()
    (report,) = build_document([explain_input(MAIL, 0, replayer(print))]).reports
    best = report.causes[0]
    assert (best.id, best.verdict) == ("absolute-jump-table-at-el2", "proven")
    assert {f.source for f in best.claims[-1].facts} == {"replay"}
    assert all(c.verdict == "refuted" for c in report.causes[1:])


def test_explain_with_replay_of_a_report_without_code_is_the_same() -> None:
    qemu_engine()
    text = MAIL.data[: MAIL.data.index(b"0000000000000000 <__init")]
    raw = RawInput("cut", text)
    assert build_document([explain_input(raw, 0, replayer(print))]) == build_document(
        [explain_input(raw)]
    )


def test_without_qemu_the_replay_is_modelled_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    refine = replayer(said.append)
    for _ in range(2):
        (report,) = build_document([explain_input(MAIL, 0, refine)]).reports
        assert (report.causes[0].id, report.causes[0].verdict) == (
            "absolute-jump-table-at-el2",
            "supported",
        )
        assert "unicorn, modelled" in report.causes[0].claims[-1].text
    assert len(said) == 1
    assert "qemu-system-aarch64" in said[0]


def test_only_so_many_panics_are_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("whypanic.replay.qemu.is_installed", lambda: False)
    monkeypatch.setattr("whypanic.app.explain_replay._MAX_REPLAYED", 1)
    said: list[str] = []
    refine = replayer(said.append)
    claims = [explain_input(MAIL, 0, refine).explained[0].assessments[0].claims for _ in range(3)]
    assert len(claims[0]) == len(claims[1]) + 1 == len(claims[2]) + 1
    assert [line for line in said if "only the first 1 " in line] == said[1:]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ((0x5C, 0x34, 0x54, 0x48, 0x50), "proven"),
        ((0x5C, 0x34, 0x48, 0x54, 0x50), "supported"),
    ],
)
def test_a_table_that_the_mail_shows_counts(targets: tuple[int, ...], expected: str) -> None:
    qemu_engine()
    rows = [f"{8 * n:016x} R_AARCH64_ABS64   .text+0x{t:016x}\n" for n, t in enumerate(targets)]
    raw = RawInput("mail", MAIL.data + (TABLE + "".join(rows)).encode())
    (report,) = build_document([explain_input(raw, 0, replayer(print))]).reports
    assert (report.causes[0].id, report.causes[0].verdict) == (
        "absolute-jump-table-at-el2",
        expected,
    )
