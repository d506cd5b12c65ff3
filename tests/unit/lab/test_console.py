from pathlib import Path

from whypanic.lab.console import Console, says_panic

PANIC = b"[    1.234567] Kernel panic - not syncing: no working table\r\n"


def test_lines_come_whole_and_once(tmp_path: Path) -> None:
    path = tmp_path / "c"
    console = Console(path)
    assert console.read() == []
    path.write_bytes(b"one\r\ntw")
    assert console.read() == ["one"]
    with path.open("ab") as file:
        file.write(b"o\r\n")
    assert console.read() == ["two"]
    assert console.read() == []
    assert console.text == "one\ntwo\n"


def test_a_panic_is_seen_when_its_line_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "c"
    console = Console(path)
    path.write_bytes(PANIC[:40])
    console.read()
    assert console.since_panic is None
    path.write_bytes(PANIC)
    console.read()
    assert console.since_panic is not None


def test_only_the_kernels_own_words_are_a_panic() -> None:
    assert says_panic(PANIC)
    assert not says_panic(b"[    0.1] Command line: panic=-1 mechanic\n")
    assert not says_panic(b"ok 3 - would panic\n")


def test_output_restarts_the_silence_and_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "c"
    console = Console(path)
    path.write_bytes(b"x")
    before = console.quiet
    console.read()
    assert console.quiet is before
    assert console.quiet.seconds() < 5
    assert not console.is_full


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(b"\xff\0\x80\n")
    assert Console(path).read() == ["\\xff\0\\x80"]
