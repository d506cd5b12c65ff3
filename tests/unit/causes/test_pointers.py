from whypanic.arch.layouts import build_layout
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.causes.pointers import How, Pointer, data_pointer
from whypanic.code.faulting import find_effective_address, find_faulting
from whypanic.code.kernel_layout import KernelLayout
from whypanic.model.code import CodeLine
from whypanic.model.fault import FaultAddress, KasanHint, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import Register

_S = Source(line=1)
_LAYOUT = KernelLayout(
    source=_S,
    layout=build_layout(version=(6, 1), va_bits=48, kernel_offset=0),
    sentence="6.1, 48 bits",
)
_LDR_X2_X0_20 = 0xF9401002


def _case(
    far: int | None, *words: int, extra: tuple[Fact, ...] = (), esr: int = 0x96000006, **regs: int
) -> CaseView:
    registers = {name: Register(source=_S, name=name, value=value) for name, value in regs.items()}
    facts: list[Fact] = [_LAYOUT, *registers.values(), *extra]
    facts.append(Syndrome(source=_S, esr=esr, place=SyndromePlace.MEM_ABORT))
    fault_address = None if far is None else FaultAddress(source=_S, va=far, place="header")
    if fault_address is not None:
        facts.append(fault_address)
    if words:
        code = CodeLine(source=_S, words=words, faulting=len(words) - 1)
        facts.append(code)
        faulting = find_faulting([code], registers, [], None)
        if faulting is not None:
            facts.append(faulting)
            access = find_effective_address(faulting, registers, fault_address)
            facts += [] if access is None else [access]
    return CaseView(Kind.PAGING_REQUEST, facts)


def _pointer(case: CaseView) -> Pointer:
    found = data_pointer(case)
    assert found is not None
    return found


def test_base_register_of_the_faulting_word() -> None:
    found = _pointer(_case(0x20, _LDR_X2_X0_20, x0=0))
    assert (found.value, found.nature, found.how, found.offset) == (0, Nature.NULL, How.WORD, 0x20)


def test_base_is_implied_by_word_and_far() -> None:
    found = _pointer(_case(0xFFFFFFFFFFFFFE1B, _LDR_X2_X0_20))
    assert (found.value, found.nature) == ((1 << 64) - 517, Nature.ERROR)


def test_registers_that_contradict_far_are_not_believed() -> None:
    found = _pointer(_case(0xFFFF00007B3C4000, _LDR_X2_X0_20, x0=0))
    assert (found.nature, found.how) == (Nature.LINEAR, How.FAR)


def test_far_that_the_syndrome_disowns_is_not_used() -> None:
    assert data_pointer(_case(0x20, esr=0x96000410)) is None


def test_instruction_abort_is_no_data_access() -> None:
    assert data_pointer(_case(0x20, esr=0x86000006)) is None


def test_wild_index_moves_the_story_to_the_address() -> None:
    found = _pointer(_case(0xFFFF0000C0000000, 0xF8696ADA, x22=0xFFFF000000400000, x9=0xBFC00000))
    assert (found.value, found.nature) == (0xFFFF0000C0000000, Nature.LINEAR)


def test_text_in_the_base_behind_an_index() -> None:
    base = int.from_bytes(b"eth0-vla", "little")
    found = _pointer(_case((base + 0x40) & (1 << 56) - 1, 0xF8696ADA, x22=base, x9=0x40))
    assert (found.value, found.nature) == (base, Nature.TEXT)


def test_per_cpu_offset_added_to_null() -> None:
    far = 0xFFFF2A10B31C6000
    found = _pointer(_case(far, 0xD53CD044, 0x8B040042, 0xB8210040, x2=far, x4=far, esr=0x96000004))
    assert (found.value, found.nature) == (0, Nature.PER_CPU_NULL)


def test_per_cpu_offset_added_to_a_real_pointer_is_not_null() -> None:
    base, offset = 0xFFFF2A11B31C6000, 0xFFFF2A10B31C6000
    found = _pointer(
        _case(base, 0xD53CD044, 0x8B040042, 0xB8210040, x2=base, x4=offset, esr=0x96000004)
    )
    assert found.nature is not Nature.PER_CPU_NULL


def test_distance_below_null_that_is_no_multiple_of_8_is_an_error() -> None:
    assert _pointer(_case(0xD, _LDR_X2_X0_20, x0=(1 << 64) - 19)).nature is Nature.ERROR


def test_distance_below_null_that_is_a_multiple_of_8_is_a_container() -> None:
    found = _pointer(_case(0x8, _LDR_X2_X0_20, x0=(1 << 64) - 24))
    assert (found.nature, found.also) == (Nature.CONTAINER_OF_NULL, Nature.ERROR)


def test_odd_member_address_leads_to_the_error_value() -> None:
    found = _pointer(_case(0x145, 0xF9400001, x0=0x145, x19=(1 << 64) - 19))
    assert (found.value, found.nature, found.offset) == ((1 << 64) - 19, Nature.ERROR, 0x158)


def test_register_next_to_far_without_code() -> None:
    found = _pointer(_case(0xDEAD000000000108, x3=0xDEAD000000000100))
    assert (found.how, found.nature, found.offset) == (How.REGISTER, Nature.POISON, 8)


def test_error_value_left_in_a_register_does_not_explain_null() -> None:
    found = _pointer(_case(0x28, x7=(1 << 64) - 22))
    assert (found.how, found.nature) == (How.FAR, Nature.NULL)


def test_all_ones_is_not_followed() -> None:
    found = _pointer(_case(0xFFFFFFFFFFFFFFF8, x16=(1 << 64) - 1))
    assert (found.how, found.nature) == (How.FAR, Nature.CONTAINER_OF_NULL)


def test_shadow_lookup_names_the_address_looked_up() -> None:
    shadow, bad = 0xDFFF800000000000, 0x021F6F6E00C41230
    far = (shadow + (bad >> 3)) & (1 << 56) - 1
    found = _pointer(_case(far, 0x38E06B80, x0=shadow, x28=bad >> 3, x19=bad, esr=0x96000004))
    assert found.nature is Nature.SHADOW
    assert found.story.value == bad


def test_shadow_of_null_by_kasans_own_line() -> None:
    hint = KasanHint(source=_S, what="null-ptr-deref", first=0, last=7)
    found = _pointer(_case(0xDFFF800000000000, extra=(hint,)))
    assert found.nature is Nature.SHADOW
    assert found.story.nature is Nature.NULL


def test_text_under_a_member_offset() -> None:
    far = int.from_bytes(b"\xd7ath-is\0", "little")
    assert _pointer(_case(far, esr=0x96000004)).nature is Nature.TEXT
