import pytest

from builders.fake_gdb_stub import FakeStub
from whypanic.lab.gdb_registers import CpuRegisters, read_cpus
from whypanic.lab.gdb_stub import GdbStub


def test_every_cpu_is_read_under_the_names_of_the_architecture() -> None:
    cpus = [
        {"x0": 5, "pc": 0x40210004, "cpsr": 0x3C9, "ESR_EL2": 0x96000004, "VBAR": 0x800},
        {"x0": 6, "pc": 0x40210008, "cpsr": 0x3C5, "SCTLR": 0x30D0199D},
    ]
    first, second = read_cpus(GdbStub(FakeStub(cpus)))
    assert first.cpu == 0
    assert first.general == {"x0": 5, "pc": 0x40210004, "cpsr": 0x3C9}
    assert first.system == {"ESR_EL2": 0x96000004, "VBAR_EL1": 0x800}
    assert second.system == {"SCTLR_EL1": 0x30D0199D}
    assert (first.el, second.el) == (2, 1)


def test_a_newer_name_is_taken_before_the_one_of_aarch32() -> None:
    fake = FakeStub([{"VBAR": 1, "VBAR_EL1": 2}], named=("VBAR", "VBAR_EL1"))
    (cpu,) = read_cpus(GdbStub(fake))
    assert cpu.system == {"VBAR_EL1": 2}


@pytest.mark.parametrize(
    ("cpsr", "el"), [(0x3C9, 2), (0x5, 1), (0, 0), (0x1D3, None), (None, None)]
)
def test_the_exception_level_is_in_pstate(cpsr: int | None, el: int | None) -> None:
    general = {} if cpsr is None else {"cpsr": cpsr}
    assert CpuRegisters(0, general, {}).el == el
