from pathlib import Path

import pytest

from builders.fake_qemu import AT_REST, REGISTERS, fake_qemu
from whypanic.host.machine import start_machine
from whypanic.lab.sampling import (
    Look,
    Motion,
    Sampler,
    image_offset,
    most_common,
    motion_of,
    read_registers,
)
from whypanic.model.lab import CpuSample

OFF = """\
CPU#1
 PC=0000000000000000 X00=0000000000000000 X01=0000000000000000
 SP=0000000000000000
PSTATE=400003c9 -Z-- EL2h
"""


def _looks(*pcs: int, registers: str = "") -> list[Look]:
    return [Look(0, pc, 0x3C5, 1, registers or f"{i:016x}") for i, pc in enumerate(pcs)]


def test_registers_of_every_cpu() -> None:
    text = "\n" + REGISTERS.format(x1=0xABC).replace("\n", "\r\n").replace("\r", "") + "\n" + OFF
    one, two = read_registers(text)
    assert (one.cpu, one.pc, one.pstate, one.el) == (0, 0x40210004, 0x600003C9, 2)
    assert one.registers.endswith("0abc0000000040300000")
    assert two.cpu == 1
    assert two.is_off
    assert not one.is_off


@pytest.mark.parametrize("text", ["", "CPU#0\nnothing\n", "PC=0000000040210004"])
def test_text_without_registers(text: str) -> None:
    assert read_registers(text) == ()


def test_the_same_state_again_and_again_is_stuck() -> None:
    assert motion_of(_looks(*[0x1000] * 10, registers="same"), waits=False) is Motion.STUCK
    # `1: ldr; cbnz 1b`: two states.
    loop = [*_looks(*[0x1000] * 5, registers="a"), *_looks(*[0x1004] * 5, registers="b")]
    assert motion_of(loop, waits=False) is Motion.STUCK


def test_a_loop_that_counts() -> None:
    assert motion_of(_looks(*[0x1000, 0x1010] * 5), waits=False) is Motion.LOOPING


def test_a_cpu_that_gets_on() -> None:
    assert motion_of(_looks(*range(0x1000, 0x9000, 0x800)), waits=False) is Motion.MOVING
    assert motion_of(_looks(0x1000), waits=False) is Motion.MOVING


def test_a_few_interrupts_do_not_make_it_move() -> None:
    looks = [*_looks(*[0x1000] * 9, registers="same"), *_looks(0x8000)]
    assert motion_of(looks, waits=False) is Motion.STUCK
    assert motion_of(looks, waits=True) is Motion.WAITING


def test_where_it_was_most_often() -> None:
    assert most_common(_looks(0x1000, 0x1000, 0x2000)).pc == 0x1000
    assert most_common(_looks(0x1000, 0x2000)).pc == 0x2000


def test_a_machine_is_looked_at(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [], AT_REST | {"info registers -a": REGISTERS.format(x1=1) + OFF})
    argv = (
        program,
        "-chardev",
        f"file,id=console,path={tmp_path / 'c'}",
        "-D",
        str(tmp_path / "d"),
    )
    with start_machine(argv, file_bytes=1 << 20) as machine:
        sampler = Sampler(machine, lambda cpu, _pc: (1, 0x40210008) if cpu else None)
        for _ in range(30):
            sampler.look()
        assert sampler.n_looks == 24
        assert sampler.motions()[0] is Motion.STUCK
        assert sampler.samples()[0] == CpuSample(
            cpu=0, pc=0x40210004, el=2, pstate=0x600003C9, pa=0x40210004, motion="stands still"
        )
        # Its PC is 0, which could be a vector: there it was interrupted.
        assert sampler.samples()[1].pc == 0x40210008
        sampler.forget()
        assert sampler.n_looks == 0


def test_a_cpu_behind_wfi_waits(tmp_path: Path) -> None:
    program = fake_qemu(tmp_path, [], AT_REST | {"xp": "0000000040210000: 0xd503207f\n"})
    argv = (
        program,
        "-chardev",
        f"file,id=console,path={tmp_path / 'c'}",
        "-D",
        str(tmp_path / "d"),
    )
    with start_machine(argv, file_bytes=1 << 20) as machine:
        sampler = Sampler(machine)
        sampler.look()
        sampler.look()
        assert sampler.motions() == {0: Motion.WAITING}
        assert sampler.samples()[0].halted


def test_offsets_in_the_image() -> None:
    assert image_offset(0x40200010, 0, 0x1000) == 0x10
    assert image_offset(0x40280010, 0x80000, 0x1000) == 0x10
    assert image_offset(0x40201000, 0, 0x1000) is None
    assert image_offset(0x401FFFFF, 0, 0x1000) is None
    assert image_offset(None, 0, 0x1000) is None
