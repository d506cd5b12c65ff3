import pytest

from builders.images import link
from whypanic.code.formed_access import formed_access
from whypanic.formats.images import open_image

FIRST = 0xFFFF800008000000


def accessed(code: str, place: int) -> int | None:
    source = f".text\n.type f, %function\nf:\n{code}\n  ret\n.size f, . - f\n.data\n.p2align 3\nshared: .quad 1, 2\n"
    image = open_image(link(source))
    (function,) = image.symbols.find("f")
    shared = image.value_of("shared")
    assert shared is not None
    found = formed_access(image, function.address, function.end, function.address + place)
    return None if found is None else found - shared


@pytest.mark.parametrize(
    ("code", "place", "offset"),
    [
        ("adrp x0, shared\nldr x1, [x0, :lo12:shared]", 4, 0),
        ("adrp x0, shared\nadd x0, x0, :lo12:shared\nstr x1, [x0, #8]", 8, 8),
        ("adrp x0, shared\nadd x0, x0, :lo12:shared\nldr x1, [x0], #8", 8, 0),
        ("adrp x0, shared\nadd x0, x0, :lo12:shared\nldr x1, [x0, #8]!", 8, 8),
        # Two ways, one address.
        (
            "cbz x3, 1f\nadrp x0, shared\nb 2f\n1: adrp x0, shared\n2: ldr x1, [x0, :lo12:shared]",
            16,
            0,
        ),
    ],
)
def test_an_address_that_the_function_makes(code: str, place: int, offset: int) -> None:
    assert accessed(code, place) == offset


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("adrp x0, shared\nldr x1, [x2, :lo12:shared]", 4),
        ("cbz x3, 1f\nadrp x0, shared\n1: ldr x1, [x0, :lo12:shared]", 8),
        ("adrp x0, shared\nadd x0, x0, :lo12:shared\nldr x1, [x0, x2]", 8),
        ("adrp x0, shared\nadd x0, x0, :lo12:shared\nbl other\nldr x1, [x0]", 12),
        ("adrp x0, shared\nadd x0, x0, x1", 4),
        ("nop", 0),
        ("nop", 2),
        ("nop", 0x100),
    ],
)
def test_an_address_that_depends_on_more(code: str, place: int) -> None:
    code += "\n.global other\n.set other, f" if "other" in code else ""
    assert accessed(code, place) is None
