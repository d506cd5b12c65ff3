import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from builders.toy_tree import (
    COMPILER_TEXT,
    LINKER_TEXT,
    make_toy_programs,
    make_toy_tree,
    path_with,
    write_program,
)
from whypanic.lab.build import build, failure_lines, read_banner
from whypanic.lab.kbuild import BuildProgress
from whypanic.model.errors import HostError, InputError, UsageError
from whypanic.model.lab import BuildResult, BuildSpec, Diagnostic, OptionCheck


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildSpec:
    monkeypatch.setenv("PATH", path_with(make_toy_programs(tmp_path / "bin")))
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))
    tree = make_toy_tree(tmp_path / "tree")
    return BuildSpec(tree=str(tree), toolchain="gcc-99")


def n_makes(spec: BuildSpec) -> int:
    runs = Path(spec.tree).parent.glob("cache/lab/work/*/runs")
    return sum(len(path.read_text().splitlines()) for path in runs)


def source(spec: BuildSpec) -> Path:
    return Path(spec.tree, "kernel", "fork.c")


def test_builds_out_of_tree_and_reads_the_tools_back(spec: BuildSpec) -> None:
    seen: list[BuildProgress] = []
    before = sorted(Path(spec.tree).rglob("*"))
    result = build(spec, progress=seen.append)
    assert (result.ok, result.cached, result.reason) == (True, False, "")
    assert (result.compiler, result.linker) == (COMPILER_TEXT, LINKER_TEXT)
    assert sorted(Path(spec.tree).rglob("*")) == before
    for path in (result.image, result.vmlinux, result.kvm_nvhe, result.log):
        assert path and Path(path).is_file() and Path(path).parent == Path(result.folder)
    assert Path(result.folder, "modules/drivers/toy.ko").read_text() == "toy\n"
    assert Path(result.folder, ".config").is_file()
    compiled = [p for p in seen if p.phase == "compile"]
    assert "CC kernel/fork.o" in {p.current for p in compiled}
    assert [p.n_objects for p in compiled] == sorted(p.n_objects for p in compiled)
    assert compiled[-1].n_objects == 4
    assert all(p.n_expected and p.estimated for p in compiled)
    assert result.image_hash and len(result.image_hash) == 64


def test_second_call_is_a_hit_without_make(spec: BuildSpec) -> None:
    first = build(spec)
    second = build(spec)
    assert n_makes(spec) == 1
    assert second.cached
    assert msgspec.structs.replace(second, cached=False, seconds=first.seconds) == first


def test_key_follows_the_content(spec: BuildSpec) -> None:
    first = build(spec)
    text = source(spec).read_text()
    source(spec).write_text("int changed;\n")
    second = build(spec)
    assert second.folder != first.folder
    assert second.image_hash != first.image_hash
    source(spec).write_text(text)
    assert build(spec).folder == first.folder
    assert n_makes(spec) == 2
    copy = make_toy_tree(Path(spec.tree).with_name("copy"))
    third = build(msgspec.structs.replace(spec, tree=str(copy)))
    assert (third.cached, third.folder) == (True, first.folder)


def test_two_requests_with_one_config_share_a_build(spec: BuildSpec) -> None:
    first = build(spec)
    again = build(msgspec.structs.replace(spec, fragments=("CONFIG_KVM=y",)))
    assert again.folder == first.folder
    assert again.cached
    assert again.spec.fragments == ("CONFIG_KVM=y",)


def test_objects_are_reused_and_then_nothing_is_expected(spec: BuildSpec) -> None:
    first = build(spec)
    seen: list[BuildProgress] = []
    source(spec).write_text("int changed;\n")
    build(spec, progress=seen.append)
    assert {p.n_expected for p in seen if p.phase == "compile"} == {None}
    source(spec).write_text("int fork;\n")
    other = msgspec.structs.replace(spec, targets=("Image",))
    assert build(other).image_hash == first.image_hash


def test_count_of_an_earlier_build_is_no_estimate(spec: BuildSpec) -> None:
    build(spec)
    seen: list[BuildProgress] = []
    copy = make_toy_tree(Path(spec.tree).with_name("copy"))
    (copy / "kernel/fork.c").write_text("int other;\n")
    build(msgspec.structs.replace(spec, tree=str(copy)), progress=seen.append)
    assert {(p.n_expected, p.estimated) for p in seen if p.phase == "compile"} == {(4, False)}


def test_failure_names_file_line_and_object(spec: BuildSpec) -> None:
    source(spec).write_text("int a;\n#warning old\n#error no tea\n")
    result = build(spec)
    assert not result.ok
    assert result.reason == "kernel/fork.c:3:2: no tea (making kernel/fork.o)"
    warning, error = result.diagnostics
    assert (warning.level, warning.line, warning.target) == ("warning", 2, "kernel/fork.o")
    assert (error.level, error.file, error.column) == ("error", "kernel/fork.c", 2)
    lines = failure_lines(result)
    assert lines == [result.reason, f"  all that make said: {result.log}"]
    assert result.log and "#error" not in Path(result.log).read_text()
    source(spec).write_text("int fork;\n")
    assert build(spec).ok


def test_screen_of_many_errors(spec: BuildSpec) -> None:
    errors = tuple(
        Diagnostic(level="error", text=f"bad {n}", file="a.c", line=n, target=f"{n // 3}.o")
        for n in range(9)
    )
    check = OptionCheck(name="CONFIG_A", wanted="y", got="n", because="depends on B, which is n")
    result = BuildResult(
        spec=spec, ok=False, reason="why", folder="", diagnostics=errors, options=(check,)
    )
    assert failure_lines(result) == [
        "why",
        "  a.c:1: bad 1",
        "  a.c:2: bad 2",
        "  a.c:3: bad 3",
        "    making 1.o",
        "  a.c:4: bad 4",
        "  and 4 more errors",
        "  CONFIG_A=y became n: depends on B, which is n",
    ]


def test_failed_build_is_tried_again(spec: BuildSpec) -> None:
    source(spec).write_text("#error once\n")
    assert not build(spec).ok
    assert not build(spec).ok
    assert n_makes(spec) == 2


def test_refused_option_of_a_file_is_told_with_its_dependency(
    spec: BuildSpec, tmp_path: Path
) -> None:
    fragment = tmp_path / "tea.config"
    fragment.write_text("CONFIG_EXPERT=y\nCONFIG_TEA=y\n")
    result = build(msgspec.structs.replace(spec, fragments=(str(fragment),)))
    assert result.ok
    (check,) = [check for check in result.options if not check.kept]
    assert (check.name, check.wanted, check.got) == ("CONFIG_TEA", "y", "n")
    assert check.because == "depends on HAS_TEA, which depends on KETTLE, which is n"
    assert (
        build(msgspec.structs.replace(spec, fragments=(str(fragment),))).options == result.options
    )


def test_refused_option_given_by_name_ends_the_build(spec: BuildSpec) -> None:
    result = build(msgspec.structs.replace(spec, fragments=("CONFIG_TEA=y",)))
    assert not result.ok
    assert result.reason.startswith("CONFIG_TEA=y was refused, it is n: depends on HAS_TEA")


def test_line_of_our_config_gives_way(spec: BuildSpec) -> None:
    Path(spec.tree, "scripts/refused").write_text(
        "CONFIG_KVM=y\nCONFIG_LKDTM=y\nCONFIG_KALLSYMS=y\n"
    )
    Path(spec.tree, "arch/arm64/Kconfig").write_text(
        "choice\n\tprompt 'One'\nconfig LKDTM\n\tbool 'A'\nconfig OTHER\n\tbool 'B'\nendchoice\n"
        "config KALLSYMS\n\tbool 'K'\n\tdepends on TEA\n"
    )
    result = build(msgspec.structs.replace(spec, fragments=("CONFIG_OTHER=y",)))
    # The tree has no KVM, and LKDTM's choice went to what was asked for.
    assert result.ok
    assert [check.name for check in result.options if not check.kept] == ["CONFIG_KALLSYMS"]


def test_defconfig_and_file(spec: BuildSpec, tmp_path: Path) -> None:
    default = build(
        msgspec.structs.replace(spec, config="defconfig", fragments=("# CONFIG_KETTLE is not set",))
    )
    assert Path(default.folder, ".config").read_text() == (
        "CONFIG_DEFAULT=y\n# CONFIG_KETTLE is not set\n"
    )
    file = tmp_path / "my.config"
    file.write_text("CONFIG_MINE=y\nCONFIG_CUPS=3\n")
    mine = build(msgspec.structs.replace(spec, config=str(file), fragments=("CONFIG_CUPS=4",)))
    assert Path(mine.folder, ".config").read_text() == "CONFIG_MINE=y\nCONFIG_CUPS=4\n"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"tree": "/nowhere"}, InputError, "is no folder"),
        ({"tree": "/usr"}, InputError, "is no kernel tree"),
        ({"toolchain": "gcc-98"}, HostError, "no toolchain `gcc-98`"),
        ({"lto": "thin"}, UsageError, "builds no kernel with LTO thin"),
        ({"lto": "fat"}, UsageError, "no kind of LTO"),
        ({"config": "nothing"}, InputError, "is no config"),
        ({"fragments": ("CONFIG_A = y",)}, InputError, "is no option"),
        ({"fragments": ("/nowhere.config",)}, InputError, "cannot read"),
    ],
)
def test_what_cannot_be_built_is_said_at_once(
    spec: BuildSpec, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        build(msgspec.structs.replace(spec, **changes))
    assert n_makes(spec) == 0


def test_tree_built_in_place(spec: BuildSpec) -> None:
    Path(spec.tree, ".config").touch()
    with pytest.raises(InputError, match="in place") as caught:
        build(spec)
    assert "mrproper" in caught.value.hints[0]


def test_program_of_this_machine_is_missing(
    spec: BuildSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(spec.tree).parent / "bin"
    (folder / "make").symlink_to("/usr/bin/make")
    (folder / "bc").unlink()
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(HostError, match="no program `bc`") as caught:
        build(spec)
    assert caught.value.hints == ("install Debian's packages: bc",)


@pytest.mark.parametrize(
    ("said", "words", "hint"),
    [
        ("/bin/sh: 1: perl: not found", "needs `perl`", "package perl"),
        (
            "scripts/x.c:3:10: fatal error: gelf.h: No such file or directory",
            "gelf.h",
            "libelf-dev",
        ),
        ("cc1: error: x.o: No space left on device", "is full", "WHYPANIC_CACHE"),
    ],
)
def test_failure_of_the_machine_is_none_of_the_kernel(
    spec: BuildSpec, said: str, words: str, hint: str
) -> None:
    source(spec).write_text(f"#say {said}\n")
    with pytest.raises(HostError, match=words) as caught:
        build(spec)
    assert hint in caught.value.hints[0]


def test_image_of_another_compiler_is_refused(spec: BuildSpec) -> None:
    Path(spec.tree, "scripts/other-compiler").touch()
    result = build(spec)
    assert not result.ok
    assert "another compiler 1.2.3" in result.reason


def test_changed_compiler_is_another_build(spec: BuildSpec) -> None:
    first = build(spec)
    program = Path(spec.tree).parent / "bin" / "aarch64-linux-gnu-gcc-99"
    write_program(program, f"echo '{COMPILER_TEXT.replace('99.1.0', '99.2.0')}'")
    second = build(spec)
    assert second.folder != first.folder
    assert second.compiler == COMPILER_TEXT.replace("99.1.0", "99.2.0")


def test_deadline_ends_make(spec: BuildSpec) -> None:
    source(spec).write_text("#sleep 60\n")
    begin = time.monotonic()
    result = build(spec, deadline_s=1.5)
    assert time.monotonic() - begin < 15
    assert (result.ok, result.reason) == (False, "it took longer than 1.5 s")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_when_we_die(spec: BuildSpec, number: int) -> None:
    seconds = f"97.{os.getpid()}{int(number)}"
    source(spec).write_text(f"#sleep {seconds}\n")
    program = (
        "from whypanic.lab.build import build\n"
        "from whypanic.model.lab import BuildResult, BuildSpec, Diagnostic, OptionCheck\n"
        f"build(BuildSpec(tree={spec.tree!r}, toolchain='gcc-99'))\n"
    )
    paths = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as child:
        assert wait_for(lambda: is_running(seconds))
        child.send_signal(number)
    assert wait_for(lambda: not is_running(seconds))


def is_running(argument: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in words:
            return True
    return False


def wait_for(condition: object, seconds: float = 20.0) -> bool:
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("banner", "tools"),
    [
        (
            b"\0Linux version 6.12.1 (a@b) (Toy clang version 20.1.0 (5~toy), Toy LLD 20.1.0) #1 SMP\n",
            ("Toy clang version 20.1.0 (5~toy)", "Toy LLD 20.1.0"),
        ),
        (
            b"Linux version 4.19.1 (a@b) (gcc version 8.3.0 (Toy 8.3.0-6)) #7 SMP\n",
            ("gcc version 8.3.0 (Toy 8.3.0-6)", None),
        ),
        (b"no banner", (None, None)),
    ],
)
def test_banner(tmp_path: Path, banner: bytes, tools: tuple[str | None, str | None]) -> None:
    image = tmp_path / "Image"
    image.write_bytes(b"\x00" * 100 + banner)
    assert read_banner(image) == tools


def test_two_builds_of_the_same_at_once_are_one(spec: BuildSpec) -> None:
    source(spec).write_text("#sleep 0.7\n")
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(build, spec, say=said.append) for _ in range(2)]
        results = [run.result() for run in runs]
    assert sorted(result.cached for result in results) == [False, True]
    assert results[0].folder == results[1].folder
    assert n_makes(spec) == 1
    assert "waiting for another build with these objects" in said


def test_what_was_refused_by_name_is_refused_again(spec: BuildSpec, tmp_path: Path) -> None:
    by_name = msgspec.structs.replace(spec, fragments=("CONFIG_TEA=y",))
    assert not build(by_name).ok
    fragment = tmp_path / "tea.config"
    fragment.write_text("CONFIG_TEA=y\n")
    assert build(msgspec.structs.replace(spec, fragments=(str(fragment),))).ok
    assert not build(by_name).ok


def test_a_header_that_kernel_code_misses_is_not_this_machines(spec: BuildSpec) -> None:
    source(spec).write_text(
        "#say kernel/fork.c:1:10: fatal error: stdio.h: No such file or directory\n"
    )
    result = build(spec)
    assert not result.ok
    assert "stdio.h" in result.reason
