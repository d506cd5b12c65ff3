import os
from pathlib import Path

from whypanic.app.source_tree import SourceTree
from whypanic.model.image import SourcePosition


def at(file: str | None, line: int | None) -> SourcePosition:
    return SourcePosition(function="f", file=file, line=line, column=None)


def test_a_line_of_the_tree_is_returned(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "a.c").write_text("one\n\ttwo;\n")
    tree = SourceTree(tmp_path)
    assert tree.statement(at("kernel/a.c", 2)) == "two;"
    assert tree.statement(at("kernel/a.c", 3)) == ""
    assert tree.statement(at("kernel/a.c", 0)) == ""
    assert tree.statement(at("kernel/b.c", 1)) == ""
    assert tree.statement(at(None, 1)) == ""


def test_nothing_outside_the_tree_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret\n")
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "link.c").symlink_to(secret)
    tree = SourceTree(folder)
    os.mkfifo(folder / "pipe.c")
    for name in ("../secret", str(secret), "link.c", "x/../../secret", "nul\0byte", "pipe.c", "."):
        assert tree.statement(at(name, 1)) == ""


def test_sizes_and_numbers_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "big.c").write_bytes(b"x\n" * (5 << 20))
    (tmp_path / "long.c").write_text("y" * 10_000)
    tree = SourceTree(tmp_path)
    assert tree.statement(at("big.c", 1)) == ""
    assert len(tree.statement(at("long.c", 1))) == 200
    for n in range(200):
        tree.statement(at(f"no{n}.c", 1))
    (tmp_path / "late.c").write_text("late\n")
    assert tree.statement(at("late.c", 1)) == ""


def test_lines_end_at_newlines_alone(tmp_path: Path) -> None:
    (tmp_path / "st.c").write_bytes("one;\n\f\u2028\x1c\ntwo;\r\nthree;\n".encode())
    tree = SourceTree(tmp_path)
    assert [tree.statement(at("st.c", line)) for line in (1, 3, 4)] == ["one;", "two;", "three;"]
