import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest
from msgspec.structs import replace

from builders.fake_gdb_stub import FakeStub, serve
from builders.fake_qemu import KVM, LINUX, boot_spec, raw_image
from builders.images import link
from builders.stopped_kernel import IMAGE_PA, RUN, TCR, GuestRam, Words, put_ring
from whypanic.host.machine import Machine
from whypanic.host.qmp import MachineDiedError
from whypanic.lab.autopsy import autopsy
from whypanic.model.errors import HostError
from whypanic.model.image import SourcePosition
from whypanic.model.lab import BootResult, CpuSample, LabVerdict
from whypanic.symbolize.debug_info import Chain, DebugInfo

SYSTEM = ("ESR_EL1", "VBAR", "SCTLR", "TTBR1_EL1", "TCR_EL1", "ELR_EL1")
PRB, RING = 0x8000, 0x9000
SYMBOLS = f"""\
ffff800008000000 T _text
{0xFFFF800008000000 + PRB:x} d prb
ffff80000800c000 T do_call
ffff80000800c100 T first
"""
STACK = 0x1C000
NOTE = "OSRELEASE=6.1-toy\n" + "".join(f"NUMBER(toy_{i})={i}\n" for i in range(8))


class FakeMachine:
    """A machine with registers and RAM, and whatever else goes wrong."""

    def __init__(
        self, folder: Path, guest: GuestRam, cpus: Sequence[Mapping[str, int]], *, off: int = 0
    ) -> None:
        self.guest = guest
        self.off = off
        self.refusal: HostError | None = None
        self._socket = folder / "gdb"
        serve(FakeStub(cpus, named=SYSTEM), self._socket)

    def gdb_socket(self) -> Path:
        return self._socket

    def dump_memory(self, path: Path) -> None:
        if self.refusal is not None:
            raise self.refusal
        path.write_bytes(self.guest.core(off=self.off))


def _guest() -> GuestRam:
    guest = GuestRam()
    guest.map(RUN, IMAGE_PA, 1 << 17)
    words = (Words("toy kernel"), Words("toy: found", 1_000_000), Words("toy: lost", 2_000_000))
    guest.put(IMAGE_PA + RING, put_ring(guest, words))
    guest.put(IMAGE_PA + PRB, struct.pack("<Q", RUN + RING))
    guest.put(IMAGE_PA + STACK, struct.pack("<QQ", 0, RUN + 0xC120))
    return guest


def _cpu(guest: GuestRam, **more: int) -> dict[str, int]:
    return {
        "pc": RUN + 0xC008,
        "x29": RUN + STACK,
        "x30": RUN + 0xC120,
        "cpsr": 0x3C5,
        "SCTLR": 1,
        "ESR_EL1": 0x96000004,
        "TTBR1_EL1": guest.root,
        "TCR_EL1": TCR,
        **more,
    }


def _result(tmp_path: Path, console: str = "toy kernel\ntoy: found\n") -> BootResult:
    spec = boot_spec(tmp_path, mode="el1", image=raw_image(LINUX, KVM))
    (tmp_path / "System.map").write_text(SYMBOLS, encoding="ascii")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "console.log").write_text(console, encoding="ascii")
    return BootResult(
        spec=replace(spec, vmlinux=str(tmp_path / "System.map"), memory_mib=4),
        verdict=LabVerdict.SILENT_HANG,
        reason="it is a toy",
        proved_mode=None,
        console=str(tmp_path / "kept" / "console.log"),
        samples=(CpuSample(cpu=0, pc=RUN + 0xC008, el=1, symbol="do_call+0x8"),),
        artifacts={"folder": str(tmp_path / "kept")},
        notes=("said before",),
    )


def _look(tmp_path: Path, machine: FakeMachine, result: BootResult | None = None) -> BootResult:
    return autopsy(cast("Machine", machine), result or _result(tmp_path))


@pytest.mark.parametrize("off", [0, -16])
def test_a_kernel_that_hangs_is_told_whole(tmp_path: Path, off: int) -> None:
    guest = _guest()
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [_cpu(guest)], off=off))
    assert found.system_registers["ESR_EL1"] == 0x96000004
    assert found.system_registers["SCTLR_EL1"] == 1
    assert found.samples[0].symbol == "do_call+0x8"
    assert found.samples[0].registers["x29"] == RUN + STACK
    assert found.last_words == "[    0.002000] toy: lost"
    assert found.backtrace == ("do_call+0x8", "first+0x20")
    assert found.notes == (
        "said before",
        "backtrace: without lines: no vmlinux with debug information",
    )


def test_a_vmlinux_with_debug_information_gives_lines(tmp_path: Path) -> None:
    source = f"_text: .globl prb\n .org {PRB}\nprb: .quad 0\n .org 0xc000\n"
    source += ".globl do_call\ndo_call: nop\n .org 0xc100\n.globl first\nfirst: nop\n .org 0xd000\n"
    vmlinux = link(source, assembler=("-gdwarf-5",))
    asked: list[int] = []

    class Info:
        engine = "toy"
        caution = None
        roots = ()

        def locate(self, addresses: Sequence[int]) -> list[Chain]:
            asked.extend(addresses)
            return [(SourcePosition("f", "kernel/toy.c", 7, 1),) for _ in addresses]

    guest, result = _guest(), _result(tmp_path)
    result = replace(result, spec=replace(result.spec, vmlinux=str(vmlinux)))
    machine = cast("Machine", FakeMachine(tmp_path, guest, [_cpu(guest)]))
    found = autopsy(machine, result, open_info=lambda _image: cast("DebugInfo", Info()))
    assert found.backtrace == ("do_call+0x8 at kernel/toy.c:7", "first+0x20 at kernel/toy.c:7")
    assert asked == [0xFFFF80000800C008, 0xFFFF80000800C11C]
    assert found.notes == ("said before",)


def test_debug_information_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    vmlinux = link("_text: nop\n", assembler=("-gdwarf-5",))
    guest, result = _guest(), _result(tmp_path)
    result = replace(result, spec=replace(result.spec, vmlinux=str(vmlinux)))
    machine = cast("Machine", FakeMachine(tmp_path, guest, [_cpu(guest)]))
    found = autopsy(machine, result, open_info=lambda _image: None)
    note = "backtrace: without lines: drgn is not installed, or cannot read this vmlinux"
    assert note in found.notes
    assert found.backtrace


def test_log_and_ram_stay_where_the_boot_keeps_things(tmp_path: Path) -> None:
    guest = _guest()
    guest.put(IMAGE_PA + 0x40000, NOTE.encode())
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [_cpu(guest)]))
    kept = tmp_path / "kept"
    assert (kept / "dmesg").read_text(encoding="utf-8").splitlines() == [
        "[    0.000000] toy kernel",
        "[    0.001000] toy: found",
        "[    0.002000] toy: lost",
    ]
    assert (kept / "vmcore").read_bytes() == guest.core()
    assert found.artifacts == {
        "folder": str(kept),
        "vmcore": str(kept / "vmcore"),
        "vmcoreinfo": str(kept / "vmcoreinfo"),
        "dmesg": str(kept / "dmesg"),
    }
    assert (kept / "vmcoreinfo").read_text(encoding="utf-8") == NOTE
    names = sorted(p.name for p in kept.iterdir())
    assert names == ["console.log", "dmesg", "vmcore", "vmcoreinfo"]


def test_nothing_stays_where_it_keeps_nothing(tmp_path: Path) -> None:
    guest, result = _guest(), _result(tmp_path)
    result = replace(result, spec=replace(result.spec, keep=None))
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [_cpu(guest)]), result)
    assert found.last_words
    assert found.artifacts == result.artifacts


def test_the_cpu_that_hangs_is_looked_at_and_not_one_that_waits(tmp_path: Path) -> None:
    guest, result = _guest(), _result(tmp_path)
    waiting = CpuSample(cpu=0, pc=RUN + 0xC120, el=1, halted=True)
    result = replace(result, samples=(waiting, CpuSample(cpu=1, pc=RUN + 0xC008, el=1)))
    cpus = [_cpu(guest, pc=RUN + 0xC120, ESR_EL1=1), _cpu(guest, ESR_EL1=2)]
    found = _look(tmp_path, FakeMachine(tmp_path, guest, cpus), result)
    assert found.system_registers["ESR_EL1"] == 2
    assert found.backtrace[0] == "do_call+0x8"
    assert [sample.registers["ESR_EL1"] for sample in found.samples] == [1, 2]


def test_a_cpu_that_was_not_sampled_gets_its_registers_too(tmp_path: Path) -> None:
    guest = _guest()
    result = replace(_result(tmp_path), samples=())
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [_cpu(guest)]), result)
    assert [(s.cpu, s.pc, s.el) for s in found.samples] == [(0, RUN + 0xC008, 1)]
    assert found.backtrace


def test_ram_that_cannot_be_dumped_costs_ram_alone(tmp_path: Path) -> None:
    guest = _guest()
    machine = FakeMachine(tmp_path, guest, [_cpu(guest)])
    machine.refusal = MachineDiedError("QEMU ended before it answered `dump-guest-memory`")
    found = _look(tmp_path, machine)
    assert found.system_registers["ESR_EL1"] == 0x96000004
    assert found.notes[1:] == ("memory: QEMU ended before it answered `dump-guest-memory`",)
    assert list((tmp_path / "kept").iterdir()) == [tmp_path / "kept" / "console.log"]


def test_too_much_ram_is_not_dumped(tmp_path: Path) -> None:
    guest, result = _guest(), _result(tmp_path)
    result = replace(result, spec=replace(result.spec, memory_mib=8192))
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [_cpu(guest)]), result)
    assert found.notes[1:] == ("memory: 8192 MiB of RAM are not dumped",)


def test_without_registers_nothing_is_translated_and_ram_is_kept(tmp_path: Path) -> None:
    guest = _guest()
    machine = FakeMachine(tmp_path, guest, [_cpu(guest)])
    (tmp_path / "gdb").unlink()
    found = _look(tmp_path, machine)
    assert found.notes[1].startswith("registers: no such file")
    assert found.notes[2] == "memory: without registers no address can be translated"
    assert "vmcore" in found.artifacts
    assert found.backtrace == ()


def test_a_kernel_that_never_had_its_mmu_on(tmp_path: Path) -> None:
    guest = _guest()
    cpu = {"pc": IMAGE_PA + 0xC008, "cpsr": 0x3C5, "x29": 0, "x30": 0, "SCTLR": 0, "TTBR1_EL1": 0}
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [cpu]))
    assert "log: the kernel has not switched the MMU on yet" in found.notes
    assert found.backtrace == ("do_call+0x8",)


def test_a_ring_that_was_written_over_leaves_the_stack(tmp_path: Path) -> None:
    guest, result = _guest(), _result(tmp_path)
    guest.put(IMAGE_PA + RING, bytes(128))
    (tmp_path / "kept" / "dmesg").write_text("of an earlier boot", encoding="ascii")
    found = _look(tmp_path, FakeMachine(tmp_path, guest, [_cpu(guest)]), result)
    assert not (tmp_path / "kept" / "dmesg").exists()
    assert "log: no ring buffer of printk is found in RAM" in found.notes
    assert found.last_words == ""
    assert found.backtrace == ("do_call+0x8", "first+0x20")
