"""The use case from names to a document."""

from pathlib import Path

from whypanic.app.explain import explain_paths, stream_lines
from whypanic.model.errors import InputError

OOPS = (
    b"Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018\n"
    b"Internal error: Oops: 0000000096000006 [#1] SMP\n"
)


def test_what_cannot_be_read_does_not_stop_the_rest(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(OOPS)
    document = explain_paths([str(tmp_path / "gone"), str(good)])
    assert [u.reason for u in document.unreadable] == ["cannot read: no such file or directory"]
    assert [i.name for i in document.inputs] == [str(good)]
    assert document.reports[0].span.input == 0


def test_stream(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(OOPS)
    gone = str(tmp_path / "gone")
    items = list(stream_lines([gone, str(good), str(good)]))
    assert isinstance(items[0], InputError)
    orders = [i.get("order") for i in items if isinstance(i, dict)]
    assert orders == [1, 2, None]
