"""How far hyp VAs lie from link VAs."""

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from builders.image_facts import SOURCE
from builders.images import link
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.context import KernelOffset
from whypanic.model.hyp import HypOffset, HypPanic, HypPanicAt, HypVaRange, IdmapPage, KvmModeLine
from whypanic.model.provenance import Fact
from whypanic.symbolize.hyp_slides import solve_hyp_slide

SOURCE_TEXT = """
    .text
    .global outside
outside:
    nop
    .skip 0x220000
    .global far_away
far_away:
    ret
    .balign 4096
    .global __hyp_idmap_text_start
__hyp_idmap_text_start:
    nop
    .section .hyp.text, "ax"
    .balign 4096
    .global work
work:
    ldr x0, [x1]
    brk #0x800
    bl outside
    ret
    .skip 0x11000
    .global late
late:
    ldr x2, [x3]
    ret
"""
MASK = (1 << 64) - 1
DATA_ABORT, FETCH, BRK = 0x9600_0007, 0x8600_0007, 0xF200_0800
HYP_DIFFERENCE = 0x4000_1234_0000


@cache
def image() -> KernelImage:
    return open_image(link(SOURCE_TEXT))


def at(name: str, offset: int = 0) -> int:
    place = image().value_of(name)
    assert place is not None
    return place + offset


def hyp_va(place: int, moved: int) -> int:
    """Return the hyp VA of a link VA, for an image whose physical address is off a multiple of 2 MiB by `moved`."""
    return (place - image().base) + HYP_DIFFERENCE - HYP_DIFFERENCE % (1 << 30) + moved


def panic(pc: int, esr: int = DATA_ABORT, *, far: int = 0x1000, ps: int = 0x3C9) -> HypPanic:
    return HypPanic(ps=ps, pc=pc, esr=esr, far=far, hpfar=0, par=0, vcpu=0, source=SOURCE)


def fetch(pc: int) -> HypPanic:
    return panic(pc, FETCH, far=pc)


def kaslr(offset: int) -> KernelOffset:
    return KernelOffset(enabled=True, offset=offset, source=SOURCE)


def value(*facts: Fact) -> int | None:
    slide = solve_hyp_slide(image(), facts)
    return None if slide is None else slide.value


def test_printed() -> None:
    offset = HypOffset(offset=0xFFFE_8BE8_07E0_0000, source=SOURCE)
    assert value(offset) == 0xFFFE_8BE8_07E0_0000
    slide = solve_hyp_slide(image(), [offset])
    assert slide is not None
    assert slide.printed


def test_the_place_printed_for_pc() -> None:
    pc = hyp_va(at("work"), 0)
    where = HypPanicAt(what="panic", address=at("work"), source=SOURCE)
    assert value(panic(pc), where) == (at("work") - pc) & MASK
    damaged = HypPanicAt(what="panic", address=at("work") + 4, source=SOURCE)
    assert value(fetch(pc), damaged) is None


def test_a_damaged_offset_loses_against_the_one_that_leads_into_the_image() -> None:
    pc = hyp_va(at("work"), 0)
    where = HypPanicAt(what="panic", address=at("work"), source=SOURCE)
    wrong = HypOffset(offset=0x1234_0000, source=SOURCE)
    slide = solve_hyp_slide(image(), [panic(pc), where, wrong])
    assert slide is not None
    assert slide.value == (at("work") - pc) & MASK
    assert not slide.printed
    right, elsewhere = HypOffset(offset=slide.value, source=SOURCE), where.address + (1 << 40)
    said = HypPanicAt(what="panic", address=elsewhere, source=SOURCE)
    doubted = solve_hyp_slide(image(), [panic(pc), said, right])
    assert doubted is not None
    assert (doubted.value, doubted.printed) == (slide.value, False)


def test_vhe_has_none() -> None:
    mode = KvmModeLine(mode="vhe", source=SOURCE)
    facts = [mode, panic(hyp_va(at("work"), 0)), kaslr(0)]
    assert solve_hyp_slide(image(), facts) is None


def test_a_kernel_address_tells_nothing() -> None:
    assert value(fetch(at("outside")), kaslr(0)) is None


def test_a_panic_of_the_host_tells_nothing() -> None:
    assert value(panic(hyp_va(at("work"), 0), ps=0x3C5), kaslr(0)) is None


@given(st.integers(0, 31), st.integers(0, 1 << 14), st.sampled_from([("work", 0), ("late", 0)]))
def test_kaslr_and_pc_in_hyp_text(steps: int, random: int, place: tuple[str, int]) -> None:
    moved = steps << 16
    pc = hyp_va(at(*place), moved)
    assert value(panic(pc), kaslr((random << 21) + moved)) == (at(*place) - pc) & MASK


@given(st.integers(0, 31), st.integers(0, 1 << 10))
def test_the_idmap_page(steps: int, random: int) -> None:
    moved = steps << 16
    pa = 0x4000_0000 + (random << 30) + moved + at("__hyp_idmap_text_start") - image().base
    pc = hyp_va(at("late"), moved)
    slide = solve_hyp_slide(image(), [panic(pc), IdmapPage(pa=pa, source=SOURCE)])
    assert slide is not None
    assert slide.value == (at("late") - pc) & MASK
    assert "IDMAP page" in slide.sentence


def test_the_low_16_bits_of_a_load_give_no_slide() -> None:
    pc = hyp_va(at("work"), 0)
    assert value(panic(pc)) is None
    assert value(panic(pc), kaslr(0)) == (at("work") - pc) & MASK


def test_a_brk_is_recognised_by_its_number() -> None:
    pc = hyp_va(at("work", 4), 0x30000)
    assert value(panic(pc, BRK)) == (at("work", 4) - pc) & MASK
    assert value(panic(pc, BRK + 1)) is None


def test_a_call_out_of_hyp_text() -> None:
    pc = hyp_va(at("outside"), 0x50000)
    assert value(fetch(pc)) == (at("outside") - pc) & MASK
    slide = solve_hyp_slide(image(), [fetch(pc)])
    assert slide is not None
    assert "branches to it" in slide.sentence


def test_a_fetch_elsewhere_stays_open() -> None:
    pc = hyp_va(at("far_away"), 0)
    assert value(fetch(pc), kaslr(0)) is None


def test_a_pc_outside_the_printed_range() -> None:
    pc = hyp_va(at("work", 4), 0)
    printed = HypVaRange(first=0x1000, last=0x2000, source=SOURCE)
    assert value(panic(pc, BRK), printed) is None
