"""Facts made of what a boot left."""

import pytest

from builders.boots import BANNER, OWN_FAULT, boot_result, stuck
from whypanic.app.lab_evidence import (
    exceptions_seen,
    first_of_el2,
    frames_of,
    hang_facts,
    hyp_offset,
    image_facts,
    place_of,
    saved_pstate,
    symbol_ref,
)
from whypanic.model.context import BuildId
from whypanic.model.hyp import HypPanic
from whypanic.model.lab import CpuSample, ExceptionRecord, LabVerdict
from whypanic.model.lab_facts import BootedOn, BootWatched, CpuStuck
from whypanic.model.provenance import Origin
from whypanic.model.registers import Register

HANG = LabVerdict.SILENT_HANG
REGISTERS = {"ESR_EL2": 0x96000004, "ELR_EL2": 0x40451790, "SPSR_EL2": 0x600003C9}


def test_machine_and_build_id() -> None:
    machine, build = image_facts(boot_result(), "ab" * 20)
    assert isinstance(machine, BootedOn)
    assert (machine.cpu, machine.vhe, machine.mode) == ("cortex-a57", False, "nvhe")
    assert isinstance(build, BuildId)
    assert build.hex == "ab" * 20
    assert {f.source.origin for f in (machine, build)} == {Origin.LAB}
    assert len(list(image_facts(boot_result(), None))) == 1


def test_first_exception_of_el2_is_what_a_panic_would_print() -> None:
    result = boot_result(HANG, exceptions=(OWN_FAULT,), system_registers=REGISTERS)
    (panic,) = [f for f in hang_facts(result, "", 0) if isinstance(f, HypPanic)]
    assert (panic.pc, panic.esr, panic.far) == (0x40451790, 0x96000004, 0xFFFF800009A51000)
    assert panic.ps == 0x600003C9
    assert panic.vcpu is None
    assert panic.source.origin is Origin.LAB


@pytest.mark.parametrize(
    ("mode", "proved"), [("vhe", None), ("el1", None), ("kvm-off", None), ("nvhe", False)]
)
def test_a_kernel_at_el2_takes_exceptions_of_its_own(mode: str, proved: bool | None) -> None:
    result = boot_result(HANG, mode=mode, proved_mode=proved, exceptions=(OWN_FAULT,))
    assert first_of_el2(result) is None
    assert not any(isinstance(f, HypPanic) for f in hang_facts(result, "", 0))


def test_exceptions_of_el1_are_no_panic_of_el2() -> None:
    own = ExceptionRecord(kind="Data Abort", from_el=1, to_el=1, esr=0x96000004, elr=0x10)
    assert first_of_el2(boot_result(HANG, exceptions=(own,))) is None


def test_spsr_counts_only_for_the_exception_it_is_of() -> None:
    result = boot_result(HANG, exceptions=(OWN_FAULT,), system_registers=REGISTERS)
    assert saved_pstate(result, OWN_FAULT) == 0x600003C9
    later = {**REGISTERS, "ELR_EL2": 0x40451784}
    result = boot_result(HANG, exceptions=(OWN_FAULT,), system_registers=later)
    assert saved_pstate(result, OWN_FAULT) is None
    twice = boot_result(HANG, exceptions=(OWN_FAULT, OWN_FAULT), system_registers=REGISTERS)
    assert saved_pstate(twice, OWN_FAULT) is None


def test_equal_exceptions_in_a_row_are_one() -> None:
    other = ExceptionRecord(kind="Breakpoint", from_el=1, to_el=1, elr=0x40)
    found = exceptions_seen((other, OWN_FAULT, OWN_FAULT, other))
    assert [(f.kind, f.n_times) for f in found] == [
        ("Breakpoint", 1),
        ("Data Abort", 2),
        ("Breakpoint", 1),
    ]
    assert found[1].statement == (
        "Data Abort from EL2 to EL2 in __kvm_nvhe___do_hyp_init+0x10, ESR 0x96000004, "
        "ELR 0x40451790, FAR 0xffff800009a51000, 2 times in a row among those kept"
    )


def test_place_is_the_exception_then_a_busy_cpu_then_any() -> None:
    idle = CpuSample(cpu=0, pc=0x1000, el=1, halted=True)
    busy = stuck("spin+0x4", el=1, pc=0x2000)
    found = place_of(boot_result(HANG, samples=(idle, busy), exceptions=(OWN_FAULT,)))
    assert found is not None
    assert found.pc == 0x40451790
    found = place_of(boot_result(HANG, samples=(idle, busy)))
    assert found is not None
    assert (found.pc, found.symbol) == (0x2000, "spin+0x4")
    found = place_of(boot_result(HANG, samples=(idle,)))
    assert found is not None
    assert found.pc == 0x1000
    assert place_of(boot_result(HANG)) is None


def test_registers_are_those_of_the_same_moment() -> None:
    for pc, known in ((0x2000, {"x0": 7, "lr": 9}), (0x2004, {})):
        registers = {"pc": pc, "x0": 7, "x30": 9, "cpsr": 5, "ESR_EL1": 3}
        sample = stuck("spin", el=1, pc=0x2000, registers=registers)
        facts = list(hang_facts(boot_result(HANG, samples=(sample,)), "", 0))
        found = {f.name: f.value for f in facts if isinstance(f, Register) and f.name != "pc"}
        assert found == known


def test_hang_has_a_headline_and_its_cpus() -> None:
    sample = stuck("spin+0x8", el=1, pc=0xFFFF800008001008, pa=0x40201008)
    facts = list(hang_facts(boot_result(HANG, reason="no output", samples=(sample,)), BANNER, 9))
    (watched,) = [f for f in facts if isinstance(f, BootWatched)]
    assert (watched.n_console_bytes, watched.running) == (9, None)
    (cpu,) = [f for f in facts if isinstance(f, CpuStuck)]
    assert not cpu.mmu_off
    assert cpu.statement == "CPU 0 stands still at EL1, PC 0xffff800008001008 (spin+0x8)"
    (pc,) = [f for f in facts if isinstance(f, Register)]
    assert pc.ref is not None
    assert (pc.ref.symbol, pc.ref.offset) == ("spin", 8)


def test_hyp_offset_is_measured_where_el2_has_its_own_addresses() -> None:
    links = {0x40451784: 0xFFFF800008251784}
    own = stuck("__kvm_nvhe_f", pc=0x5C0440451784, pa=0x40451784)
    found = hyp_offset(boot_result(HANG, samples=(own,)), links)
    assert found is not None
    assert (own.pc + found.offset) % (1 << 64) == 0xFFFF800008251784
    same = stuck("__kvm_nvhe_f", pc=0x40451784)
    assert hyp_offset(boot_result(HANG, samples=(same,)), links) is None
    assert hyp_offset(boot_result(HANG, mode="vhe", samples=(own,)), links) is None
    assert hyp_offset(boot_result(HANG, samples=(own,)), {}) is None


def test_frames() -> None:
    found = list(
        frames_of(
            (
                "spin at kernel/quux.c:12:3 (inlined)",
                "call_quux+0x48",
                "0xffff800008001000",
                "init at init/main.c:7:1",
            )
        )
    )
    assert [f.ref.symbol for f in found if f.ref] == ["spin", "call_quux", "init"]
    assert [(f.file, f.line, f.inlined) for f in found] == [
        ("kernel/quux.c", 12, True),
        (None, None, False),
        ("init/main.c", 7, False),
    ]
    assert found[1].ref is not None
    assert found[1].ref.offset == 0x48


def test_symbols() -> None:
    assert symbol_ref(None) is None
    assert symbol_ref("") is None
    found = symbol_ref("f.constprop.0+0x1c")
    assert found is not None
    assert (found.symbol, found.offset) == ("f.constprop.0", 0x1C)
    found = symbol_ref("f")
    assert found is not None
    assert found.offset == 0
