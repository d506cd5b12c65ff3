import numpy as np
import pytest

from builders.images import assemble
from whypanic.audit.value_uses import Use, uses_of
from whypanic.code.flow import Flow
from whypanic.formats.images import open_image


def flow_of(body: str) -> Flow:
    image = open_image(assemble(f".text\nf:\n{body}\n.section .data\n"))
    words = image.words(image.base, image.base + 4 * len(body.strip().splitlines()))
    assert words is not None
    return Flow(words, image.base, np.zeros(len(words), np.bool_))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("ldr x1, [x9]\nbr x1", [(Use.BRANCHED, 1)]),
        ("ldr x9, [x1]\nmov x3, x9\nblr x3\nret", [(Use.BRANCHED, 2)]),
        ("ldr x9, [x1]\nldr x9, [x9, #8]\nbr x9", [(Use.DEREFERENCED, 1)]),
        ("ldr x9, [x1]\nadd x9, x9, #4\nstr x9, [x9]\nret", [(Use.DEREFERENCED, 2), (Use.STORED, 2)]),
        ("ldr x9, [x1]\nadd x9, x9, x3\nbr x9", [(Use.CONVERTED, 1)]),
        ("ldr x9, [x1]\nand x9, x9, #0xff\nbr x9", [(Use.CONVERTED, 1)]),
        ("ldr x9, [x1]\ncmp x9, x3\nret", []),
        ("ldr x9, [x1]\nmov w9, w9\nbr x9", [(Use.CONVERTED, 1)]),
        ("ldr x9, [x1]\nmsr elr_el2, x9\neret", [(Use.ERET, 1)]),
        ("ldr x9, [x1]\nmsr vbar_el2, x9\nret", [(Use.SYSTEM, 1)]),
        ("ldr x0, [x1]\nret", [(Use.RETURNED, 1)]),
        ("ldr x0, [x1]\nmov x0, #0\nret", []),
        ("ldr x9, [x1]\nbl . + 0x1000\nbr x9", []),
        ("ldr x19, [x1]\nbl . + 0x1000\nbr x19", [(Use.BRANCHED, 2)]),
        ("ldr x3, [x1]\nb . + 0x1000", [(Use.PASSED, 1)]),
        ("ldr x9, [x1], #8\nstr x9, [sp, #16]\nldr x2, [sp, #16]\nbr x2", [(Use.BRANCHED, 3)]),
        ("ldr x9, [x1]\nstr x9, [sp, #16]\nstr xzr, [sp, #16]\nldr x10, [sp, #16]\nbr x10", []),
        ("ldr x9, [x1]\nldr x3, [x9], #8\nbr x9", [(Use.DEREFERENCED, 1), (Use.BRANCHED, 2)]),
        ("ldr x9, [x1]\ncbz x0, . + 8\nmov x9, #0\nbr x9", [(Use.BRANCHED, 3)]),
        ("ldr x9, [x1]\ncsel x9, x9, x3, eq\nbr x9", [(Use.BRANCHED, 2)]),
        ("ldr x9, [x1]\nb . + 8\nbr x9\nret", []),
        ("ldr x9, [x1]\ncbnz x2, . - 4\nbr x9", [(Use.BRANCHED, 2)]),
    ],
)  # fmt: skip
def test_uses(body: str, expected: list[tuple[Use, int]]) -> None:
    register = body.partition(",")[0].split()[-1]
    found = [(use.kind, use.place) for use in uses_of(flow_of(body), 0, register)]
    assert sorted(found) == sorted(expected)


def test_loop_that_the_value_goes_round() -> None:
    body = "ldr x9, [x1]\nmov x10, x9\nmov x9, x10\ncbnz x2, . - 8\nbr x10"
    assert Use.BRANCHED in {use.kind for use in uses_of(flow_of(body), 0, "x9")}
