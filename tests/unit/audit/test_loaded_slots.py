from builders.images import assemble
from builders.moved_code import function
from whypanic.audit.absolute_slots import slots_of
from whypanic.audit.function_code import codes_of, functions_at, span_of
from whypanic.audit.loaded_slots import accesses_of, pointers_at
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.images import open_image

TABLE = '.section .rodata, "a"\n.p2align 3\ntable: .quad f, g\n.size table, 16\nlast: .quad 0\n'
NEAR = function(
    "f", "  adrp x1, table\n  add x1, x1, :lo12:table\n  ldr x2, [x1, x0, lsl #3]\n  ret"
)
FAR = function("g", "  adrp x1, last\n  ldr x2, [x1, :lo12:last]\n  ret")


def view_of(source: str) -> tuple[AuditView, Domain]:
    view = AuditView(open_image(assemble(source)))
    return view, next(d for d in view.domains if d.name == "hyp")


def test_loads_with_what_they_pick_from() -> None:
    view, hyp = view_of(NEAR + FAR + TABLE)
    (span, *_) = functions_at(view, hyp, slots_of(view).open_to(hyp))
    (code,) = codes_of(view, span)
    (access,) = accesses_of(view, code)
    table = view.image.value_of("table")
    assert table is not None
    assert (access.place, access.register, access.address, access.is_table) == (
        2,
        "x2",
        table,
        True,
    )
    found = pointers_at(view, access, slots_of(view).open_to(hyp))
    assert found is not None
    assert found.places == (table, table + 8)


def test_a_load_beside_a_table_picks_nothing() -> None:
    view, hyp = view_of(NEAR + FAR + TABLE)
    address = view.image.value_of("g")
    assert address is not None
    span = span_of(view, hyp, address)
    assert span is not None
    (access,) = accesses_of(view, codes_of(view, span)[0])
    assert not access.is_table
    assert pointers_at(view, access, slots_of(view).open_to(hyp)) is None


SPILLED = """\
  adrp x8, table
  b 1f
  brk #0x800
1: add x8, x8, :lo12:table
  str x8, [sp, #40]
  ldr x9, [sp, #40]
  add x9, x9, x0, lsl #3
  ldr x2, [x9]
  br x2
2: ret"""


def test_address_that_ways_bring_differently() -> None:
    view, hyp = view_of(function("f", SPILLED) + function("g", "  ret") + TABLE)
    table, address = view.image.value_of("table"), view.image.value_of("f")
    assert address is not None
    span = span_of(view, hyp, address)
    assert span is not None
    found = accesses_of(view, codes_of(view, span)[0])
    assert (table, True, "x2") in {(a.address, a.is_table, a.register) for a in found}
