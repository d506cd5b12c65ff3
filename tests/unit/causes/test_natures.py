import pytest

from whypanic.arch.layouts import build_layout
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature, in_kernel_thread, is_mmap_like, va_bits, value_nature
from whypanic.code.kernel_layout import KernelLayout
from whypanic.model.fault import FaultAddress, PageTable, PageWalk, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Source

_S = Source(line=1)
_LAYOUT = KernelLayout(
    source=_S,
    layout=build_layout(version=(6, 1), va_bits=48, kernel_offset=0),
    sentence="6.1, 48 bits",
)


def _case(*facts: Fact, kind: Kind = Kind.PAGING_REQUEST) -> CaseView:
    return CaseView(kind, (*facts, _LAYOUT))


@pytest.mark.parametrize(
    ("value", "nature"),
    [
        (0, Nature.NULL),
        (0x10, Nature.NULL),
        (0xFF8, Nature.NULL),
        (0xFFFFFFFFFFFFFFED, Nature.ERROR),
        (0xDEAD000000000108, Nature.POISON),
        (0x6B6B6B6B6B6B6B6B, Nature.POISON),
        (int.from_bytes(b"eth0-vla", "little"), Nature.TEXT),
        (0x5C31B9E07F24A8D0, Nature.NON_CANONICAL),
        (0x1A000, Nature.SMALL),
        (0x0000FFFF91C2E000, Nature.USER),
        (0x0000AAAAD1230000, Nature.USER),
        (0x0200000000045678, Nature.SMALL),
        (0xFFFF00007B3C4000, Nature.LINEAR),
    ],
)
def test_value_has_one_nature(value: int, nature: Nature) -> None:
    assert value_nature(_case(), value)[0] is nature


def test_zero_size_pointer_is_named() -> None:
    assert "ZERO_SIZE_PTR" in value_nature(_case(), 0x10)[1]


def test_kernel_thread_has_no_user_addresses() -> None:
    case = _case(PageTable(source=_S, owner="swapper", page_kib=4, va_bits=48, pgd=None))
    assert in_kernel_thread(case)
    assert value_nature(case, 0x0000FFFF91C2E000)[0] is Nature.SMALL
    assert in_kernel_thread(
        _case(PageWalk(source=_S, va=0, entries=(), note="user address but active_mm is swapper"))
    )


def test_permission_fault_shows_a_low_page_to_be_the_users() -> None:
    case = _case(
        Syndrome(source=_S, esr=0x9600000F, place=SyndromePlace.MEM_ABORT),
        FaultAddress(source=_S, va=0x412018, place="header"),
    )
    assert value_nature(case, 0x412000)[0] is Nature.USER


def test_layout_of_el1_says_nothing_at_el2() -> None:
    assert value_nature(_case(kind=Kind.HYP_PANIC), 0xFFFF00007B3C4000)[0] is Nature.ODD


def test_mmap_areas_follow_the_width_of_addresses() -> None:
    assert is_mmap_like(0x7FB1234000, 39)
    assert not is_mmap_like(0x7FB1234000, 48)
    assert is_mmap_like(0xFFFF91C2E000, 52)


def test_printed_width_comes_first() -> None:
    assert (
        va_bits(_case(PageTable(source=_S, owner="user", page_kib=4, va_bits=39, pgd=None))) == 39
    )
    assert va_bits(_case()) == 48


def test_kernel_that_finds_an_address_in_neither_range_is_believed() -> None:
    note = "address between user and kernel address ranges"
    walk = PageWalk(source=_S, va=0xFFFF3B00024D2D20, entries=(), note=note)
    assert value_nature(_case(walk), 0xFFFF3B00024D2D20)[0] is Nature.NON_CANONICAL
    assert value_nature(_case(walk), 0xFFFF3B00024D2D08)[0] is Nature.NON_CANONICAL
    assert value_nature(_case(walk), 0xFFFF3B0002400000)[0] is Nature.LINEAR
    assert value_nature(_case(), 0xFFFF3B00024D2D20)[0] is Nature.LINEAR
