"""The documents of the lab as text."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from builders.boots import BANNER, FINE, OOPS, boot_result, fake_booter
from builders.fake_qemu import KVM, LINUX, raw_image
from whypanic.app.explain_document import tool
from whypanic.app.lab_boot import BootOptions, boot_kernel
from whypanic.app.lab_build import build_document
from whypanic.app.lab_toolchains import toolchain_of
from whypanic.model.lab import (
    BuildResult,
    BuildSpec,
    Diagnostic,
    GuestResult,
    LabVerdict,
    OptionCheck,
    Toolchain,
)
from whypanic.report.lab_document import (
    BootDocument,
    DiffDocument,
    DocComparison,
    DocParting,
    ToolchainsDocument,
)
from whypanic.report.lab_text import render_boot, render_build, render_diff, render_toolchains
from whypanic.report.text import Style

PLAIN = Style(width=100)
GCC = Toolchain(
    id="gcc-12",
    family="gcc",
    version="12.2.0",
    compiler="aarch64-linux-gnu-gcc-12",
    compiler_text="gcc 12.2.0",
    linker="aarch64-linux-gnu-ld",
    linker_text="GNU ld",
    make_variables=(("CROSS_COMPILE", "aarch64-linux-gnu-"),),
)


def toolchains(*found: Toolchain) -> str:
    rows = [toolchain_of(each) for each in found]
    return render_toolchains(ToolchainsDocument(schema="s", tool=tool(), toolchains=rows), PLAIN)


def test_toolchains() -> None:
    broken = replace(GCC, id="clang-99", missing=("ld.lld-99",), notes=("install lld-99",))
    lines = toolchains(GCC, broken).splitlines()
    assert lines[0].split() == ["toolchain", "version", "linker", "LTO", "make", "variables"]
    assert lines[1].split() == [
        "gcc-12",
        "12.2.0",
        "aarch64-linux-gnu-ld",
        "-",
        "CROSS_COMPILE=aarch64-linux-gnu-",
    ]
    assert lines[3:] == ["clang-99 12.2.0: lacks `ld.lld-99`", "  install lld-99"]
    assert toolchains().startswith("no compiler for arm64 kernels")


SPEC = BuildSpec(tree="linux", toolchain="gcc-12")


def test_a_build_that_is_fine() -> None:
    result = BuildResult(
        spec=SPEC,
        ok=True,
        folder="/kept",
        image="/kept/Image",
        compiler="gcc 12",
        seconds=61.4,
        options=(
            OptionCheck(name="CONFIG_A", wanted="y", got="y"),
            OptionCheck(name="CONFIG_B", wanted="y", got="n", because="it needs CONFIG_C"),
        ),
        diagnostics=(Diagnostic(level="warning", text="odd", file="a.c", line=3),),
    )
    text = render_build(build_document(result), (), PLAIN)
    assert text.splitlines()[0] == "ok: linux with gcc-12, LTO none, virt-min, built in 61 s"
    assert "  refused   CONFIG_B=y became n: it needs CONFIG_C\n" in text
    assert "CONFIG_A" not in text
    assert "  warning   a.c:3: odd\n" in text
    again = build_document(replace(result, cached=True))
    assert "found, built before" in render_build(again, (), PLAIN)


def test_a_build_that_failed() -> None:
    result = BuildResult(spec=SPEC, ok=False, reason="no", folder="/failed")
    text = render_build(build_document(result), ("the reason", "  a.c:3: \x1b[31mbad"), PLAIN)
    assert text.splitlines() == [
        "build failed: linux with gcc-12, LTO none, virt-min, 0 s",
        "  the reason",
        "    a.c:3: \\x1b[31mbad",
    ]


@pytest.fixture
def boots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BootDocument:
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "Image").write_bytes(raw_image(KVM, LINUX))
    guest = GuestResult(passed=6, failed=1, skipped=0, failures=("mmio: no exit",))
    panic = boot_result(LabVerdict.PANIC, reason="NULL pointer dereference", seconds=0.5)
    results = {
        "nvhe": FINE,
        "vhe": panic,
        "nvhe-on-vhe": panic,
        "protected": boot_result(LabVerdict.KVM_FAIL, reason="mmio", guest=guest),
    }
    consoles = {"vhe": BANNER + OOPS, "nvhe-on-vhe": BANNER + OOPS}
    options = BootOptions(initramfs="i", modes="el1,nvhe,vhe,nvhe-on-vhe,protected")
    return boot_kernel(
        str(tmp_path / "Image"),
        options,
        say=lambda _: None,
        progress=lambda _: None,
        booter=fake_booter(results, consoles),
    )


def test_the_table_of_boots(boots: BootDocument) -> None:
    lines = render_boot(boots, PLAIN).splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("mode "))
    rows = [line.split(maxsplit=4) for line in lines[head + 1 : head + 6]]
    assert rows[1] == ["nvhe", "ok", "7/0/0", "1.2", "kvm [1]: Hyp mode initialized successfully"]
    assert lines[head + 1].split() == ["el1", "not-applicable", "this", "kernel", "cannot"]
    assert rows[2] == ["vhe", "panic", "0.5", "NULL", "pointer dereference"]
    assert "  protected: guest test mmio: no exit" in lines


def test_equal_diagnoses_are_shown_once(boots: BootDocument) -> None:
    text = render_boot(boots, PLAIN)
    assert "-- vhe, nvhe-on-vhe ---" in text
    assert text.count("cause: null-pointer-dereference") == 1
    assert "protected: kvm-fail: mmio" in text


def test_colours_only_where_asked(boots: BootDocument) -> None:
    assert "\x1b" not in render_boot(boots, PLAIN)
    assert "\x1b[32mok " in render_boot(boots, PLAIN._replace(colour=True))


def comparison(name: str, **fields: object) -> DocComparison:
    given = {"a": "a.log", "b": "b.log", "equal": False, "parting": None, **fields}
    return DocComparison(name=name, **given)  # type: ignore[arg-type]


def test_where_logs_part() -> None:
    parting = DocParting(line=4, a="one\x07", b=None, before=["zero"])
    document = DiffDocument(
        schema="s",
        tool=tool(),
        a="a",
        b="b",
        ignored=["times"],
        comparisons=[
            comparison("el1", equal=True),
            comparison("nvhe", parting=parting),
            comparison("vhe", b=None),
        ],
    )
    assert render_diff(document, PLAIN).splitlines() == [
        "not compared: times",
        "el1: equal",
        "nvhe: equal up to line 3",
        "    zero",
        "  a one\\x07",
        "  b (ends here)",
        "vhe: only a.log is there",
    ]


def test_silent_boots_with_other_diagnoses_are_shown_apart(boots: BootDocument) -> None:
    failed = [cell for cell in boots.cells if cell.diagnosis is not None][:2]
    assert len(failed) == 2
    one, other = (
        replace(cell.diagnosis, signature="boot-hang") for cell in failed if cell.diagnosis
    )
    cells = [
        replace(failed[0], diagnosis=replace(one, title="silent hang at EL1")),
        replace(failed[1], diagnosis=replace(other, title="no early output at EL2")),
    ]
    text = render_boot(replace(boots, cells=cells), PLAIN)
    assert "silent hang at EL1" in text
    assert "no early output at EL2" in text
    alike = [replace(cell, diagnosis=cells[0].diagnosis) for cell in cells]
    document = replace(boots, cells=alike)
    assert render_boot(document, PLAIN).count("silent hang at EL1") == 1
    everything = render_boot(document, PLAIN._replace(everything=True))
    assert everything.count("silent hang at EL1") == 2
