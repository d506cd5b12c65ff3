"""Large texts: the same reports, one by one."""

import hashlib
from pathlib import Path

from builders.captures import OOPS, quiet, stamped
from whypanic.app.explain import explain_paths, stream_lines
from whypanic.app.inputs import LARGE, LargeInput, open_input
from whypanic.app.stream import explain_stream
from whypanic.crashlog.quotes import MAX_COMPARED
from whypanic.model.context import KernelVersion

BANNER = "[    0.000000] Linux version 6.6.{n} (a@b) (gcc 13.2.0) #1 SMP\n"


def capture(n_reports: int) -> str:
    """Return boots with one oops each, long after it."""
    text = ""
    for n in range(n_reports):
        one = OOPS.replace("quux", f"quux{n}").replace("PID: 71", f"PID: {n}")
        text += BANNER.format(n=n % 7) + quiet(900, n) + stamped(one.replace("6.6.9", ""), n)
    return text


def test_streamed_report_knows_its_boot() -> None:
    (found,) = [e for _, e in explain_stream([capture(1).encode()])]
    assert found.case.all(KernelVersion)[0].banner


def test_reports_of_another_boot_do_not() -> None:
    found = [e for _, e in explain_stream([capture(5).encode()])]
    releases = [[v.release for v in e.case.all(KernelVersion) if v.banner] for e in found]
    assert releases == [[f"6.6.{n}"] for n in range(5)]


def test_places_are_those_of_all_reports() -> None:
    found = list(explain_stream([capture(MAX_COMPARED + 9).encode()]))
    assert [place for place, _ in found] == list(range(MAX_COMPARED + 9))


def test_copy_far_behind_is_folded_in() -> None:
    text = capture(3) + quiet(5000) + stamped(OOPS.replace("quux", "quux1"), 1)
    text = text.replace("PID: 71", "PID: 1").replace("6.6.9", "")
    found = [e for _, e in explain_stream([text.encode()])]
    assert [len(e.report.damage) for e in found] == [0, 1, 0]


def test_same_lines_as_from_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    data = (capture(40) + quiet(LARGE // 30)).encode()
    assert len(data) > LARGE
    path.write_bytes(data)
    opened = open_input(str(path))
    assert isinstance(opened, LargeInput)
    assert b"".join(opened.chunks()) == data
    *streamed, last = stream_lines([str(path)])
    document = explain_paths([str(path)])
    assert [
        (r["title"], r["span"], r["order"], r["kernel"]) for r in streamed if isinstance(r, dict)
    ] == [
        (
            r.title,
            {"input": 0, "first_line": r.span.first_line, "last_line": r.span.last_line},
            r.order,
            {"version": r.kernel.version, "compiler": r.kernel.compiler, "build_id": None},
        )
        for r in document.reports
    ]
    assert isinstance(last, dict)
    assert last["inputs"] == [
        {"name": str(path), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    ]


def test_mail_is_not_streamed(tmp_path: Path) -> None:
    path = tmp_path / "mbox"
    path.write_bytes(b"From a@b Thu Jan  1 00:00:00 1970\nFrom: a\nSubject: b\n\n" + b"x\n" * LARGE)
    assert not isinstance(open_input(str(path)), LargeInput)
