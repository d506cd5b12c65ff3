import numpy as np
import pytest

from builders.images import link
from whypanic.code.flow import Flow
from whypanic.code.register_values import RegisterValues
from whypanic.code.table_bounds import Bound, index_bound
from whypanic.code.table_idioms import table_form
from whypanic.formats.images import open_image

BRANCH = """
  adrp x9, .+0x1000
  ldr x9, [x9, {index}]
  br x9
3: ret
"""


def bound_of(code: str, index: str = "x0, lsl #3") -> Bound | None:
    image = open_image(link(f"  .text\n{code}\n{BRANCH.format(index=index)}"))
    section = image.section(".text")
    assert section is not None
    words = image.words(section.address, section.end)
    assert words is not None
    flow = Flow(words, section.address, np.zeros(len(words), np.bool_))
    values = RegisterValues(flow, lambda _: None)
    (place,) = (i for i in range(len(words)) if int(words[i]) == 0xD61F0120)
    form = table_form(values.before("x9", place))
    assert form is not None
    return index_bound(values, form)


@pytest.mark.parametrize(
    ("code", "index", "entries"),
    [
        ("cmp w0, #5\nb.hi 3f", "w0, uxtw #3", 6),
        ("cmp x0, #5\nb.cs 3f", "x0, lsl #3", 5),
        ("cmp w0, #5\nb.ls 1f\nb 3f\n1:", "w0, uxtw #3", 6),
        ("cmp w0, #5\nb.cc 1f\nb 3f\n1:", "w0, uxtw #3", 5),
        ("cmp w0, #5\nb.gt 3f", "w0, sxtw #3", 6),
        ("cmp w0, #5\nb.ge 3f", "w0, sxtw #3", 5),
        ("mov w1, #0x1234\ncmp w0, w1\nb.hi 3f", "w0, uxtw #3", 0x1235),
        # The index is less than what is compared, or more.
        ("sub w1, w0, #3\ncmp w1, #5\nb.hi 3f", "w1, uxtw #3", 6),
        ("subs w1, w0, #3\nb.cc 3f\ncmp w0, #8\nb.hi 3f", "w1, uxtw #3", 6),
        ("cmp w0, #8\nb.hi 3f\nsub w1, w0, #3", "w1, uxtw #3", 6),
        # Copies of the index, to either side of the compare.
        ("mov w1, w0\ncmp w1, #5\nb.hi 3f", "w0, uxtw #3", 6),
        ("cmp w0, #5\nb.hi 3f\nmov w1, w0", "x1, lsl #3", 6),
        ("and w1, w0, #0xff\ncmp w1, #5\nb.hi 3f\nand x2, x0, #0xff", "x2, lsl #3", 6),
        # Scaled before the load.
        ("cmp w0, #5\nb.hi 3f\nubfiz x1, x0, #3, #32", "x1", 6),
        # Compared before something else happens.
        ("cmp w0, #5\nb.hi 3f\ncbz x3, 3f\nadd x4, x4, #1\ncbz x4, 3f", "w0, uxtw #3", 6),
        # Two ways in, each with its compare: the looser counts.
        ("cbz x5, 1f\ncmp w0, #5\nb.hi 3f\nb 2f\n1: cmp w0, #7\nb.hi 3f\n2:", "w0, uxtw #3", 8),
    ],
)
def test_compare_before_the_branch_bounds_the_index(code: str, index: str, entries: int) -> None:
    found = bound_of(code, index)
    assert found is not None
    assert (found.entries, found.loose) == (entries, False)
    assert found.text.startswith("cmp at 0xffff8000")


@pytest.mark.parametrize(
    ("code", "index", "entries"),
    [
        ("and x0, x1, #7", "x0, lsl #3", 8),
        ("ubfx x0, x1, #26, #6", "x0, lsl #3", 64),
        ("lsr w0, w1, #28", "x0, lsl #3", 16),
        ("ldrb w0, [x1]", "x0, lsl #3", 256),
        ("ubfx w0, w1, #4, #4\nsub w0, w0, #2", "w0, uxtw #3", 14),
    ],
)
def test_width_of_the_index_bounds_it_loosely(code: str, index: str, entries: int) -> None:
    found = bound_of(code, index)
    assert found is not None
    assert (found.entries, found.loose) == (entries, True)


@pytest.mark.parametrize(
    "code",
    [
        "nop",
        "cmp w1, #5\nb.hi 3f",  # another register
        "cmp w0, #5\nb.hi 3f\nadd w0, w0, w1",  # changed since
        "cmp w0, #5\nb.hi 3f\nbl 3f",  # a call may have changed it
        "cmp w0, #5\nb.ne 3f",
        "cmp w0, #5\nb.hi 1f\nadd x4, x4, #1\n1:",  # both ways lead here
        "cbz x5, 1f\ncmp w0, #5\nb.hi 3f\n1:",  # one way is not compared
        "cmp w0, #5\nb.ls 3f",  # the other way
        "cmp w0, #5\nbl 3f\nb.hi 3f",  # flags do not live across a call
        "cmp w0, w1\nb.hi 3f",
    ],
)
def test_what_is_no_bound_is_none(code: str) -> None:
    assert bound_of(code, "w0, uxtw #3") is None


@pytest.mark.parametrize("again", ["ldr w0, [x7]", "mov w0, #9"])
def test_an_index_that_is_replaced_behind_the_compare_is_not_bounded(again: str) -> None:
    code = f"ldr w0, [x6]\ncmp w0, #5\nb.hi 3f\ncbz w1, 1f\n{again}\n1:"
    assert bound_of(code, "w0, uxtw #3") is None
