import pytest

from builders.images import assemble
from builders.moved_code import FORMS, function
from whypanic.audit.absolute_slots import slots_of
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image

SOURCE = function("f", "  ret") + (
    '.section .hyp.rodata, "a"\n.p2align 3\nlisted: .quad f\nother: .quad f, 0x123\n'
    '.section .hyp.reloc, "a"\n.word listed - .\n'
)


def view_of(source: str, form: str) -> AuditView:
    return AuditView(open_image(FORMS[form](source)))


@pytest.mark.parametrize(
    ("form", "how"),
    [
        ("object", "R_AARCH64_ABS64 against "),
        ("4.14", "the link address itself"),
        ("6.1", "R_AARCH64_RELATIVE"),
    ],
)
def test_slots_of_each_form(form: str, how: str) -> None:
    view = view_of(SOURCE, form)
    index = slots_of(view)
    listed, other = view.image.value_of("listed"), view.image.value_of("other")
    assert listed is not None
    assert other is not None
    assert {listed, other} <= set(index.all.places.tolist())
    assert not index.all.has(other + 8)
    assert index.how(listed).startswith(how)
    assert "f" in index.names_of(other)
    assert "(" in index.target_words(other)


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_listed_slots_are_open_to_other_domains_only(form: str) -> None:
    view = view_of(SOURCE, form)
    index = slots_of(view)
    listed = view.image.value_of("listed")
    assert listed is not None
    hyp = next(d for d in view.domains if d.name == "hyp")
    kernel = view.domains[-1]
    assert not index.open_to(hyp).has(listed)
    if kernel is not hyp:
        assert index.open_to(kernel).has(listed)


def test_constants_of_an_object_are_no_addresses() -> None:
    source = (
        ".globl number\nnumber = 0x80000000\n.data\n.p2align 3\nx: .quad number\ny: .quad there\n"
    )
    view = AuditView(open_image(assemble(source)))
    index = slots_of(view)
    x, y = view.image.value_of("x"), view.image.value_of("y")
    assert x is not None
    assert y is not None
    assert (index.all.has(x), index.all.has(y)) == (False, True)
    assert index.names_of(y) == ("there",)
    assert index.target_words(y) == "R_AARCH64_ABS64 against there"


def test_got_by_its_section() -> None:
    take = "  adrp x0, :got:f\n  ldr x0, [x0, :got_lo12:f]\n  ret"
    view = view_of(function("f", take), "4.14")
    ranges = slots_of(view).got
    assert ranges
    assert all(slots_of(view).in_got(first) for first, _ in ranges)
    assert not slots_of(view).in_got(0)
