from whypanic.crashlog.lines import Line, read_lines
from whypanic.crashlog.streams import interleaving, read_streams

TWO = (
    b"[    1.000000][    C0] one\n[    1.000001][    C1] two\nbare\n[    1.000002][    C0] three\n"
)


def lines_of(data: bytes) -> tuple[Line, ...]:
    return read_lines(data).lines


def test_streams() -> None:
    streams = read_streams(lines_of(b"first\n" + TWO))
    assert [(stream.writer, stream.indexes) for stream in streams] == [
        (None, (0,)),
        ("C0", (1, 4)),
        ("C1", (2, 3)),
    ]


def test_one_stream_without_writers() -> None:
    (stream,) = read_streams(lines_of(b"[    1.000000] a\n[    2.000000] b\n"))
    assert stream == (None, (0, 1))


def test_cpu_of_the_prefix() -> None:
    (stream,) = read_streams(lines_of(b"[    1.000000] 002: a\n"))
    assert stream.writer == "cpu2"


def test_interleaving() -> None:
    damage = interleaving(lines_of(TWO), 1)
    assert damage is not None
    assert (damage.span.input, damage.span.first_line, damage.span.last_line) == (1, 1, 4)


def test_one_after_the_other_is_not_interleaved() -> None:
    assert interleaving(lines_of(b"[    C0] one\n[    C1] two\n[    C1] three\n")) is None
