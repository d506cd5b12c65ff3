from builders.stopped_kernel import RAM_PA, RUN, TCR, GuestRam
from whypanic.lab.frame_chain import Frame
from whypanic.lab.gdb_registers import CpuRegisters
from whypanic.lab.kernel_memory import KernelMemory, memory_of
from whypanic.lab.ram import Ram, Segment
from whypanic.lab.stack import call_texts, calls_of
from whypanic.model.image import SourcePosition

EL1, EL2 = 0x3C5, 0x3C9
HYP = 0xF4A0_4000_0000
FUNCTIONS = {
    0x0000: "do_call",
    0x1000: "first",
    0x2000: "__kvm_nvhe_work",
    0x3000: "__kvm_nvhe_handle_trap",
    0x4000: "__kvm_nvhe___skip_pauth_save",
}
STACK_PA, STACK, HYP_STACK = RAM_PA + 0x8000, RUN + 0x8000, HYP + 0x9000


def name_of(pa: int) -> str | None:
    start = max((f for f in FUNCTIONS if f <= pa - RAM_PA), default=None)
    if start is None or pa >= RAM_PA + 0x5000:
        return None
    return f"{FUNCTIONS[start]}+{pa - RAM_PA - start:#x}"


def _scene(cpsr: int, general: dict[str, int], **system: int) -> tuple[CpuRegisters, KernelMemory]:
    guest = GuestRam()
    hyp = guest.new_root()
    guest.map(RUN, RAM_PA, 0x10000)
    guest.map(HYP, RAM_PA, 0x10000, root=hyp)
    # The kernel: do_call, called by first.
    _put(guest, STACK_PA + 0x100, 0, RUN + 0x1010)
    # The hypervisor: work, called by handle_trap, called by __host_exit, whose x29 is the host's context.
    _put(guest, STACK_PA + 0x1000, HYP_STACK + 0x40, HYP + 0x3010)
    _put(guest, STACK_PA + 0x1040, HYP_STACK + 0x200, HYP + 0x4064)
    _put(guest, STACK_PA + 0x1200 + 8 * 29, STACK + 0x100, RUN + 0x30)
    registers = {
        "SCTLR_EL1": 1,
        "SCTLR_EL2": 1,
        "TTBR1_EL1": guest.root,
        "TCR_EL1": TCR,
        "TTBR0_EL2": hyp,
        "TCR_EL2": 16,
        **system,
    }
    cpu = CpuRegisters(0, {"cpsr": cpsr, **general}, registers)
    ram = Ram(bytes(guest.data), (Segment(RAM_PA, len(guest.data), 0),))
    return cpu, memory_of(ram, cpu, swapper_pa=None, info=None, page="4k")


def _put(guest: GuestRam, pa: int, *words: int) -> None:
    guest.put(pa, b"".join(word.to_bytes(8, "little") for word in words))


def _names(cpsr: int, general: dict[str, int], **system: int) -> list[str]:
    cpu, memory = _scene(cpsr, general, **system)
    return [frame.text for frame in calls_of(cpu, memory, name_of)]


def test_a_kernel_at_el1() -> None:
    general = {"pc": RUN + 0x20, "x29": STACK + 0x100, "x30": RUN + 0x1010}
    assert _names(EL1, general) == ["do_call+0x20", "first+0x10"]


def test_a_kernel_at_el2_with_vhe_has_no_other_above_it() -> None:
    general = {"pc": RUN + 0x20, "x29": STACK + 0x100, "x30": RUN + 0x1010}
    assert _names(EL2, general, ELR_EL2=RUN + 0x40) == ["do_call+0x20", "first+0x10"]


def test_a_cpu_without_a_pc_has_none() -> None:
    cpu, memory = _scene(EL1, {})
    assert calls_of(cpu, memory, name_of) == ()


def test_a_hypervisor_s_calls_are_those_before_the_kernel_s() -> None:
    general = {"pc": HYP + 0x2008, "x29": HYP_STACK, "x30": HYP + 0x3010}
    hvhe = {"HCR_EL2": 1 << 34, "TTBR1_EL2": RAM_PA, "TCR_EL2": 16 | 1 << 23}
    assert _names(EL2, general, ELR_EL2=RUN + 0x44) == _names(
        EL2, general, ELR_EL2=RUN + 0x44, **hvhe
    )
    assert _names(EL2, general, ELR_EL2=RUN + 0x44) == [
        "__kvm_nvhe_work+0x8",
        "__kvm_nvhe_handle_trap+0x10",
        "__kvm_nvhe___skip_pauth_save+0x64",
        "do_call+0x44",
        "first+0x10",
    ]


def test_where_elr_is_of_another_exception_x30_shows_the_caller() -> None:
    general = {"pc": HYP + 0x2008, "x29": HYP_STACK, "x30": HYP + 0x3010}
    assert _names(EL2, general, ELR_EL2=HYP + 0x2000)[3:] == ["do_call+0x30", "first+0x10"]


def test_code_that_has_saved_nothing_has_the_kernel_s_registers() -> None:
    general = {"pc": RAM_PA + 0x2000, "x29": STACK + 0x100, "x30": RUN + 0x30}
    names = _names(EL2, general, SCTLR_EL2=0, ELR_EL2=RUN + 0x44)
    assert names == ["__kvm_nvhe_work+0x0", "do_call+0x44", "first+0x10"]


def test_a_hypervisor_whose_caller_is_lost() -> None:
    general = {"pc": HYP + 0x2008, "x29": HYP + 0xE000, "x30": 0}
    assert _names(EL2, general, ELR_EL2=RUN + 0x44) == ["__kvm_nvhe_work+0x8"]


def test_lines_have_what_is_known() -> None:
    frames = (
        Frame(RUN + 0x20, RAM_PA + 0x20, "do_call+0x20", 0),
        Frame(RUN + 0x90000, None, None, 0),
    )
    inner = SourcePosition("helper", "kernel/toy.h", 7, 3)
    outer = SourcePosition("do_call", "kernel/toy.c", 42, None)
    assert call_texts(frames, [(inner, outer), ()]) == (
        "helper at kernel/toy.h:7 (inlined)",
        "do_call+0x20 at kernel/toy.c:42",
        f"{RUN + 0x90000:#x}",
    )
    assert call_texts(frames[:1], [(SourcePosition(None, "a.S", None, None),)]) == ("do_call+0x20",)
