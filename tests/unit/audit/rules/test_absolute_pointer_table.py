import pytest

from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.absolute_jump_table import absolute_jump_table
from whypanic.audit.rules.absolute_pointer_table import absolute_pointer_table as rule
from whypanic.model.audit import Level

PICK = "  adrp x1, names\n  add x1, x1, :lo12:names\n  ldr x0, [x1, w0, uxtw #3]\n"
NAMES = """\
.section .rodata, "a"
.p2align 3
names: .quad one, two, three
.size names, 24
.section .rodata.str, "a"
one: .asciz "one"
two: .asciz "two"
three: .asciz "three"
"""


@pytest.mark.parametrize("form", FORMS)
def test_string_picked_and_read(form: str) -> None:
    (finding,) = findings(function("f", PICK + "  ldrb w0, [x0]\n  ret") + NAMES, form, rule)
    assert finding.level is Level.ERROR
    assert finding.title == (
        "the address loaded from a table of 3 absolute pointers is used as the address of an access"
    )
    assert finding.fault is not None
    assert (finding.fault.ec, finding.cause) == (0x25, "absolute-pointer-at-el2")
    assert [place - finding.slice[0] for place in finding.slice] == [0, 4, 8, 12]


@pytest.mark.parametrize(
    ("rest", "how"),
    [
        ("  ret", "returned"),
        ("  bl other\n  ret", "passed to a call"),
        ("  str x0, [x5]\n  mov x0, #0\n  ret", "stored"),
    ],
)
def test_pointer_handed_on_is_a_warning(rest: str, how: str) -> None:
    source = function("f", PICK + rest) + function("other", "ret") + NAMES
    (finding,) = findings(source, "6.1", rule)
    assert finding.level is Level.WARNING
    assert finding.title.endswith(how)


@pytest.mark.parametrize(
    "rest",
    [
        "  cbz x0, 1f\n1: mov x0, #0\n  ret",
        "  cmp x0, x3\n  mov x0, #0\n  ret",
        "  sub x0, x0, x6\n  ldrb w0, [x0]\n  ret",
        "  msr elr_el2, x0\n  mov x0, #0\n  eret",
        "  mov x0, #0\n  ret",
    ],
)
def test_pointer_that_is_not_followed(rest: str) -> None:
    assert findings(function("f", PICK + rest) + NAMES, "6.1", rule) == []


@pytest.mark.parametrize(
    "rest",
    [
        "  mov x9, x0\n  cbnz x9, 1f\n  ret\n1: ldr w0, [x9, #8]\n  ret",
        "  add x9, x0, #16\n  stp x9, x9, [x9]\n  ret",
        "  str x0, [sp, #8]\n  bl other\n  ldr x9, [sp, #8]\n  ldrb w0, [x9]\n  ret",
        "  ldr x0, [x0]\n  ret",
    ],
)
def test_pointer_is_followed_on_its_way(rest: str) -> None:
    source = function("f", PICK + rest) + function("other", "ret") + NAMES
    assert Level.ERROR in {f.level for f in findings(source, "6.1", rule)}


ONE = "  adrp x1, names\n  ldr x0, [x1, :lo12:names + 8]\n"


@pytest.mark.parametrize("form", FORMS)
def test_single_pointer(form: str) -> None:
    (finding,) = findings(function("f", ONE + "  ldrb w0, [x0]\n  ret") + NAMES, form, rule)
    assert finding.title.startswith("the address loaded from an absolute pointer")
    called = findings(function("f", ONE + "  br x0") + NAMES, form, rule)
    assert [(f.fault.ec if f.fault else None) for f in called] == [0x21]


def test_hoisted_far_from_the_load() -> None:
    body = "  adrp x1, names\n  add x1, x1, :lo12:names\n" + "  nop\n" * 40
    body += "1: ldr x2, [x1, x0, lsl #3]\n  ldrb w3, [x2]\n  cbnz w3, 1b\n  ret"
    assert len(findings(function("f", body) + NAMES, "6.1", rule)) == 1


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_listed_pointers_are_legal(form: str) -> None:
    listed = "".join(f".word names + {n} - .\n" for n in (0, 8, 16))
    source = function("f", PICK + "  ldrb w0, [x0]\n  ret")
    source += NAMES.replace(".rodata,", ".hyp.rodata,") + f'.section .hyp.reloc, "a"\n{listed}'
    assert findings(source, form, rule) == []


@pytest.mark.parametrize("form", FORMS)
def test_table_of_numbers(form: str) -> None:
    numbers = NAMES.replace(".quad one, two, three", ".quad 1, 0x8000, -5")
    assert findings(function("f", PICK + "  ldrb w0, [x0]\n  ret") + numbers, form, rule) == []


def test_tables_that_are_branched_through_belong_to_another_rule() -> None:
    source = function("f", PICK + "  blr x0\n  ret") + NAMES.replace("one, two, three", "f, f, f")
    assert findings(source, "6.1", rule) == []
    assert len(findings(source, "6.1", absolute_jump_table)) == 1
