"""A capture in pieces."""

import tracemalloc

import pytest

from builders.captures import OOPS, quiet, screened, stamped, whole
from whypanic.crashlog.windows import BEFORE, LONGEST, Capture, slices, whole_lines


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_chunks_are_cut_behind_lines(size: int) -> None:
    data = b"one\n\ntwo three\n" * 9 + b"end"
    blocks = list(whole_lines(data[at : at + size] for at in range(0, len(data), size)))
    assert b"".join(blocks) == data
    assert all(block.endswith(b"\n") for block in blocks[:-1])


def test_endless_line_is_cut_and_lines_are_still_counted() -> None:
    chunks = [b"a\n", *[b"x" * LONGEST] * 5, b"y\nb\n"]
    blocks = b"".join(whole_lines(chunks))
    assert blocks.count(b"\n") == 3
    assert blocks.endswith(b"x\nb\n")
    assert len(blocks) == LONGEST + len(b"a\n\nb\n")


def test_quiet_text_is_passed_over() -> None:
    capture = Capture(slices(quiet(50_000).encode()))
    assert list(capture.pieces(lambda _: True)) == []
    assert capture.n_lines == 50_000


def test_window_begins_before_its_line() -> None:
    text = quiet(3000) + stamped(OOPS) + quiet(3000)
    (piece,) = list(Capture(slices(text.encode())).pieces(lambda _: True))
    assert piece.first_line == 3001 - BEFORE
    assert piece.data.splitlines()[BEFORE] == stamped(OOPS).encode().splitlines()[0]


def test_boot_lines_are_kept() -> None:
    banner = "[    0.000000] Linux version 6.6.9 (a@b) (gcc 13.2.0) #1 SMP\n"
    text = quiet(500) + banner + quiet(5000)
    pieces = list(Capture(slices(text.encode())).pieces(lambda _: True))
    assert pieces == [(501, banner.encode())]


def test_only_carriage_returns() -> None:
    text = (quiet(300) + stamped(OOPS)).replace("\n", "\r")
    assert [r.span.first_line for r in screened(text.encode())] == [301]


@pytest.mark.parametrize("size", [37, 1000, 1 << 20])
@pytest.mark.parametrize("caller", ["", "[T7]"])
def test_same_reports_as_without_the_screen(size: int, caller: str) -> None:
    text = ""
    for second in range(5):
        one = OOPS.replace("71", f"7{second}").replace("28\n", f"{second}8\n")
        text += quiet(700 * second, 40) + stamped(one, second, caller)
    data = text.encode()
    assert len(whole(data)) == 5
    assert screened(data, size) == whole(data)


def test_dense_reports_are_read_in_pieces() -> None:
    data = "".join(
        stamped(OOPS.replace("quux", f"q{n}").replace("PID: 71", f"PID: {n}"), n)
        for n in range(800)
    ).encode()
    found = screened(data)
    assert len(found) == 800
    assert found == whole(data)


def test_memory_does_not_grow_with_the_text() -> None:
    line = b"PS:80000085 PC:0000000080080000 ESR:f2000800\n"

    def peak(n_blocks: int) -> int:
        tracemalloc.start()
        capture = Capture(line * 200 + quiet(2000).encode() for _ in range(n_blocks))
        for _ in capture.pieces(lambda n: n % 2200 > 1000):
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1)
    assert peak(60) < peak(6) * 1.5
