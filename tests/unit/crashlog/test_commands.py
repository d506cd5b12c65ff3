from whypanic.crashlog.commands import read_commands
from whypanic.crashlog.lines import read_lines
from whypanic.model.code import SourceLocation
from whypanic.model.context import Compiler

Place = tuple[int | None, str | None, str | None, int | None]


def places(text: str) -> list[Place]:
    facts, _ = read_commands(read_lines(text.encode()).lines)
    return [
        (fact.address, fact.function, fact.file, fact.line)
        for fact in facts
        if isinstance(fact, SourceLocation)
    ]


def compilers(text: str) -> list[str]:
    facts, _ = read_commands(read_lines(text.encode()).lines)
    return [fact.words for fact in facts if isinstance(fact, Compiler)]


def test_addr2line_behind_a_prompt() -> None:
    text = (
        "> [me@box:~/linux]% usefrob 17 aarch64-linux-gnu-addr2line -ife vmlinux ffff000008a01234\n"
        "> frob_mode\n> /home/me/linux/drivers/frob/mode.c:38 (discriminator 2)\n>\n> words\n"
    )
    assert places(text) == [
        (0xFFFF000008A01234, "frob_mode", "/home/me/linux/drivers/frob/mode.c", 38)
    ]


def test_addr2line_lines_used() -> None:
    text = "x\n$ addr2line -fe vmlinux 0xffff000008a01234\nfrob\na/b.c:1\ny\n"
    _, used = read_commands(read_lines(text.encode()).lines)
    assert used == {1, 2, 3}


def test_addr2line_inlined() -> None:
    text = "$ addr2line -ife vmlinux ffff000008a01234\ninner\na.h:1\nouter\nb.c:2\n"
    address = 0xFFFF000008A01234
    assert places(text) == [(address, "inner", "a.h", 1), (address, "outer", "b.c", 2)]


def test_addr2line_pretty() -> None:
    text = (
        "$ addr2line -pife vmlinux ffff000008a01234\ninner at a.h:1\n (inlined by) outer at b.c:2\n"
    )
    address = 0xFFFF000008A01234
    assert places(text) == [(address, "inner", "a.h", 1), (address, "outer", "b.c", 2)]


def test_addr2line_places_alone_and_unknown() -> None:
    assert places("$ addr2line -e vmlinux ffff000008a01234\n??:0\n") == [
        (0xFFFF000008A01234, None, None, None)
    ]
    assert places("$ addr2line -fe vmlinux ffff000008a01234\n??\n??:?\n") == [
        (0xFFFF000008A01234, None, None, None)
    ]


def test_addr2line_several_addresses() -> None:
    text = "$ addr2line -e vmlinux ffff000008a01234 0xffff000008a05678\na.c:1\nb.c:2\n"
    assert places(text) == [
        (0xFFFF000008A01234, None, "a.c", 1),
        (0xFFFF000008A05678, None, "b.c", 2),
    ]
    doubtful = "$ addr2line -ie vmlinux ffff000008a01234 ffff000008a05678\na.c:1\nb.c:2\nc.c:3\n"
    assert [place[0] for place in places(doubtful)] == [None, None, None]


def test_addr2line_printed_addresses() -> None:
    text = (
        "$ addr2line -aie vmlinux ffff000008a01234 ffff000008a05678\n"
        "0xffff000008a01234\na.c:1\nb.c:2\n0xffff000008a05678\nc.c:3\n"
    )
    assert [place[0] for place in places(text)] == [
        0xFFFF000008A01234,
        0xFFFF000008A01234,
        0xFFFF000008A05678,
    ]


def test_addr2line_from_a_pipe() -> None:
    assert places("$ echo 0xffff000008a01234 | addr2line -e vmlinux\na.c:1\n")[0][0] == (
        0xFFFF000008A01234
    )


def test_faddr2line() -> None:
    text = "frob_mode+0x12/0x34:\ninner at a.h:1\n(inlined by) frob_mode at b.c:2\n"
    facts, _ = read_commands(read_lines(text.encode()).lines)
    first, second = facts
    assert isinstance(first, SourceLocation)
    assert isinstance(second, SourceLocation)
    assert (first.function, first.line, second.function, second.line) == (
        "inner",
        1,
        "frob_mode",
        2,
    )
    assert first.ref is not None
    assert (first.ref.symbol, first.ref.offset, first.ref.size) == ("frob_mode", 0x12, 0x34)


def test_gdb() -> None:
    assert places(
        "(gdb) list *(frob+0x12)\n0xffff000008a01234 is in frob (a/b.c:56).\n51\tint x;\n"
    ) == [(0xFFFF000008A01234, "frob", "a/b.c", 56)]
    info = 'Line 56 of "a/b.c" starts at address 0xffff000008a01234 <frob+4> and ends at 0xffff000008a01238 <frob+8>.'
    assert places(info) == [(0xFFFF000008A01234, "frob", "a/b.c", 56)]


def test_compilers_in_prose() -> None:
    assert compilers("It was built with clang-5, see below.") == ["clang-5"]
    assert compilers("works with the Linaro 17.05 GCC 6.3.1 toolchain.") == [
        "Linaro 17.05 GCC 6.3.1 toolchain"
    ]
    assert compilers("clang version 5.0.0 is bad, gcc 7.2 is good") == [
        "clang version 5.0.0",
        "gcc 7.2",
    ]
    assert compilers("we compiled the kernel with clang") == ["clang"]


def test_no_compilers() -> None:
    for text in (
        "frob.llvm.1234567+0x10/0x20",
        "[    0.000000] Linux version 5.4.0 (me@box) (gcc version 9.3.0) #1 SMP",
        "use llvm-objdump",
        "clang is a compiler",
    ):
        assert compilers(text) == [], text


def test_nothing() -> None:
    assert read_commands(()) == ((), set())
