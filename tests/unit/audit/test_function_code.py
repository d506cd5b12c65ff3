from builders.images import assemble
from builders.moved_code import function
from whypanic.audit.absolute_slots import slots_of
from whypanic.audit.function_code import (
    codes_of,
    functions_at,
    span_of,
    spans_of,
)
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.images import open_image

TABLE = '.section .rodata, "a"\n.p2align 3\ntable: .quad f, g\n.size table, 16\nlast: .quad 0\n'
NEAR = function(
    "f", "  adrp x1, table\n  add x1, x1, :lo12:table\n  ldr x2, [x1, x0, lsl #3]\n  ret"
)
FAR = function("g", "  adrp x1, last\n  ldr x2, [x1, :lo12:last]\n  ret")
PATCHED = function("h", "1: nop\n  br x0") + (
    '.section .altinstructions, "a"\n.word 1b - .\n.word 2f - .\n.hword 3\n.byte 4, 4\n'
    '.section .altinstr_replacement, "ax"\n2: mov x0, #7\n'
)


def view_of(source: str) -> tuple[AuditView, Domain]:
    view = AuditView(open_image(assemble(source)))
    return view, next(d for d in view.domains if d.name == "hyp")


def test_functions_that_may_form_the_address_of_a_slot() -> None:
    view, hyp = view_of(NEAR + FAR + TABLE.replace("last:", ".space 0x2000\nlast:"))
    found = functions_at(view, hyp, slots_of(view).open_to(hyp))
    assert [span.name for span in found] == ["f"]
    assert functions_at(view, hyp, slots_of(view).all.within(0, 0)) == ()


def test_function_as_built_and_as_patched() -> None:
    view, hyp = view_of(PATCHED)
    address = view.image.value_of("h")
    assert address is not None
    span = span_of(view, hyp, address)
    assert span is not None
    built, patched = codes_of(view, span)
    assert built.word_of(0) is None
    assert patched.word_of(0) == 0xD28000E0
    assert patched.word_of(1) is None
    assert patched.slice(frozenset({0}), 1) == (address, address + 4)


def test_code_without_symbols_has_a_span() -> None:
    view, hyp = view_of('.section .hyp.text, "ax"\n  nop\n  br x0\n')
    first, end = hyp.code[0]
    span = span_of(view, hyp, first + 4)
    assert span is not None
    assert span.holds(first + 4)
    assert span_of(view, hyp, end + 0x100) is None


def test_each_function_once() -> None:
    view, hyp = view_of(NEAR + FAR + TABLE)
    places = view.instructions(hyp).places
    assert [span.name for span in spans_of(view, hyp, places)] == ["f", "g"]


def test_label_that_assembler_falls_through_ends_no_function() -> None:
    first = function("f", "  nop\n  mov x0, #1", ".idmap.text")
    second = function("g", "  ret\n  nop", ".idmap.text")
    view = AuditView(open_image(assemble(first + second + function("h", "  ret", ".idmap.text"))))
    idmap = next(d for d in view.domains if d.name == "idmap")
    address = {name: view.image.value_of(name) for name in "fgh"}
    spans = {name: span_of(view, idmap, at) for name, at in address.items() if at is not None}
    assert [span.name for span in spans.values() if span] == ["f", "f", "h"]
