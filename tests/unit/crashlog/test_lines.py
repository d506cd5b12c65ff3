import pytest

from whypanic.crashlog.lines import Line, read_lines


def one(data: bytes) -> Line:
    (line,) = read_lines(data).lines
    return line


def reasons(data: bytes) -> set[str]:
    return {damage.reason for damage in read_lines(data).damage}


def test_stamped_line() -> None:
    line = one(b"[   12.000345]  frob_start+0x1c/0x80 [frob]\n")
    assert line.text == "frob_start+0x1c/0x80 [frob]"
    assert (line.usec, line.indent, line.prefixed, line.quote) == (12_000_345, 1, True, 0)
    assert line.raw == b"[   12.000345]  frob_start+0x1c/0x80 [frob]"


def test_every_physical_line_is_there() -> None:
    lines = read_lines(b"a\n\n> b\n[    1.000000] c\n\n").lines
    assert [(line.number, line.text, line.quote) for line in lines] == [
        (1, "a", 0),
        (2, "", 0),
        (3, "b", 1),
        (4, "c", 0),
        (5, "", 0),
    ]


def test_empty_input() -> None:
    assert read_lines(b"").lines == ()


@pytest.mark.parametrize("end", [b"\r\n", b"\r\r\n", b"\n"])
def test_line_ends(end: bytes) -> None:
    lines = read_lines(end.join([b"[    1.000000] one", b"[    1.000001] two", b""])).lines
    assert [line.text for line in lines] == ["one", "two"]


def test_carriage_return_alone_ends_lines_where_there_is_no_newline() -> None:
    assert [line.number for line in read_lines(b"one\rtwo\rthree").lines] == [1, 2, 3]


def test_overwritten_progress_stays_one_physical_line() -> None:
    lines = read_lines(b"load 10%\rload 100%\n").lines
    assert [(line.number, line.text) for line in lines] == [(1, "load 10%"), (1, "load 100%")]


def test_no_break_space_in_utf8_and_latin1() -> None:
    for blank in (b"\xc2\xa0", b"\xa0", b"\xef\xbf\xbd"):
        line = one(b"[" + blank * 3 + b"7.250000]" + blank + b"Call trace:")
        assert (line.text, line.usec) == ("Call trace:", 7_250_000)


def test_stray_bytes_are_shown() -> None:
    assert one(b"[    1.000000] name \xff\xfe end").text == "name \\xff\\xfe end"


def test_control_characters_never_stay_raw() -> None:
    line = one(b"[    1.000000] a\x07b\x1bc \xe2\x80\xae d \xc2\x85e")
    assert line.text == "a\\x07b\\x1bc \\u202e d \\x85e"


def test_terminal_colours_go() -> None:
    data = b"\x1b[32m[    2.500000] \x1b[0m\x1b[1mfrob: ready\x1b[0m"
    assert (one(data).text, one(data).usec) == ("frob: ready", 2_500_000)
    assert "terminal escape sequences" in reasons(data)


def test_nuls_of_a_serial_line() -> None:
    data = b"\x00\x00[    2.500000] frob: ready\x00"
    assert one(data).text == "frob: ready"
    assert reasons(data) == {"NUL bytes"}


def test_two_log_lines_on_one_physical_line() -> None:
    data = b"[    1.000000] first part[    1.000500] second\n"
    lines = read_lines(data).lines
    assert [(line.number, line.usec, line.text) for line in lines] == [
        (1, 1_000_000, "first part"),
        (1, 1_000_500, "second"),
    ]
    assert reasons(data) == {"two log lines on one physical line, split"}


def test_nothing_is_lost_when_very_many_lines_ran_together() -> None:
    lines = read_lines(b"".join(b"[%5d.000000] w%d " % (i, i) for i in range(600))).lines
    words = " ".join(line.text for line in lines).split()
    assert words[-1] == "w599"


def test_very_long_line_is_cut() -> None:
    data = b"[    1.000000] " + b"x" * 100_000
    assert len(one(data).text) < 1 << 16
    assert reasons(data) == {"line too long, cut"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<snip>", "lines left out by the author"),
        (b"[ ... ]", "lines left out by the author"),
        (b"...", "lines left out by the author"),
        (b"-- cut --", "lines left out by the author"),
        (b"41.250000] Call trace:", "timestamp cut off"),
        (b"** 12 printk messages dropped **", "printk messages dropped"),
        (b"** replaying previous printk message **", "console replayed a message"),
        (b"[    1.000000] Mem abort info:fo:", "console text overwritten"),
        (b"[    1.000000]   ESR = 0x9600004646", "console text overwritten"),
    ],
)
def test_damage(data: bytes, reason: str) -> None:
    assert reasons(data) == {reason}


def test_plain_text_has_no_damage() -> None:
    assert read_lines(b"[    1.000000] Call trace: (C)\ncut the power\n").damage == ()


def test_dashes_typed_by_an_editor() -> None:
    data = "[    9.000000] Kernel panic \u2014 not syncing: frob".encode()
    assert one(data).text == "Kernel panic - not syncing: frob"


def test_entities_of_a_web_page() -> None:
    line = one(b"&gt; [    1.000000] [&lt;ffff000008123450&gt;] frob+0x10/0x20")
    assert line.text == "[<ffff000008123450>] frob+0x10/0x20"


def test_damage_is_sorted_and_inside_the_input() -> None:
    reading = read_lines(b"...\n[    1.000000] Code: 11111111\n22222222 (33333333)\n\x00x\n")
    spans = [damage.span for damage in reading.damage]
    assert spans == sorted(spans)
    assert {span.input for span in spans} == {0}


def test_source_of_a_rejoined_line() -> None:
    (line,) = read_lines(b"[    1.000000] Code: 11111111\n(33333333)\n", 3).lines
    source = line.source(3)
    assert (source.input, source.line, source.last_line) == (3, 1, 2)
    assert source.text == "Code: 11111111 (33333333)"
    assert line.span(3).last_line == 2


def test_line_ends_that_kmsg_escaped_are_put_back() -> None:
    reading = read_lines(rb"[    1.000000] HYP panic:\x0aPS:800003c9 PC:0000000000001000")
    assert [line.text for line in reading.lines] == [
        "HYP panic:",
        "PS:800003c9 PC:0000000000001000",
    ]
    assert any("escaped" in damage.reason for damage in reading.damage)
