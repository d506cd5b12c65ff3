"""What is found in real machines that failed, KASLR on and the kernel unmodified but for a word."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from whypanic.host.clock import Stopwatch
from whypanic.host.machine import Machine
from whypanic.lab.autopsy import autopsy
from whypanic.lab.boot import boot
from whypanic.model.lab import BootResult, BootSpec, LabVerdict

SPIN, UNDEFINED = 0x14000000, 0x00000000
HYP_RUN, HYP_INIT = "__kvm_nvhe___kvm_vcpu_run", "__kvm_nvhe___do_hyp_init"
INITCALL = ("do_one_initcall", "kernel_init", "ret_from_fork")

Patch = Callable[..., str]


def _look(machine: Machine, result: BootResult) -> BootResult:
    clock = Stopwatch()
    found = autopsy(machine, result)
    # 5 s beside the dump, which takes a second for 256 MiB.
    assert clock.seconds() < 30
    return found


def _functions(result: BootResult) -> list[str]:
    """Return the functions that were called, without those that were inlined."""
    lines = (line for line in result.backtrace if not line.endswith("(inlined)"))
    return [line.partition(" ")[0].partition("+")[0] for line in lines]


def _has_in_order(found: list[str], wanted: tuple[str, ...]) -> bool:
    rest = iter(found)
    return all(name in rest for name in wanted)


def _dmesg(result: BootResult) -> str:
    return Path(result.artifacts["dmesg"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ["el1", "nvhe", "vhe", "kvm-off"])
def test_a_hang_of_the_kernel(spec: BootSpec, patched: Patch, mode: str) -> None:
    spec = replace(spec, image=patched(("do_one_initcall", 8, SPIN)), mode=mode)
    result = boot(spec, autopsy=_look)
    assert result.verdict is LabVerdict.SILENT_HANG
    assert result.notes == ()
    functions = _functions(result)
    assert _has_in_order(functions, INITCALL)
    # The loop is interrupted by the timer now and then, and the machine may have been stopped just there.
    above = functions[: functions.index("do_one_initcall")]
    assert not above or "el1h_64_irq" in above
    hung = next(line for line in result.backtrace if line.startswith("do_one_initcall"))
    assert "at init/main.c:" in hung
    assert "Linux version " in _dmesg(result)
    assert result.last_words == ""


@pytest.mark.parametrize("mode", ["nvhe", "nvhe-on-vhe", "protected"])
def test_a_hang_at_el2_before_its_mmu_is_on(spec: BootSpec, patched: Patch, mode: str) -> None:
    spec = replace(spec, image=patched((HYP_INIT, 0, SPIN)), mode=mode)
    result = boot(spec, autopsy=_look)
    assert result.verdict is LabVerdict.SILENT_HANG
    assert result.notes == ()
    assert _functions(result)[0] == HYP_INIT
    assert _has_in_order(_functions(result), ("cpu_hyp_init_context", *INITCALL))
    assert "IPA Size Limit" in _dmesg(result)
    assert result.system_registers["SCTLR_EL2"] & 1 == 0


@pytest.mark.parametrize(("mode", "n_cpus"), [("nvhe", 1), ("nvhe-on-vhe", 2), ("protected", 2)])
def test_a_hang_of_the_hypervisor(spec: BootSpec, patched: Patch, mode: str, n_cpus: int) -> None:
    spec = replace(spec, image=patched((HYP_RUN, 8, SPIN)), mode=mode, n_cpus=n_cpus)
    result = boot(spec, autopsy=_look)
    # The other CPU may have complained before.
    assert result.verdict in (LabVerdict.SILENT_HANG, LabVerdict.STALL)
    assert result.notes == ()
    wanted = (HYP_RUN, "__kvm_nvhe_handle_trap", "kvm_arch_vcpu_ioctl_run", "el0t_64_sync")
    assert _has_in_order(_functions(result), wanted)
    assert all(f"x{i}" in result.samples[0].registers for i in range(31))
    assert not result.system_registers["VBAR_EL2"] & 1 << 55


def test_a_panic_that_was_never_printed(spec: BootSpec, patched: Patch) -> None:
    image = patched(("do_one_initcall", 8, UNDEFINED))
    result = boot(replace(spec, image=image, append="loglevel=0"), autopsy=_look)
    assert result.verdict is LabVerdict.PANIC
    assert "Kernel panic - not syncing" in result.last_words
    assert "Internal error" in result.last_words
    # Through the exception: the interrupted function is not one that called.
    assert "do_one_initcall+0x8" in "\n".join(result.backtrace)
    assert _has_in_order(_functions(result), ("panic", "die", *INITCALL))


def test_a_hang_before_everything(spec: BootSpec, patched: Patch) -> None:
    result = boot(replace(spec, image=patched(("primary_entry", 0, SPIN))), autopsy=_look)
    assert result.verdict is LabVerdict.NO_EARLY_OUTPUT
    assert _functions(result) == ["primary_entry"]
    assert result.notes == ("log: the kernel has not switched the MMU on yet",)


def test_names_come_from_the_image_alone(spec: BootSpec, patched: Patch) -> None:
    spec = replace(spec, image=patched(("do_one_initcall", 8, SPIN)), vmlinux=None)
    result = boot(spec, autopsy=_look)
    assert _has_in_order(_functions(result), INITCALL)
    assert "Linux version " in _dmesg(result)
    assert result.notes == ("backtrace: without lines: no vmlinux with debug information",)
