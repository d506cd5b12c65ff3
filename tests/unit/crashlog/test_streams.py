from whypanic.crashlog.lines import Line, read_lines
from whypanic.crashlog.streams import interleaving, writer_of

TWO = (
    b"[    1.000000][    C0] one\n[    1.000001][    C1] two\nbare\n[    1.000002][    C0] three\n"
)


def lines_of(data: bytes) -> tuple[Line, ...]:
    return read_lines(data).lines


def test_writers() -> None:
    assert [writer_of(line) for line in lines_of(TWO)] == ["C0", "C1", None, "C0"]
    assert [writer_of(line) for line in lines_of(b"[    1.000000] 002: a\n")] == ["cpu2"]


def test_interleaving() -> None:
    damage = interleaving(lines_of(TWO), 1)
    assert damage is not None
    assert (damage.span.input, damage.span.first_line, damage.span.last_line) == (1, 1, 4)


def test_one_after_the_other_is_not_interleaved() -> None:
    assert interleaving(lines_of(b"[    C0] one\n[    C1] two\n[    C1] three\n")) is None
