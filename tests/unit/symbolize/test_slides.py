"""How far an image was moved."""

from hypothesis import given
from hypothesis import strategies as st

from builders.image_facts import BASE, SOURCE, frame, function, listed_image, register
from whypanic.formats.kernel_image import ImageKind, Section
from whypanic.model.context import KernelOffset
from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame
from whypanic.symbolize.slides import explain_slide, solve_slide

NAMES = ("alpha", "beta", "gamma", "twin", "twin", "delta")
STARTS = (0x10000, 0x10040, 0x10100, 0x11000, 0x21404, 0x21804)
IMAGE = listed_image(*(function(n, a) for n, a in zip(NAMES, STARTS, strict=True)))
MOVED = 0x2AB5_C021_0000


def at(i: int, offset: int, slide: int, size: int | None = None) -> Frame:
    return frame(NAMES[i], offset, size, address=BASE + STARTS[i] + offset + slide)


def printed(offset: int | None) -> KernelOffset:
    return KernelOffset(enabled=offset is not None, offset=offset, source=SOURCE)


@given(
    st.integers(0, 1 << 20).map(lambda n: n << 16),
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 15)), min_size=1, max_size=8),
)
def test_any_pairs_give_the_slide(slide: int, places: list[tuple[int, int]]) -> None:
    facts = [at(i, 4 * words, slide) for i, words in places]
    solved = solve_slide(IMAGE, facts)
    assert solved is not None
    assert solved.value == slide
    assert not solved.printed
    assert solved.because


def test_printed() -> None:
    assert explain_slide(IMAGE, [printed(MOVED)]).reason == f"Kernel Offset {MOVED:#x} is printed"
    off = solve_slide(IMAGE, [printed(None)])
    assert off is not None
    assert (off.value, off.printed) == (0, True)
    both = solve_slide(IMAGE, [printed(MOVED), at(0, 4, MOVED)])
    assert both is not None
    assert both.statement.endswith("1 address with symbols agree")


def test_pairs_outvote_a_printed_offset() -> None:
    facts: list[Fact] = [printed(MOVED + 0x200000), at(0, 4, MOVED), at(1, 8, MOVED)]
    solved = solve_slide(IMAGE, facts)
    assert solved is not None
    assert solved.value == MOVED
    assert not solved.printed
    assert "but 2 addresses printed with symbols say" in solved.sentence
    one = solve_slide(IMAGE, facts[:2])
    assert one is not None
    assert (one.value, one.printed) == (MOVED + 0x200000, True)
    apart = solve_slide(IMAGE, [facts[0], at(0, 4, MOVED), at(1, 8, MOVED + 0x1000000)])
    assert apart is not None
    assert (apart.value, apart.printed) == (MOVED + 0x200000, False)


def test_pairs_that_disagree_give_nothing() -> None:
    answer = explain_slide(IMAGE, [at(0, 4, MOVED), at(1, 8, MOVED + 0x10000)])
    assert answer.slide is None
    assert "do not agree" in answer.reason
    assert solve_slide(IMAGE, [at(0, 4, MOVED + 8)]) is None
    assert "no kernel address" in explain_slide(IMAGE, [frame("alpha", 4)]).reason


def test_one_damaged_pair_among_many() -> None:
    facts = [*(at(i, 4, MOVED) for i in (0, 1, 2, 5)), at(0, 8, MOVED + 0x1000)]
    answer = explain_slide(IMAGE, facts)
    assert answer.slide is not None
    assert answer.slide.value == MOVED
    assert "4 of 5 addresses" in answer.reason


def test_size_tells_which_twin() -> None:
    image = listed_image(
        function("twin", 0x10000),
        function("a", 0x10020),
        function("twin", 0x30000),
        function("b", 0x30040),
    )
    facts = [frame("twin", 4, 0x40, address=BASE + 0x30004 + MOVED)]
    solved = solve_slide(image, facts)
    assert solved is not None
    assert solved.value == MOVED
    assert solve_slide(image, [frame("twin", 4, address=BASE + 0x30004 + MOVED)]) is None


def test_a_signed_link_register() -> None:
    ref = SymbolRef(symbol="beta", offset=8, size=0xC0)
    signed = (BASE + 0x10048 + MOVED) & ~(0x7F << 48) | 0x2B << 48
    solved = solve_slide(IMAGE, [register("lr", signed, ref)])
    assert solved is not None
    assert solved.value == MOVED


def test_a_modules_section() -> None:
    sections = (
        Section(".text", 0x10000, 0x1000, True, False),
        Section(".init.text", 0x11000, 0x1000, True, False),
    )
    symbols = tuple(
        function(n, a - BASE) for n, a in (("go", 0x10100), ("set", 0x10200), ("init", 0x11000))
    )
    image = listed_image(*symbols, kind=ImageKind.MODULE, module="foo_bar", sections=sections)
    load = 0xFFFF_8000_7B00_0000
    facts = [
        frame("go", 4, address=load + 0x104, module="foo-bar"),
        frame("set", 8, address=load + 0x208, module="foo_bar"),
        frame("init", 4, address=load + 0x9004, module="foo_bar"),
        frame("go", 4, address=BASE + 4),
    ]
    solved = solve_slide(image, facts)
    assert solved is not None
    assert (solved.module, solved.section) == ("foo_bar", ".text")
    assert solved.value == load - 0x10000
