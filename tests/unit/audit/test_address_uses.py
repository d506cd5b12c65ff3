import pytest

from builders.hyp_images import link_6_1
from builders.moved_code import function
from whypanic.audit.address_uses import Does, formed_addresses, uses_outside
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image

OBJECT = '.section .data, "aw"\n.p2align 12\n.globl counter\n.type counter, %object\ncounter: .skip 64\n.size counter, 64\n'
OTHER = function("other", "  ret")

USES = {
    "ldr x1, [x0, :lo12:counter + 8]": [(Does.LOADS, 8, False)],
    "str w1, [x0, :lo12:counter + 4]": [(Does.STORES, 4, False)],
    "ldp x1, x2, [x0, #16]": [(Does.LOADS, 16, False)],
    "ldr x1, [x0, #8]!": [(Does.LOADS, 8, False)],
    "ldr x1, [x0], #8": [(Does.LOADS, 0, False)],
    "ldr x1, [x0, x2, lsl #3]": [(Does.LOADS, 0, True)],
    "ldadd x1, x2, [x0]": [(Does.STORES, 0, False)],
    "blr x0": [(Does.BRANCHES, 0, False)],
    "add x0, x0, #12\n  bl other": [(Does.HANDS_ON, 12, False)],
    "add x0, x0, #12\n  str x0, [x19]": [(Does.HANDS_ON, 12, False)],
    "add x0, x0, #12\n  mov x0, #0": [],
    "add x0, x0, #8\n  add x0, x0, #8\n  ldr x1, [x0]": [(Does.LOADS, 16, False)],
    "mrs x3, tpidr_el2\n  ldr x1, [x0, x3]": [],
    "prfm pldl1keep, [x0]": [],
    "ldr x1, [x20]": [],
}


@pytest.mark.parametrize("body", USES)
def test_uses_of_an_address(body: str) -> None:
    source = function("f", f"  adrp x0, counter\n  {body}\n  ret") + OBJECT + OTHER
    view = AuditView(open_image(link_6_1(source)))
    (hyp,) = view.named(("hyp",))
    counter = view.image.value_of("counter")
    assert counter is not None
    found = list(uses_outside(view, hyp, hyp.code))
    assert [(u.does, u.target - counter, u.indexed) for u in found] == USES[body]


def test_pages_and_exact_addresses() -> None:
    source = function("f", "  adrp x0, counter\n  adr x1, other\n  ret") + OBJECT + OTHER
    view = AuditView(open_image(link_6_1(source)))
    (hyp,) = view.named(("hyp",))
    places, addresses, is_page = formed_addresses(view.instructions(hyp))
    f, counter, other = (view.image.value_of(n) for n in ("f", "counter", "other"))
    assert f is not None
    assert places.tolist() == [f, f + 4]
    assert addresses.tolist() == [counter, other]
    assert is_page.tolist() == [True, False]


def test_function_whose_addresses_are_all_inside_is_not_looked_into() -> None:
    source = function("f", "  adr x0, other\n  ldr x1, [x0]\n  ret") + OTHER
    view = AuditView(open_image(link_6_1(source)))
    (hyp,) = view.named(("hyp",))
    assert list(uses_outside(view, hyp, hyp.code)) == []
