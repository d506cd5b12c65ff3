import pytest

from builders.stopped_kernel import RAM_PA, RUN, TCR, GuestRam
from whypanic.lab.gdb_registers import CpuRegisters
from whypanic.lab.kernel_memory import memory_of
from whypanic.lab.ram import Ram, Segment
from whypanic.lab.vmcoreinfo import VmcoreInfo

EL1, EL2, EL0 = 0x3C5, 0x3C9, 0x0
HYP_VA = 0xF4A0_4046_B000


def _ram(guest: GuestRam) -> Ram:
    return Ram(bytes(guest.data), (Segment(RAM_PA, len(guest.data), 0),))


def _cpu(cpsr: int, **system: int) -> CpuRegisters:
    return CpuRegisters(0, {"cpsr": cpsr}, system)


def test_a_kernel_at_el1_sees_its_own_tables() -> None:
    guest = GuestRam()
    guest.map(RUN, RAM_PA + 0x3000)
    cpu = _cpu(EL1, SCTLR_EL1=1, TTBR1_EL1=guest.root, TCR_EL1=TCR)
    memory = memory_of(_ram(guest), cpu, swapper_pa=None, info=None, page="4k")
    assert memory.kernel.physical(RUN) == RAM_PA + 0x3000
    assert memory.here.physical(RUN) == RAM_PA + 0x3000
    assert memory.here.physical(0x1000) is None
    assert memory.va_bits == 48
    assert not memory.is_early


def test_a_hypervisor_sees_its_own_and_the_kernel_s() -> None:
    guest = GuestRam()
    hyp = guest.new_root()
    guest.map(RUN, RAM_PA + 0x3000)
    guest.map(HYP_VA, RAM_PA + 0x4000, root=hyp)
    cpu = _cpu(EL2, SCTLR_EL2=1, TTBR0_EL2=hyp, TCR_EL2=16, TTBR1_EL1=guest.root, TCR_EL1=TCR)
    memory = memory_of(_ram(guest), cpu, swapper_pa=None, info=None, page="4k")
    assert memory.here.physical(HYP_VA) == RAM_PA + 0x4000
    assert memory.here.physical(RUN) == RAM_PA + 0x3000
    assert memory.kernel.physical(HYP_VA) is None


def test_with_the_mmu_off_at_el2_addresses_are_physical_there() -> None:
    guest = GuestRam()
    guest.map(RUN, RAM_PA + 0x3000)
    cpu = _cpu(EL2, SCTLR_EL2=0x30C50830, SCTLR_EL1=1, TTBR1_EL1=guest.root, TCR_EL1=TCR)
    memory = memory_of(_ram(guest), cpu, swapper_pa=None, info=None, page="4k")
    assert memory.here.physical(RAM_PA + 8) == RAM_PA + 8
    assert memory.here.physical(RUN) == RAM_PA + 0x3000
    assert memory.kernel.physical(RAM_PA + 8) is None
    assert not memory.is_early


def test_before_any_mmu_is_on_it_is_early() -> None:
    guest = GuestRam()
    memory = memory_of(
        _ram(guest), _cpu(EL2, SCTLR_EL2=0x30C50830), swapper_pa=RAM_PA, info=None, page="4k"
    )
    assert memory.is_early
    assert memory.here.physical(RAM_PA) == RAM_PA


@pytest.mark.parametrize(
    ("info", "size_bits"), [(None, 16), ("NUMBER(TCR_EL1_T1SZ)=0x19\n", 25), ("NUMBER(x)=1\n", 16)]
)
def test_swapper_stands_in_while_other_tables_are_there(info: str | None, size_bits: int) -> None:
    guest = GuestRam()
    if size_bits == 25:
        # 39 bits begin a level further down.
        guest.map((1 << 64) - (1 << 39), RAM_PA + 0x3000)
        root = RAM_PA + (1 << 20) + 0x1000
    else:
        guest.map((1 << 64) - (1 << 39), RAM_PA + 0x3000)
        root = guest.root
    told = None if info is None else VmcoreInfo.from_text(info)
    cpu = _cpu(EL0, TTBR1_EL1=0, TCR_EL1=0, SCTLR_EL1=1)
    memory = memory_of(_ram(guest), cpu, swapper_pa=root, info=told, page="4k")
    assert memory.kernel.physical((1 << 64) - (1 << 39)) == RAM_PA + 0x3000
    assert memory.va_bits == 64 - size_bits
