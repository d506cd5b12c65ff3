import pytest
from hypothesis import given
from hypothesis import strategies as st

from whypanic.lab.kbuild_output import KbuildOutput, Step, first_error, place_of
from whypanic.model.lab import Diagnostic

_LD = "aarch64-linux-gnu-ld: "


def read(text: str) -> KbuildOutput:
    output = KbuildOutput(tree="/src", out="/objects")
    for line in text.splitlines():
        output.feed(line)
    return output


def one(text: str) -> Diagnostic:
    (found,) = read(text).diagnostics()
    return found


def test_steps_and_objects() -> None:
    output = read(
        "  GEN     Makefile\n  HOSTCC  scripts/basic/fixdep\n  CC      init/main.o\n"
        "  CC [M]  drivers/toy.o\n  AR      init/built-in.a\n  LD      vmlinux.o\n    CC      no\n"
    )
    assert output.n_objects == 4
    assert output.current == Step("LD", "vmlinux.o")
    assert output.diagnostics() == ()


@pytest.mark.parametrize(
    ("text", "level", "file", "line", "said"),
    [
        # gcc and clang
        ("/src/a/b.c:3:7: error: no tea", "error", "a/b.c", 3, "no tea"),
        ("a/b.c:3:7: fatal error: x.h: No such file", "error", "a/b.c", 3, "x.h: No such file"),
        ("../a/b.c:3:7: warning: old [-Wold]", "warning", "../a/b.c", 3, "old [-Wold]"),
        ("/objects/include/g.h:1:1: note: here", "note", "include/g.h", 1, "here"),
        ("<inline asm>:1:2: error: bad register", "error", "<inline asm>", 1, "bad register"),
        ("clang-19: error: cannot run: Killed", "error", None, None, "cannot run: Killed"),
        (
            "/opt/x/bin/aarch64-gcc: fatal error: Killed signal",
            "error",
            None,
            None,
            "Killed signal",
        ),
        # as
        (
            "/src/a/e.S:33: Error: unknown mnemonic `foo'",
            "error",
            "a/e.S",
            33,
            "unknown mnemonic `foo'",
        ),
        # GNU ld
        (
            f"{_LD}/src/a/b.c:12: undefined reference to `x'",
            "error",
            "a/b.c",
            12,
            "undefined reference to `x'",
        ),
        (
            "b.c:(.text+0x12): undefined reference to `x'",
            "error",
            "b.c",
            None,
            "undefined reference to `x'",
        ),
        (
            f"{_LD}a/b.o:(.bss+0x0): multiple definition of `x'; c.o",
            "error",
            "a/b.o",
            None,
            "multiple definition of `x'; c.o",
        ),
        (f"{_LD}cannot find -lx", "error", None, None, "cannot find -lx"),
        (f"{_LD}warning: orphan section `.x'", "warning", None, None, "orphan section `.x'"),
        # ld.lld
        ("ld.lld-19: error: undefined symbol: x", "error", None, None, "undefined symbol: x"),
        # modpost
        (
            'ERROR: modpost: "x" [drivers/toy.ko] undefined!',
            "error",
            None,
            None,
            '"x" [drivers/toy.ko] undefined!',
        ),
        (
            "WARNING: modpost: vmlinux.o: section mismatch",
            "warning",
            None,
            None,
            "vmlinux.o: section mismatch",
        ),
        # kconfig
        (".config:33:warning: override: A", "warning", ".config", 33, "override: A"),
        ("arch/arm64/Kconfig:12: syntax error", "error", "arch/arm64/Kconfig", 12, "syntax error"),
        (
            "lib/Kconfig:5:error: recursive dependency detected!",
            "error",
            "lib/Kconfig",
            5,
            "recursive dependency detected!",
        ),
        # make, the shell, the kernel's scripts
        (
            "make[2]: *** No rule to make target 'a', needed by 'b'.  Stop.",
            "error",
            None,
            None,
            "No rule to make target 'a', needed by 'b'.  Stop.",
        ),
        ("/src/Makefile:12: *** no good.  Stop.", "error", "Makefile", 12, "no good."),
        ("/bin/sh: 1: bc: not found", "error", None, None, "bc: not found"),
        (
            "make[1]: flex: No such file or directory",
            "error",
            None,
            None,
            "flex: No such file or directory",
        ),
        ("*** Compiler is too old.", "error", None, None, "Compiler is too old."),
        (
            "error: kvm_nvhe.tmp.o: unexpected section",
            "error",
            None,
            None,
            "kvm_nvhe.tmp.o: unexpected section",
        ),
    ],
)
def test_complaints(text: str, level: str, file: str | None, line: int | None, said: str) -> None:
    found = one(text)
    assert (found.level, found.file, found.line, found.text) == (level, file, line, said)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "make[1]: Entering directory '/objects'",
        "make[3]: *** Waiting for unfinished jobs....",
        f"{_LD}a/b.o: in function `f':",
        "   12 |   foo: error",
        "# configuration written to .config",
    ],
)
def test_lines_that_are_no_complaint(text: str) -> None:
    assert read(text).diagnostics() == ()


def test_error_in_a_header_belongs_to_what_included_it() -> None:
    found = one(
        "  CC      kernel/fork.o\n"
        "  CC      kernel/exit.o\n"
        "In file included from /src/include/linux/list.h:5,\n"
        "                 from /src/kernel/fork.c:17:\n"
        "/src/include/linux/kernel.h:12:9: error: expected ';'\n"
        "make[3]: *** [/src/scripts/Makefile.build:250: kernel/fork.o] Error 1\n"
        "make[2]: *** [/src/scripts/Makefile.build:500: kernel] Error 2\n"
    )
    assert (found.file, found.target) == ("include/linux/kernel.h", "kernel/fork.o")


def test_object_with_a_name_of_its_own() -> None:
    found = one("  CC      kvm/nvhe/switch.nvhe.o\n/src/kvm/nvhe/switch.c:1:1: error: bad\n")
    assert found.target == "kvm/nvhe/switch.nvhe.o"


def test_complaint_of_a_link_belongs_to_what_is_linked() -> None:
    found = one(
        "  CC      kernel/fork.o\n  LD      vmlinux\n"
        f"{_LD}/src/kernel/fork.c:12: undefined reference to `x'\n"
        "make: *** [/src/Makefile:1: vmlinux] Error 1\n"
    )
    assert found.target == "vmlinux"


def test_more_of_lld() -> None:
    found = one(
        "  LD      vmlinux.o\nld.lld: error: undefined symbol: x\n"
        ">>> referenced by fork.c:12 (/src/kernel/fork.c:12)\n>>>   vmlinux.o:(copy)\n"
    )
    assert (found.file, found.line, found.target) == ("kernel/fork.c", 12, "vmlinux.o")
    assert "vmlinux.o:(copy)" in found.text


def test_error_without_an_object_belongs_to_the_first_that_failed() -> None:
    output = read("ld: bad\nmake[1]: *** [x:1: a.o] Error 1\nmake: *** [Makefile:2: all] Error 2\n")
    assert output.failed_targets() == ("a.o", "all")
    assert output.diagnostics()[0].target == "a.o"


def test_why_it_failed_in_a_line() -> None:
    error = Diagnostic(level="error", text="bad", file="a.c", line=3, column=1, target="a.o")
    warning = Diagnostic(level="warning", text="old")
    assert first_error((warning, error), ("b.o",), ()) == "a.c:3:1: bad (making a.o)"
    assert first_error((warning,), ("b.o",), ("last",)) == "make could not make b.o: last"
    assert first_error((), (), ()) == "make failed"
    assert place_of(warning) == ""


def test_messages_are_bounded() -> None:
    output = read("a.c:1:1: error: x\n" * 1000)
    assert len(output.diagnostics()) + output.n_dropped == 1000
    assert len(output.diagnostics()) == 400


@given(st.lists(st.text(alphabet="ab /.:*[]()<>12\"' \tCLD", max_size=60), max_size=20))
def test_any_output_is_read(lines: list[str]) -> None:
    read("\n".join(["  CC      a.o", "ld.lld: error: x", *lines])).diagnostics()
