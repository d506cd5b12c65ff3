from pathlib import Path

import pytest

from builders.toy_tree import path_with, write_program
from whypanic.lab.kbuild import make_environment, make_words
from whypanic.lab.kernel_tree import KernelTree
from whypanic.model.lab import Toolchain

_TREE = KernelTree(Path("/src"), "6.1.99", knows_llvm_suffix=True)


def toolchain(family: str, *variables: tuple[str, str]) -> Toolchain:
    return Toolchain(
        id="toy",
        family=family,
        version="1.2.3",
        compiler="toy-cc",
        compiler_text="toy-cc 1.2.3",
        linker="toy-ld",
        linker_text="toy-ld",
        make_variables=variables,
    )


def test_words_of_make(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    words = make_words(_TREE, toolchain("clang", ("LLVM", "-19")), Path("/o"))
    assert words == (
        "make",
        "-C",
        "/src",
        "O=/o",
        "ARCH=arm64",
        "LLVM=-19",
        "KCPPFLAGS=-ffile-prefix-map=/o=. -ffile-prefix-map=/src/=",
        "LOCALVERSION=",
    )
    old = make_words(
        _TREE._replace(knows_llvm_suffix=False), toolchain("clang", ("LLVM", "-19")), Path("/o")
    )
    assert "CC=clang-19" in old
    assert "LLVM=-19" not in old


def test_ccache_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_program(tmp_path / "ccache", "")
    monkeypatch.setenv("PATH", path_with(tmp_path))
    words = make_words(_TREE, toolchain("gcc", ("CC", "toy-cc")), Path("/o"))
    assert [word for word in words if word.startswith("CC=")] == ["CC=ccache toy-cc"]


def test_environment_is_the_same_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KCFLAGS", "-O3")
    monkeypatch.setenv("MAKEFLAGS", "-k")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    monkeypatch.setenv("CCACHE_DIR", "/somewhere")
    environment = make_environment(Path("/o"))
    assert not {"KCFLAGS", "MAKEFLAGS", "LANG"} & environment.keys()
    assert environment["CCACHE_DIR"] == "/somewhere"
    assert environment["CCACHE_BASEDIR"] == "/o"
    assert environment["KBUILD_BUILD_TIMESTAMP"] == "Sat Jan  1 00:00:00 UTC 2000"
