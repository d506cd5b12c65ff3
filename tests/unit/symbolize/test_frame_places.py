"""Where frames are in the image."""

from builders.image_facts import BASE, SOURCE, frame, function, listed_image, register
from builders.images import link
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.model.hyp import HypPanic
from whypanic.model.image import HypSlide, Slide
from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import TraceRole
from whypanic.symbolize.frame_places import (
    BY_ADDRESS,
    BY_CALLS,
    BY_SIZE,
    CONTRADICTED,
    GENERATED,
    NO_IMAGE,
    NO_PLACE,
    NOT_FOUND,
    OUTSIDE,
    UNKNOWN_SLIDE,
    WRONG_SIZE,
    Placed,
    place_frames,
)
from whypanic.symbolize.lookups import CALL_SITE, EXACT, NEXT_FUNCTION

SOURCE_TEXT = """
    .text
    .global outer
outer:
    bl helper
    nop
    ret
    .type helper, %function
helper:
    nop
    bl inner
    ret
    .global inner
inner:
    nop
    ret
    nop
    .global outer2
outer2:
    bl other_helper
    ret
    nop
    .global other_helper
other_helper:
helper_alias:
    nop
    nop
    ret
"""
MOVED = 0x1_2340_0000
IMAGE = listed_image(
    function("alpha", 0x100),
    function("beta", 0x140),
    function("twin", 0x180),
    function("gamma", 0x1C0),
    function("twin", 0x200),
    function("delta", 0x260),
    function("twin", 0x300),
    function("end", 0x340),
)
SLIDE = Slide(value=MOVED, printed=True, sentence="moved", source=SOURCE)


def placed(*facts: Fact, slide: Slide | None = None, image: KernelImage = IMAGE) -> list[Placed]:
    return place_frames(lambda module: None if module else image, facts, slide)


def offsets(found: list[Placed]) -> list[int | None]:
    return [None if p.address is None else p.address - BASE for p in found]


def test_pc_is_exact_and_others_are_calls() -> None:
    found = placed(frame("alpha", 8, 0x40), frame("beta", 0x10, 0x40))
    assert offsets(found) == [0x108, 0x14C]
    assert [p.how for p in found] == [EXACT, CALL_SITE]


def test_a_return_address_at_a_function_belongs_to_the_one_before() -> None:
    found = placed(frame("alpha", 8), frame("gamma", 0, 0x40))
    assert offsets(found) == [0x108, 0x1BC]
    assert found[1].note == NEXT_FUNCTION


def test_size_tells_twins_apart() -> None:
    found = placed(frame("alpha", 8), frame("twin", 8, 0x60))
    assert offsets(found)[1] == 0x204
    assert found[1].note == BY_SIZE


def test_an_address_tells_twins_apart() -> None:
    near = frame("twin", 8, 0x40, address=BASE + 0x308 + MOVED)
    found = placed(frame("alpha", 8), near, slide=SLIDE)
    assert offsets(found)[1] == 0x304
    assert found[1].note == BY_ADDRESS


def test_twins_that_nothing_tells_apart_stay_open() -> None:
    (_, found) = placed(frame("alpha", 8), frame("twin", 8, 0x40))
    assert found.address is None
    assert [a - BASE for a in found.alternatives] == [0x184, 0x304]
    assert found.note == "2 symbols of this name fit: which one is not known"


def test_what_cannot_be_placed_says_why() -> None:
    found = placed(
        frame("alpha", 8, 0x44),
        frame("nowhere", 8, 0x40),
        frame("work", 8, 0x40, module="foo"),
        frame("bpf_prog_12ab34cd56ef7890_x", 8, module="bpf"),
        frame("alpha"),
        frame(None, address=BASE + 0x104 + MOVED),
        frame(None, address=0x1000),
    )
    assert offsets(found) == [None] * 7
    assert [p.note for p in found] == [
        WRONG_SIZE, NOT_FOUND, NO_IMAGE, GENERATED, NO_PLACE, UNKNOWN_SLIDE, OUTSIDE,
    ]  # fmt: skip


def test_raw_addresses() -> None:
    signed = (BASE + 0x148 + MOVED) & ~(0x7F << 48) | 0x11 << 48
    found = placed(frame("alpha", 8), frame(None, address=signed), slide=SLIDE)
    assert offsets(found) == [0x108, 0x144]


def test_a_symbol_and_its_address_may_disagree() -> None:
    found = placed(frame("alpha", 8, 0x40, address=BASE + 0x10C + MOVED), slide=SLIDE)
    assert offsets(found) == [0x108]
    assert found[0].note == CONTRADICTED


def test_registers() -> None:
    ref = SymbolRef(symbol="alpha", offset=8, size=0x40)
    found = placed(register("pc", None, ref), register("lr", None, ref), register("x1", BASE))
    assert offsets(found) == [0x108, 0x104]


def test_hyp_frames_print_link_addresses() -> None:
    image = listed_image(function("__kvm_nvhe_work", 0x100), function("__kvm_nvhe_end", 0x140))
    facts = (
        frame("__kvm_nvhe_work", 8, 0x40, address=BASE + 0x108, role=TraceRole.HYP),
        frame(None, address=BASE + 0x120, role=TraceRole.HYP),
    )
    assert offsets(placed(*facts, image=image)) == [0x108, 0x11C]


def test_pc_of_a_hyp_panic() -> None:
    pc = 0x4000_0800_0108
    panic = HypPanic(
        ps=0x3C9, pc=pc, esr=None, far=None, hpfar=None, par=None, vcpu=None, source=SOURCE
    )
    hyp = HypSlide(value=(BASE + 0x108 - pc) % (1 << 64), printed=True, sentence="", source=SOURCE)
    facts = [panic, register("pc", pc)]
    found = place_frames(lambda _: IMAGE, facts, None, hyp_slide=hyp)
    assert offsets(found) == [0x108]
    assert place_frames(lambda _: IMAGE, facts, None)[0].note == OUTSIDE


def test_modules() -> None:
    module = listed_image(
        function("work", 0x40), function("x", 0x80), kind=ImageKind.MODULE, module="a_b"
    )
    found = place_frames(
        lambda name: module if name == "a_b" else IMAGE,
        [frame("work", 8, 0x40, module="a-b"), frame("beta", 8, 0x40)],
        None,
    )
    assert [p.image for p in found] == [module, IMAGE]
    assert offsets(found) == [0x48, 0x144]


def test_calls_tell_twins_apart() -> None:
    image = open_image(link(SOURCE_TEXT))
    twins = {"other_helper": "helper"}
    table = [s._replace(name=twins.get(s.name, s.name)) for s in image.symbols]
    renamed = listed_image(*table, sections=image.sections)
    renamed.extents = image.extents
    start = {s.name: s.address for s in image.symbols}
    # helper+0x8 stands behind `bl inner` in one of the two only.
    found = placed(frame("inner", 4), frame("helper", 8), frame("outer", 4), image=renamed)
    assert found[1].address == start["helper"] + 4
    assert found[1].note == BY_CALLS
    # The frame outside calls one of the two.
    found = placed(frame("helper", 4), frame("outer2", 4), image=renamed)
    assert found[0].address == start["other_helper"] + 4
    assert found[0].note == BY_CALLS
    ref = SymbolRef(symbol="helper", offset=4)
    found = placed(register("pc", None, ref), frame("helper", 4), frame("outer2", 4), image=renamed)
    assert found[0].address == start["other_helper"] + 4


def test_inlined_frames_of_scripts_have_no_place_of_their_own() -> None:
    found = placed(frame("small", inlined=True), frame("alpha", 8, 0x40))
    assert found[0].address is None
