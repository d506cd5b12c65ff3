"""Boot lines."""

import pytest

from builders.log_lines import fact, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.context import (
    BootCpu,
    CommandLine,
    DetectedFeature,
    Hardware,
    KernelVersion,
    MemoryRange,
    StartedAtEl,
)


def test_boot_cpu() -> None:
    cpu = fact("Booting Linux on physical CPU 0x0000000100 [0x411fd073]", BootCpu)
    assert (cpu.midr, cpu.mpidr) == (0x411FD073, 0x100)
    assert fact("Booting Linux on physical CPU 0x0", BootCpu).midr is None
    assert fact("Boot CPU: AArch64 Processor [410fd033]", BootCpu).midr == 0x410FD033


@pytest.mark.parametrize(
    ("compiler", "build"),
    [
        ("gcc version 7.3.0 (GCC)", "#12 SMP PREEMPT Thu Apr 2"),
        ("aarch64-linux-gnu-gcc (Debian 12) 12.2.0, GNU ld (GNU Binutils) 2.40", "#1 SMP"),
    ],
)
def test_banner(compiler: str, build: str) -> None:
    version = fact(f"Linux version 5.6.0-x (me@host) ({compiler}) {build}", KernelVersion)
    assert (version.release, version.compiler, version.build) == ("5.6.0-x", compiler, build)
    assert version.banner


def test_a_new_kernel_resets() -> None:
    assert recognised("Booting Linux on physical CPU 0x0").part is Part.RESET


def test_others() -> None:
    assert fact("Machine model: Some Board", Hardware).boot
    assert fact("CPU: All CPU(s) started at EL2", StartedAtEl).el == 2
    assert fact("CPU features: detected: ARM erratum 843419", DetectedFeature).name == (
        "ARM erratum 843419"
    )
    assert fact("Kernel command line: nokaslr quiet", CommandLine).text == "nokaslr quiet"


def test_memory_layout() -> None:
    text = "    vmalloc : 0xffff000008000000 - 0xffff7dffbfff0000   (129022 GB)"
    span = fact(text, MemoryRange)
    assert (span.name, span.first, span.last) == (
        "vmalloc", 0xFFFF000008000000, 0xFFFF7DFFBFFF0000,
    )  # fmt: skip
