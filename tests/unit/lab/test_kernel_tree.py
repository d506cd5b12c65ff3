import os
import shutil
from pathlib import Path

import pytest

from builders.toy_tree import make_toy_tree
from whypanic.lab.kernel_tree import hash_tree, open_tree
from whypanic.model.errors import InputError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_toy_tree(tmp_path / "tree")


def hashed(tree: Path) -> str:
    return hash_tree(tree, tree.parent / "memory", say=lambda _: None)


def test_version_and_what_its_makefile_knows(tree: Path) -> None:
    opened = open_tree(tree)
    assert (opened.version, opened.knows_llvm_suffix) == ("6.1.99-toy", True)
    text = (tree / "Makefile").read_text()
    (tree / "Makefile").write_text(text.replace("LLVM_SUFFIX", "OTHER"))
    assert not open_tree(tree).knows_llvm_suffix


def test_a_makefile_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("VERSION = 1.2\nPATCHLEVEL = x\n")
    with pytest.raises(InputError, match="no kernel tree"):
        open_tree(tmp_path)


@pytest.mark.parametrize("trace", [".config", "include/config"])
def test_built_in_place(tree: Path, trace: str) -> None:
    (tree / trace).mkdir(parents=True)
    with pytest.raises(InputError, match="in place"):
        open_tree(tree)


def test_hash_is_of_contents_and_names(tree: Path) -> None:
    first = hashed(tree)
    assert hashed(tree) == first
    copy = shutil.copytree(tree, tree.with_name("copy"))
    assert hash_tree(copy, tree.parent / "other", say=lambda _: None) == first
    file = tree / "kernel/fork.c"
    text = file.read_text()
    file.write_text(text.replace("fork", "kork"))
    changed = hashed(tree)
    assert changed != first
    file.write_text(text)
    assert hashed(tree) == first
    file.rename(file.with_name("spoon.c"))
    assert hashed(tree) not in (first, changed)


def test_mode_and_links_count(tree: Path) -> None:
    first = hashed(tree)
    (tree / "kernel/fork.c").chmod(0o755)
    second = hashed(tree)
    (tree / "kernel/link").symlink_to("fork.c")
    assert len({first, second, hashed(tree)}) == 3


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("Documentation/a.rst", False),
        ("Documentation/Kconfig", True),
        ("arch/x86/kernel/a.c", False),
        ("arch/arm/boot/a.dtsi", True),
        ("arch/Kconfig", True),
        ("tools/testing/a.c", False),
        ("tools/objtool/a.c", True),
        (".git/index", False),
        ("kernel/fork.c.orig", False),
        ("kernel/new.c", True),
    ],
)
def test_what_counts(tree: Path, name: str, counts: bool) -> None:
    first = hashed(tree)
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text("new\n")
    assert (hashed(tree) != first) == counts


def test_old_files_are_not_read_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The clock of the check is far ahead: no file is recent.
    monkeypatch.setattr("whypanic.lab.kernel_tree.now_ns", lambda: 1 << 62)
    first = hashed(tree)

    def never(path: str, state: os.stat_result) -> str:
        raise AssertionError(path)

    monkeypatch.setattr("whypanic.lab.kernel_tree._digest", never)
    assert hashed(tree) == first


def test_recent_files_are_read_again(tree: Path) -> None:
    first = hashed(tree)
    file = tree / "kernel/fork.c"
    before = file.stat()
    # The same size and times, as a fast editor leaves them.
    file.write_text(file.read_text().replace("fork", "kork"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashed(tree) != first


def test_memory_that_is_damaged_is_made_anew(tree: Path) -> None:
    first = hashed(tree)
    (tree.parent / "memory").write_bytes(b"\xff\x00")
    assert hashed(tree) == first


def test_tree_that_cannot_be_read(tree: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        hash_tree(tree / "absent", tree.parent / "memory", say=lambda _: None)
