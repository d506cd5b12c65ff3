from pathlib import Path

import pytest

from builders.toy_tree import write_program
from whypanic.lab.toolchains import (
    find_toolchain,
    find_toolchains,
    host_needs,
    spelled_variables,
)
from whypanic.model.errors import HostError, InputError

_LLVM = ("ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy")


def programs(folder: Path, *names: str, text: str = "echo 'a program'") -> None:
    for name in names:
        write_program(folder / name, text)


def gcc(folder: Path, n: str) -> None:
    name = f"aarch64-linux-gnu-gcc{n}"
    write_program(folder / name, f"echo '{name} (Toy 12.2.0-14) 12.3.4 20990101'; echo more")
    write_program(folder / "aarch64-linux-gnu-ld", "echo 'GNU ld (Toy) 9.41'")
    programs(folder, "aarch64-linux-gnu-objcopy")


def clang(folder: Path, n: str, *, whole: bool = True) -> None:
    write_program(folder / f"clang{n}", "echo 'Toy clang version 21.1.0rc2 (5~toy1)'")
    if whole:
        programs(folder, *(f"{name}{n}" for name in _LLVM))
        write_program(folder / f"ld.lld{n}", "echo 'Toy LLD 21.1.0 (compatible with GNU linkers)'")


@pytest.fixture
def only(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which nothing but `tmp_path/bin` is on PATH."""
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin")}


def test_versioned_programs_in_order_of_their_numbers(tmp_path: Path, only: dict[str, str]) -> None:
    for n in ("-9", "-12", ""):
        gcc(tmp_path / "bin", n)
    clang(tmp_path / "bin", "-19")
    found = find_toolchains(environment=only)
    assert [t.id for t in found] == ["gcc-9", "gcc-12", "gcc", "clang-19"]
    assert found[1].version == "12.3.4"
    assert found[1].make_variables == (
        ("CROSS_COMPILE", "aarch64-linux-gnu-"),
        ("CC", "aarch64-linux-gnu-gcc-12"),
    )
    assert found[1].lto == ("none",)
    assert found[3].version == "21.1.0"
    assert found[3].linker_text == "Toy LLD 21.1.0 (compatible with GNU linkers)"
    assert found[3].make_variables == (("LLVM", "-19"), ("LLVM_IAS", "1"))
    assert found[3].lto == ("none", "thin", "full")
    assert not any(t.notes or t.missing for t in found)


def test_clang_without_lld_links_with_binutils(tmp_path: Path, only: dict[str, str]) -> None:
    clang(tmp_path / "bin", "-14", whole=False)
    gcc(tmp_path / "bin", "")
    found = find_toolchain("clang-14", environment=only)
    assert found.linker == "aarch64-linux-gnu-ld"
    assert found.lto == ("none",)
    assert found.notes == (
        "no ld.lld-14, llvm-ar-14, llvm-nm-14, llvm-objcopy-14: links with aarch64-linux-gnu-ld, no LTO",
        "install Debian's packages lld-14 llvm-14",
    )


def test_clang_without_any_linker(tmp_path: Path, only: dict[str, str]) -> None:
    clang(tmp_path / "bin", "-14", whole=False)
    (found,) = find_toolchains(environment=only)
    assert "ld.lld-14" in found.missing
    assert not found.linker_text
    with pytest.raises(HostError, match="`clang-14` lacks `ld") as caught:
        find_toolchain("clang-14", environment=only)
    assert "install Debian's packages lld-14 llvm-14" in caught.value.hints


def test_absent_version_names_packages_and_what_is_there(
    tmp_path: Path, only: dict[str, str]
) -> None:
    gcc(tmp_path / "bin", "-12")
    with pytest.raises(HostError, match="no program `clang-20`") as caught:
        find_toolchain("clang-20", environment=only)
    assert caught.value.hints == (
        "install Debian's packages clang-20 lld-20 llvm-20",
        "on this machine: gcc-12",
    )
    with pytest.raises(InputError, match="is no toolchain"):
        find_toolchain("tcc", environment=only)


@pytest.mark.parametrize("place", ["", "/bin", "/.."])
def test_unpacked_llvm(tmp_path: Path, only: dict[str, str], place: str) -> None:
    folder = tmp_path / "llvm-21"
    clang(folder / "bin", "")
    name = str(folder if place != "/.." else tmp_path) + (place if place == "/bin" else "")
    found = find_toolchain(name + "/", environment=only)
    assert found.id == str(folder)
    assert found.make_variables[0] == ("LLVM", f"{folder}/bin/")
    assert found.lto == ("none", "thin", "full")
    assert found in find_toolchains((str(tmp_path),), environment=only)
    assert found in find_toolchains(environment=only | {"WHYPANIC_TOOLCHAINS": str(folder)})


def test_unpacked_crosstool(tmp_path: Path, only: dict[str, str]) -> None:
    prefix = f"{tmp_path}/gcc-13.2.0-nolibc/aarch64-linux/bin/aarch64-linux-"
    write_program(Path(f"{prefix}gcc"), "echo 'aarch64-linux-gcc (GCC) 13.2.0'")
    write_program(Path(f"{prefix}ld"), "echo 'GNU ld (GNU Binutils) 2.41'")
    programs(Path(prefix).parent, "aarch64-linux-objcopy")
    for name in (prefix, str(Path(prefix).parents[1]), str(Path(prefix).parents[2])):
        found = find_toolchain(name, environment=only)
        assert found.version == "13.2.0"
        assert found.make_variables == (("CROSS_COMPILE", prefix),)
    with pytest.raises(HostError, match="no compiler for aarch64"):
        find_toolchain(str(tmp_path / "bin"), environment=only)


def test_cross_compile_of_the_environment(tmp_path: Path, only: dict[str, str]) -> None:
    gcc(tmp_path / "bin", "")
    programs(tmp_path / "bin", "aarch64-toy-ld", "aarch64-toy-objcopy")
    write_program(tmp_path / "bin/aarch64-toy-gcc", "echo 'aarch64-toy-gcc (Toy) 7.5.0'")
    same = find_toolchains(environment=only | {"CROSS_COMPILE": "aarch64-linux-gnu-"})
    assert [t.id for t in same] == ["gcc"]
    other = find_toolchains(environment=only | {"CROSS_COMPILE": "aarch64-toy-"})
    assert [(t.id, t.version) for t in other] == [("gcc", "12.3.4"), ("aarch64-toy-", "7.5.0")]


def test_a_compiler_that_does_not_run_is_none(tmp_path: Path, only: dict[str, str]) -> None:
    gcc(tmp_path / "bin", "-12")
    write_program(tmp_path / "bin/aarch64-linux-gnu-gcc-13", "exit 1")
    assert [t.id for t in find_toolchains(environment=only)] == ["gcc-12"]


def test_programs_are_spelled_for_old_trees(tmp_path: Path, only: dict[str, str]) -> None:
    clang(tmp_path / "bin", "-15")
    variables = dict(spelled_variables(find_toolchain("clang-15", environment=only)))
    assert variables["CC"] == "clang-15"
    assert variables["LD"] == "ld.lld-15"
    assert variables["LLVM_IAS"] == "1"
    assert "LLVM" not in variables
    gcc(tmp_path / "bin", "-12")
    plain = find_toolchain("gcc-12", environment=only)
    assert spelled_variables(plain) == plain.make_variables


def test_packages_of_this_machine() -> None:
    assert host_needs().package("flex") == "flex"
    assert host_needs().package("gelf.h") == "libelf-dev"
    assert host_needs().package("anything") is None
