"""Real kernels under a real QEMU, whole ones and ones with a word changed."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from whypanic.host.clock import Deadline
from whypanic.host.machine import Machine
from whypanic.lab.boot import boot
from whypanic.lab.modes import all_modes
from whypanic.model.lab import BootResult, BootSpec, LabVerdict

SPIN, UNDEFINED, BRK = 0x14000000, 0x00000000, 0xD4210000
HYP_RUN, HYP_INIT = "__kvm_nvhe___kvm_vcpu_run", "__kvm_nvhe___do_hyp_init"

Patch = Callable[..., str]


@pytest.mark.parametrize("mode", [mode.id for mode in all_modes()])
def test_every_mode_proves_itself_or_says_why_it_cannot(spec: BootSpec, mode: str) -> None:
    result = boot(replace(spec, mode=mode))
    if result.verdict is LabVerdict.NOT_APPLICABLE:
        assert mode == "hvhe"
        assert "6.5" in result.reason
        return
    assert result.verdict is LabVerdict.OK, result.reason
    assert result.proved_mode is True
    assert result.guest is not None
    assert result.guest.failed == 0
    assert (result.guest.passed > 0) is (mode not in ("el1", "kvm-off"))


@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a72", "cortex-a35"])
def test_other_cpus_without_vhe(spec: BootSpec, cpu: str) -> None:
    assert boot(replace(spec, cpu=cpu)).verdict is LabVerdict.OK


@pytest.mark.parametrize("cpu", ["cortex-a76", "neoverse-n1"])
def test_other_cpus_with_vhe(spec: BootSpec, cpu: str) -> None:
    assert boot(replace(spec, cpu=cpu, mode="vhe")).verdict is LabVerdict.OK


@pytest.mark.parametrize(("mode", "n_cpus"), [("nvhe", 1), ("vhe", 2)])
def test_a_deterministic_boot_prints_the_same_bytes(spec: BootSpec, mode: str, n_cpus: int) -> None:
    spec = replace(spec, mode=mode, n_cpus=n_cpus, deterministic=True)
    digests = set()
    for _ in range(2):
        result = boot(spec)
        assert result.verdict is LabVerdict.OK, result.reason
        digests.add(hashlib.sha256(Path(result.console).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_kaslr_off_fixed_and_drawn(spec: BootSpec, patched: Patch) -> None:
    spec = replace(spec, image=patched(("do_one_initcall", 8, UNDEFINED)), mode="el1")
    elr: dict[str, int] = {}
    for kaslr in ("off", "5", "5", "6"):
        result = boot(replace(spec, kaslr=kaslr))
        assert result.verdict is LabVerdict.PANIC, result.reason
        found = result.exceptions[-1].elr
        assert found is not None
        assert elr.setdefault(kaslr, found) == found
    assert len(set(elr.values())) == 3


def test_a_loop_at_the_first_instruction(spec: BootSpec, patched: Patch) -> None:
    result = boot(replace(spec, image=patched(("primary_entry", 0, SPIN))))
    assert result.verdict is LabVerdict.NO_EARLY_OUTPUT, result.reason
    assert result.samples[0].symbol == "primary_entry"
    assert result.samples[0].el == 2
    assert _in_time(result)


def test_a_fault_before_there_are_vectors(spec: BootSpec, patched: Patch) -> None:
    result = boot(replace(spec, image=patched(("primary_entry", 0, UNDEFINED)), mode="el1"))
    assert result.verdict is LabVerdict.EXCEPTION_STORM, result.reason
    assert result.exceptions[0].symbol == "primary_entry"
    assert result.exceptions[1].elr == 0x200


def test_a_fault_at_el2_before_its_handler(spec: BootSpec, patched: Patch) -> None:
    result = boot(replace(spec, image=patched((HYP_INIT, 0, UNDEFINED))))
    assert result.verdict is LabVerdict.SILENT_HANG, result.reason
    assert result.samples[0].el == 2
    assert result.exceptions[-1].symbol == HYP_INIT
    assert _in_time(result)


def test_a_loop_at_el2_while_a_guest_runs(spec: BootSpec, patched: Patch) -> None:
    result = boot(replace(spec, image=patched((HYP_RUN, 8, SPIN))))
    assert result.verdict is LabVerdict.SILENT_HANG, result.reason
    assert result.proved_mode is True
    assert result.samples[0].symbol == f"{HYP_RUN}+0x8"
    assert _in_time(result)


def _in_time(result: BootResult) -> bool:
    """Silence for as long as a hang asks, and no waiting for the deadline; how much longer is for bench/lab.py."""
    assert result.verdict_s is not None
    return 3.0 <= result.verdict_s < result.spec.deadline_s / 2


@pytest.mark.parametrize("mode", ["nvhe", "nvhe-on-vhe", "protected"])
def test_a_panic_of_the_hypervisor(spec: BootSpec, patched: Patch, mode: str) -> None:
    result = boot(replace(spec, image=patched((HYP_RUN, 8, BRK)), mode=mode))
    assert result.verdict is LabVerdict.HYP_PANIC, result.reason
    assert result.exceptions[-1].kind == "Breakpoint"
    assert result.verdict_s is not None
    assert result.verdict_s < 3.0


def test_code_of_the_hypervisor_does_not_run_with_vhe(spec: BootSpec, patched: Patch) -> None:
    result = boot(replace(spec, image=patched((HYP_RUN, 8, BRK)), mode="vhe"))
    assert result.verdict is LabVerdict.OK, result.reason


def test_a_panic_that_does_not_reset_the_machine(spec: BootSpec, patched: Patch) -> None:
    image = patched(("do_one_initcall", 8, UNDEFINED))
    result = boot(replace(spec, image=image, mode="vhe", append="panic=0"))
    assert result.verdict is LabVerdict.PANIC, result.reason
    assert result.verdict_s is not None
    assert 0.5 <= result.verdict_s < 3.0


def test_a_mode_that_was_not_meant(spec: BootSpec) -> None:
    result = boot(replace(spec, append="kvm-arm.mode=protected"))
    assert result.verdict is LabVerdict.WRONG_MODE, result.reason
    assert result.proved_mode is False


def test_qemu_refuses(spec: BootSpec) -> None:
    result = boot(replace(spec, memory_mib=8))
    assert result.verdict is LabVerdict.INFRASTRUCTURE
    assert "Not enough space" in result.reason


def test_an_autopsy_finds_memory_and_gdb(spec: BootSpec, patched: Patch, tmp_path: Path) -> None:
    core = tmp_path / "core"

    def autopsy(machine: Machine, result: BootResult) -> BootResult:
        machine.dump_memory(core)
        with socket.socket(socket.AF_UNIX) as gdb:
            gdb.connect(str(machine.gdb_socket()))
            gdb.sendall(b"+$?#3f")
            with gdb.makefile("rb") as said:
                assert said.read(3) == b"+$T"
        return replace(result, artifacts={**result.artifacts, "core": str(core)})

    result = boot(replace(spec, image=patched((HYP_RUN, 8, SPIN))), autopsy=autopsy)
    assert result.verdict is LabVerdict.SILENT_HANG
    assert core.read_bytes()[:4] == b"\x7fELF"
    assert core.stat().st_size > spec.memory_mib << 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_qemu_is_left_behind(spec: BootSpec, patched: Patch, number: int) -> None:
    code = (
        "from whypanic.lab.boot import boot\n"
        "from whypanic.model.lab import BootSpec\n"
        f"boot({spec!r}, progress=lambda line: print(line, flush=True))\n"
    ).replace(repr(spec.image), repr(patched(("do_one_initcall", 8, SPIN))))
    ours = {"PYTHONPATH": ":".join(sys.path), "PATH": os.environ["PATH"]}
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ours
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert _machines(str(spec.keep))
        child.send_signal(number)
        child.wait(20)
    deadline = Deadline(10)
    while _machines(str(spec.keep)):
        assert deadline.left_s()


def _machines(folder: str) -> list[int]:
    """Return the processes that write to a folder by their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if b"-kernel" in words and folder.encode() in words:
            found.append(int(path.parent.name))
    return found
