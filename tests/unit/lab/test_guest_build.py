import struct
from itertools import pairwise
from pathlib import Path

import pytest

from whypanic.lab import guest_build
from whypanic.lab.guest_build import (
    GUEST,
    Compiler,
    build_init,
    compilers,
    source_key,
    sources,
)
from whypanic.model.errors import HostError


def _fake(folder: Path, script: str) -> Compiler:
    path = folder / "cc"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return Compiler("cc", str(path), ("--for=aarch64",))


def test_sources_are_all_of_them() -> None:
    assert [path.name for path in sources()] == sorted(path.name for path in GUEST.iterdir())


def test_what_the_compiler_is_told(tmp_path: Path) -> None:
    compiler = _fake(tmp_path, f'echo "$@" >{tmp_path}/said; touch {tmp_path}/init')
    assert build_init(tmp_path / "init", compiler=compiler) == compiler
    said = (tmp_path / "said").read_text(encoding="utf-8").split()
    assert said[0] == "--for=aarch64"
    assert {"-nostdlib", "-static", "-ffreestanding", "-mgeneral-regs-only", "-Werror"} <= set(said)
    assert {str(p) for p in sources() if p.suffix in {".c", ".S"}} <= set(said)
    assert said[said.index("-o") + 1] == str(tmp_path / "init")


def test_the_first_error_is_told(tmp_path: Path) -> None:
    script = "echo 'In file included' >&2; echo 'init.c:3: error: no sense' >&2; exit 1"
    with pytest.raises(HostError, match=r"`cc` cannot build .*: init\.c:3: error: no sense"):
        build_init(tmp_path / "init", compiler=_fake(tmp_path, script))


def test_a_compiler_that_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no reason given"):
        build_init(tmp_path / "init", compiler=_fake(tmp_path, "exit 0"))


def test_no_compiler_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compilers() == ()
    with pytest.raises(HostError) as caught:
        build_init(tmp_path / "init")
    assert "apt-get install gcc-aarch64-linux-gnu" in caught.value.hints[0]


def test_gcc_comes_before_clang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("clang-19", "aarch64-linux-gnu-gcc-12", "aarch64-linux-gnu-gcc"):
        _fake(tmp_path, "")
        (tmp_path / "cc").rename(tmp_path / name)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(guest_build.platform, "machine", lambda: "x86_64")
    found = compilers()
    assert [c.name for c in found] == [
        "aarch64-linux-gnu-gcc",
        "aarch64-linux-gnu-gcc-12",
        "clang-19",
    ]
    assert "-fuse-ld=lld" in found[2].options


def test_an_arm64_machine_uses_its_own_gcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake(tmp_path, "")
    (tmp_path / "cc").rename(tmp_path / "gcc")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(guest_build.platform, "machine", lambda: "aarch64")
    assert [c.name for c in compilers()] == ["gcc"]


def test_the_key_changes_with_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.c").write_text("int a;", encoding="utf-8")
    monkeypatch.setattr(guest_build, "GUEST", tmp_path)
    first = source_key()
    assert source_key() == first
    (tmp_path / "a.c").write_text("int b;", encoding="utf-8")
    second = source_key()
    monkeypatch.setattr(guest_build, "FLAGS", ("-O0",))
    assert len({first, second, source_key()}) == 3


def _segments(elf: bytes) -> list[tuple[int, ...]]:
    assert struct.unpack_from("<4sBB", elf) == (b"\x7fELF", 2, 1)
    kind, machine = struct.unpack_from("<HH", elf, 16)
    assert (kind, machine) == (2, 183)  # ET_EXEC, EM_AARCH64
    (at,) = struct.unpack_from("<Q", elf, 32)
    size, n = struct.unpack_from("<HH", elf, 54)
    return [struct.unpack_from("<IIQQQQQQ", elf, at + size * i) for i in range(n)]


@pytest.mark.parametrize("family", ["gcc", "clang"])
def test_a_compiler_builds_it_the_same_twice(family: str, tmp_path: Path) -> None:
    compiler = next(
        (c for c in compilers() if c.name.startswith("clang") == (family == "clang")), None
    )
    if compiler is None:
        pytest.skip(f"no {family} for arm64: `bash scripts/setup.sh dev` installs it")
    build_init(tmp_path / "one", compiler=compiler)
    build_init(tmp_path / "two", compiler=compiler)
    init = (tmp_path / "one").read_bytes()
    assert init == (tmp_path / "two").read_bytes()
    assert len(init) < 32 << 10
    assert str(tmp_path).encode() not in init
    assert b"whypanic-init: start\0" in init
    loaded = [s for s in _segments(init) if s[0] == 1]
    assert {s[0] for s in _segments(init)} == {
        1,
        0x6474E551,
    }  # PT_LOAD, PT_GNU_STACK: no interpreter
    # A kernel of 64K pages can map it, and no page is to be written and run.
    assert all((s[2] - s[3]) % 0x10000 == 0 for s in loaded)
    assert all(s[1] & 3 != 3 for s in loaded)
    ends = [(s[3] >> 16, (s[3] + s[6] - 1) >> 16) for s in loaded]
    assert all(a[1] < b[0] for a, b in pairwise(ends))
