"""Registers that hold addresses of the image."""

from builders.image_facts import BASE, SOURCE, TEXT_BYTES, function, listed_image, register
from whypanic.formats.kernel_image import Section
from whypanic.formats.symbol_table import Symbol
from whypanic.model.image import HypSlide, Slide
from whypanic.symbolize.named_values import name_address, name_values

MOVED = 0x1_2340_0000
DATA = BASE + 0x300000
IMAGE = listed_image(
    function("work", 0x100, 0x40),
    function("next", 0x180),
    Symbol("table", DATA, 0x20, "object"),
    sections=(
        Section(".text", BASE, TEXT_BYTES, True, False),
        Section(".data", DATA, 0x1000, False, True),
    ),
)
SLIDE = Slide(value=MOVED, printed=True, sentence="moved", source=SOURCE)
HYP = HypSlide(
    value=(BASE - 0x4000_0800_0000) % (1 << 64), printed=True, sentence="hyp", source=SOURCE
)


def test_values_in_the_image_are_named() -> None:
    registers = [
        register("x0", BASE + 0x110 + MOVED),
        register("x1", DATA + 8 + MOVED),
        register("x2", DATA + 0x800 + MOVED),
        register("x3", BASE + 0x250000 + MOVED),
        register("x4", 0x40),
        register("x5", 0xAAAA_1234_0000),
        register("x6", None),
        register("pc", BASE + 0x110 + MOVED),
    ]
    named = name_values(IMAGE, registers, SLIDE, None)
    assert [(v.register, v.ref.symbol, v.ref.offset, v.section) for v in named] == [
        ("x0", "work", 0x10, ".text"),
        ("x1", "table", 8, ".data"),
        ("x2", ".data", 0x800, ".data"),
    ]


def test_nothing_without_a_slide() -> None:
    assert name_values(IMAGE, [register("x0", BASE + 0x110)], None, None) == ()


def test_hyp_values() -> None:
    registers = [register("x0", 0x4000_0800_0104), register("x1", 0x40), register("x2", BASE)]
    named = name_values(IMAGE, registers, None, HYP)
    assert [(v.register, v.ref.symbol, v.ref.offset) for v in named] == [("x0", "work", 4)]


def test_a_symbol_without_size_reaches_to_the_next() -> None:
    ref = name_address(IMAGE, BASE + 0x190)
    assert ref is not None
    assert (ref.symbol, ref.offset, ref.size) == ("next", 0x10, None)
    assert name_address(IMAGE, BASE - 4) is None
