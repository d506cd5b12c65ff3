from whypanic.arch.layouts import build_layout
from whypanic.causes.alignment import unaligned_access
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.code.faulting import find_faulting
from whypanic.code.kernel_layout import KernelLayout
from whypanic.model.code import CodeLine
from whypanic.model.context import KernelVersion
from whypanic.model.fault import FaultAddress, PageWalk, Syndrome, SyndromePlace, WalkEntry
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Source

_S = Source(line=1)
_LAYOUT = KernelLayout(
    source=_S,
    layout=build_layout(version=(6, 1), va_bits=48, kernel_offset=0),
    sentence="6.1, 48 bits",
)
_DEVICE_PTE, _NORMAL_PTE = 0x006800000A003F13, 0x0068000045B81707


def _case(far: int, *facts: Fact, esr: int = 0x96000021) -> CaseView:
    syndrome = Syndrome(source=_S, esr=esr, place=SyndromePlace.MEM_ABORT)
    version = KernelVersion(source=_S, release="6.1.40")
    address = FaultAddress(source=_S, va=far, place="header")
    return CaseView(Kind.PAGING_REQUEST, (_LAYOUT, syndrome, version, address, *facts))


def _walk(pte: int) -> PageWalk:
    return PageWalk(source=_S, va=None, entries=(WalkEntry(name="pte", value=pte),))


def _word(word: int) -> Fact:
    found = find_faulting([CodeLine(source=_S, words=(word,), faulting=0)], {}, [], None)
    assert found is not None
    return found


def test_leaf_entry_names_the_memory_type() -> None:
    device = unaligned_access(_case(0xFFFF8000A2C1D302, _walk(_DEVICE_PTE)))
    normal = unaligned_access(_case(0xFFFF00005B810402, _walk(_NORMAL_PTE)))
    assert device is not None
    assert device.device is not None
    assert "DEVICE" in device.device[0]
    assert normal is not None
    assert normal.device is None
    assert normal.normal is not None


def test_instruction_tells_atomic_from_plain() -> None:
    atomic = unaligned_access(_case(0xFFFF00005B81040C, _word(0xF820003F)))
    plain = unaligned_access(_case(0xFFFF8000A2C1D302, _word(0xB9400020)))
    assert atomic is not None
    assert (atomic.needs_alignment is not None, atomic.plain, atomic.nature) == (
        True,
        None,
        Nature.LINEAR,
    )
    assert plain is not None
    assert (plain.needs_alignment, plain.plain is not None) == (None, True)


def test_value_that_is_no_pointer_explains_the_rest() -> None:
    found = unaligned_access(_case(0x3C5))
    assert found is not None
    assert found.explained is not None


def test_other_faults_are_none() -> None:
    assert unaligned_access(_case(0xFFFF00005B810402, esr=0x96000007)) is None


def test_address_aligned_for_any_atomic_access() -> None:
    at = {far: unaligned_access(_case(far)) for far in (0xFFFF800082340040, 0xFFFF800082340048)}
    assert [found is not None and found.aligned for found in at.values()] == [True, False]


def test_linear_map_counts_only_where_the_era_is_known() -> None:
    far = FaultAddress(source=_S, va=0xFFFF000005B81046, place="header")
    esr = Syndrome(source=_S, esr=0x96000021, place=SyndromePlace.MEM_ABORT)
    unknown = KernelLayout(
        source=_S, layout=build_layout(version=None, va_bits=None), sentence="nothing is known"
    )
    guess = unaligned_access(CaseView(Kind.PAGING_REQUEST, (unknown, esr, far)))
    known = unaligned_access(_case(far.va))
    assert guess is not None
    assert known is not None
    assert (guess.linear, known.linear) == (False, True)
