"""Reading lines is total, keeps every physical line, and shows only harmless characters."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from whypanic.crashlog.commands import read_commands
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.listing import read_listings
from whypanic.crashlog.streams import interleaving

PIECES = st.sampled_from(
    [
        b"[    1.000000] ",
        b"[    1.000000][    T1] ",
        b"<4>",
        b"> ",
        b"| ",
        b"  ",
        b"\t",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x00",
        b"\x1b[0m",
        b"\xa0",
        b"\xe2\x80\xae",
        b"&gt;",
        b"Call trace:",
        b"Internal error: Oops: 96000004",
        b"[#1] SMP",
        b"x29: ffff80000a24b680 x28:",
        b"0000000000000000",
        b"frob+0x10/0x20",
        b"Modules linked in: a_b",
        b", *pud=0000000000000000",
        b"[ffff800012345678] *pgd=0000000000000000",
        b"<frob>:",
        b"4: d503201f nop",
        b"R_AARCH64_ABS64 x",
        b"addr2line -ife vmlinux ffff000008a01234",
        b"a.c:12",
        b"HYP panic:",
        b"...",
    ]
)
TEXTS = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


@settings(deadline=None)
@given(TEXTS)
def test_total_and_complete(data: bytes) -> None:
    reading = read_lines(data)
    physical = data
    if b"\n" not in data:
        physical = data.replace(b"\r", b"\n")
    raws = physical.split(b"\n")
    if not raws[-1]:
        raws.pop()
    seen = 0
    for line in reading.lines:
        assert line.number in (seen, seen + 1)
        assert line.raw == b"\n".join(raws[line.number - 1 : line.last_number])
        seen = line.last_number
    assert seen == len(raws)
    for damage in reading.damage:
        assert 1 <= damage.span.first_line <= damage.span.last_line <= len(raws)


@settings(deadline=None)
@given(TEXTS)
def test_only_harmless_characters(data: bytes) -> None:
    for line in read_lines(data).lines:
        assert line.text == line.text.strip()
        for char in line.text:
            assert char == "\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


@settings(deadline=None)
@given(TEXTS)
def test_what_reads_lines_is_total(data: bytes) -> None:
    lines = read_lines(data).lines
    everywhere = set(range(len(lines)))
    assert read_listings(lines)[1] <= everywhere
    assert read_commands(lines)[1] <= everywhere
    interleaving(lines)


@given(st.integers(1, 40), st.sampled_from([b"> ", b">", b"| "]))
def test_quoting_changes_depth_only(depth: int, mark: bytes) -> None:
    (line,) = read_lines(mark * depth + b"[   12.345678]  frob+0x10/0x20").lines
    assert (line.quote, line.text, line.indent, line.usec) == (
        depth,
        "frob+0x10/0x20",
        1,
        12_345_678,
    )


@given(st.integers(0, 10**9 - 1), st.integers(0, 999_999))
def test_stamp(seconds: int, fraction: int) -> None:
    (line,) = read_lines(b"[%5d.%06d] Mem abort info:" % (seconds, fraction)).lines
    assert (line.usec, line.text) == (seconds * 1_000_000 + fraction, "Mem abort info:")
