import os
import stat
import sys
import time
from pathlib import Path

import pytest

from whypanic.host import symbolizers
from whypanic.host.symbolizers import GNU, LLVM, Symbolizer, find_symbolizer
from whypanic.model.errors import HostError


def _program(folder: Path, name: str, code: str) -> Path:
    path = folder / name
    path.write_text(f"#!{sys.executable}\nimport os, sys\n{code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "an image: of mine"
    path.write_bytes(bytes(range(16)))
    return path


def _names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Symbolizer:
    for name in names:
        _program(tmp_path, name, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    return find_symbolizer()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["llvm-symbolizer", "llvm-symbolizer-19", "addr2line"], (LLVM, "llvm-symbolizer")),
        (
            ["llvm-symbolizer-9", "llvm-symbolizer-14", "llvm-symbolizer-19"],
            (LLVM, "llvm-symbolizer-19"),
        ),
        (["llvm-addr2line", "aarch64-linux-gnu-addr2line"], (LLVM, "llvm-addr2line")),
        (["llvm-addr2line-15", "addr2line"], (LLVM, "llvm-addr2line-15")),
        (["llvm-symbolizer-12", "addr2line"], (GNU, "addr2line")),
        (["addr2line", "aarch64-linux-gnu-addr2line"], (GNU, "aarch64-linux-gnu-addr2line")),
    ],
)
def test_the_most_exact_program_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], expected: tuple[str, str]
) -> None:
    found = _names(tmp_path, monkeypatch, *names)
    assert (found.engine, found.program) == (expected[0], str(tmp_path / expected[1]))


def test_without_any_the_packages_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HostError, match="no llvm-symbolizer and no addr2line") as raised:
        _names(tmp_path, monkeypatch)
    assert [hint.split()[-1] for hint in raised.value.hints] == [
        "llvm",
        "binutils-aarch64-linux-gnu",
    ]


def test_how_llvm_is_called(tmp_path: Path, image: Path) -> None:
    program = _program(tmp_path, "s", "print(sys.argv[1:])")
    called = Symbolizer(LLVM, str(program))(image, [0xFFFF800008000000, 4])
    assert called.strip() == str(
        [
            f"--obj={image}",
            "--output-style=JSON",
            "--inlines",
            "--relativenames",
            "--no-demangle",
            "--functions=short",
            "0xffff800008000000",
            "0x4",
        ]
    )
    assert "--functions=linkage" in Symbolizer(LLVM, str(program))(image, [4], linkage_names=True)


def test_how_addr2line_is_called(tmp_path: Path, image: Path) -> None:
    program = _program(tmp_path, "s", "print(sys.argv[1:])")
    called = Symbolizer(GNU, str(program))(image, [4])
    assert called.strip() == str(
        ["--addresses", "--functions", "--inlines", f"--exe={image}", "0x4"]
    )


def test_nothing_is_fetched(tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUGINFOD_URLS", "https://example.org")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    program = _program(
        tmp_path, "s", "print([os.environ.get(k) for k in ('DEBUGINFOD_URLS', 'LC_ALL')])"
    )
    assert Symbolizer(GNU, str(program))(image, [4]).strip() == "[None, 'C']"
    assert os.environ["DEBUGINFOD_URLS"] == "https://example.org"


def test_changes_are_made_to_a_copy(tmp_path: Path, image: Path) -> None:
    show = "path = sys.argv[-2].partition('=')[2]; print(path, open(path, 'rb').read().hex())"
    printed = Symbolizer(GNU, str(_program(tmp_path, "s", show)))(
        image, [4], changes=[(2, b"\xaa\xbb"), (8, bytes(2))]
    )
    path, _, data = printed.strip().rpartition(" ")
    assert data == "0001aabb04050607" + "00000a0b0c0d0e0f"
    assert not Path(path).exists()
    assert image.read_bytes() == bytes(range(16))


def test_an_image_that_cannot_be_copied(tmp_path: Path) -> None:
    program = Symbolizer(GNU, str(_program(tmp_path, "s", "")))
    with pytest.raises(HostError, match="cannot copy absent: no such file"):
        program(tmp_path / "absent", [4], changes=[(0, b"x")])


def test_an_image_too_large_to_copy(
    tmp_path: Path, image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(symbolizers, "_MAX_COPY_BYTES", 15)
    with pytest.raises(HostError, match="16 bytes: too many"):
        Symbolizer(GNU, str(_program(tmp_path, "s", "")))(image, [4], changes=[(0, b"x")])


@pytest.mark.parametrize(
    ("code", "engine", "message", "package"),
    [
        ("sys.exit('first\\nlast words')", LLVM, "ended with code 1: last words", "llvm"),
        ("sys.exit(3)", GNU, "ended with code 3", "binutils-aarch64-linux-gnu"),
        ("os.kill(os.getpid(), 11)", LLVM, "ended with signal 11", "llvm"),
    ],
)
def test_a_program_that_fails(
    tmp_path: Path, image: Path, code: str, engine: str, message: str, package: str
) -> None:
    with pytest.raises(HostError, match=message) as raised:
        Symbolizer(engine, str(_program(tmp_path, "s", code)))(image, [4])
    assert raised.value.hints[0].endswith(package)


def test_a_program_that_is_not_there(tmp_path: Path, image: Path) -> None:
    with pytest.raises(HostError, match="cannot start"):
        Symbolizer(GNU, str(tmp_path / "absent"))(image, [4])


def test_a_program_that_hangs_is_ended(tmp_path: Path, image: Path) -> None:
    note = tmp_path / "pid"
    code = f"import time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    program = _program(tmp_path, "s", code)
    begun = time.monotonic()
    with pytest.raises(HostError, match="ran longer than 1 s"):
        Symbolizer(LLVM, str(program), timeout_s=1)(image, [4])
    assert time.monotonic() - begun < 20
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
