from builders.images import assemble, link
from whypanic.code.image_code import Span, function_span
from whypanic.code.references import (
    branch_places,
    branches_to,
    references_from,
    slots_holding,
)
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.image import CodeReference

CODE = """
  .text
  .type caller, %function
caller:
  bl callee
  cbz x0, inner
  adrp x1, shared
  add x1, x1, :lo12:shared
  ldr x2, 1f
  b callee
  .p2align 3
1: .quad callee
  .size caller, .-caller
  .type callee, %function
callee:
  nop
inner:
  b.eq callee
  ret
  .size callee, .-callee
  .section .hyp.text,"ax"
  .type at_el2, %function
at_el2:
  adr x0, at_el2
  bl callee
  ret
  .size at_el2, .-at_el2
  .section .hyp.rodata,"a"
  .type listed, %object
  .p2align 3
listed: .quad at_el2
  .size listed, 8
  .type forgotten, %object
forgotten: .quad callee
  .size forgotten, 8
  .section .hyp.reloc,"a"
  .word listed - .
  .data
  .p2align 3
  .type shared, %object
shared: .quad callee + 4
  .size shared, 8
"""


def shown(found: tuple[CodeReference, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(r.kind, r.function, r.target_symbol) for r in found]


def at(image: KernelImage, name: str) -> int:
    found = image.value_of(name)
    assert found is not None
    return found


def span_of(image: KernelImage, name: str) -> Span:
    found = function_span(image, at(image, name))
    assert found is not None
    return found


def test_branches_to_an_address_are_calls_and_branches() -> None:
    image = open_image(link(CODE, "-pie"))
    found = branches_to(image, at(image, "callee"))
    assert shown(found) == [
        ("call", "caller", "callee"),
        ("branch", "caller", "callee"),
        ("branch", "callee", "callee"),
        ("call", "at_el2", "callee"),
    ]
    assert [r.domain for r in found] == ["kernel", "kernel", "kernel", "hyp"]
    assert found[0].word == 0x94000008
    assert branch_places(image, at(image, "callee")).tolist() == [r.place for r in found]


def test_branches_are_cut_to_a_span() -> None:
    image = open_image(link(CODE, "-pie"))
    caller = span_of(image, "caller")
    assert len(branches_to(image, at(image, "callee"), within=(caller.first, caller.end))) == 2
    assert branches_to(image, at(image, "callee"), within=(0, 8)) == ()


def test_references_of_a_function_leave_it() -> None:
    image = open_image(link(CODE, "-pie"))
    caller = span_of(image, "caller")
    found = references_from(image, caller.first, caller.end)
    assert [(r.kind, (r.place - caller.first) // 4, r.target_symbol) for r in found] == [
        ("call", 0, "callee"),
        ("branch", 1, "callee+0x4"),
        ("address", 3, "shared"),
        ("literal", 4, "callee"),
        ("branch", 5, "callee"),
    ]
    assert references_from(image, 0, 4) == ()


def test_slots_are_those_that_the_kernel_relocates() -> None:
    image = open_image(link(CODE, "-pie"))
    callee = span_of(image, "callee")
    exact = slots_holding(image, callee.first)
    inside = slots_holding(image, callee.first, callee.end)
    names = {s.address: s.name for s in image.symbols}
    assert [names.get(r.place) for r in exact] == [None, "forgotten"]
    assert {names.get(r.place) for r in inside} == {None, "forgotten", "shared"}
    assert slots_holding(image, 0x1234) == ()


def test_slots_of_the_hyp_are_covered_or_not() -> None:
    image = open_image(link(CODE, "-pie"))
    (listed,) = slots_holding(image, at(image, "at_el2"))
    assert (listed.covered, listed.function, listed.section) == (True, "listed", ".hyp.rodata")
    forgotten = [r for r in slots_holding(image, at(image, "callee")) if r.function == "forgotten"]
    assert [r.covered for r in forgotten] == [False]
    (shared,) = slots_holding(image, at(image, "callee") + 4)
    assert shared.covered is None


def test_image_that_is_not_relocated_is_searched_for_the_address_itself() -> None:
    image = open_image(link(CODE))
    assert not len(image.relative.slots)
    found = {r.place for r in slots_holding(image, at(image, "callee"))}
    assert found == {at(image, "caller") + 0x18, at(image, "forgotten")}


def test_object_gives_what_its_relocations_say() -> None:
    image = open_image(assemble(CODE.replace("bl callee\n  ret", "bl elsewhere\n  ret")))
    span = span_of(image, "at_el2")
    (found,) = references_from(image, span.first, span.end)
    assert (found.kind, found.target_symbol, found.text) == (
        "undefined", "elsewhere", "R_AARCH64_CALL26",
    )  # fmt: skip
    places = {r.place for r in slots_holding(image, at(image, "at_el2"))}
    assert places == {at(image, "listed")}


GOT = """
  .text
  .globl _start
  .type f, %function
f:
  adrp x0, :got:weakly
  ldr x0, [x0, :got_lo12:weakly]
  ret
  .size f, .-f
  .weak weakly
  .data
weakly: .quad 0
"""


def test_slot_of_the_got_is_followed_to_what_it_holds() -> None:
    image = open_image(link(GOT, "-shared", "--no-relax"))
    found = span_of(image, "f")
    (reference,) = references_from(image, found.first, found.end)
    assert reference.kind in ("got", "address")
    assert reference.place == found.first + 4


def test_a_label_of_the_compilers_own_names_nothing() -> None:
    source = (
        ".text\n.type f, %function\nf:\n  adrp x0, __kvm_nvhe_.Lpool\n"
        "  add x0, x0, :lo12:__kvm_nvhe_.Lpool\n  ret\n.size f, . - f\n"
        '.section .rodata, "a"\n.skip 0x18\n__kvm_nvhe_.Lpool: .quad 1, 2\n'
    )
    image = open_image(link(source))
    span = span_of(image, "f")
    (found,) = references_from(image, span.first, span.end)
    assert found.target_symbol == ".rodata+0x18"
