import pytest

from builders.hyp_images import SCRIPT_6_1
from builders.images import link
from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.absolute_literal import absolute_literal
from whypanic.audit.rules.got_reference import got_reference as rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Finding

TAKE = "  adrp x0, :got:cell\n  ldr x0, [x0, :got_lo12:cell]\n  ldr x0, [x0]\n  ret"
CELL = '.section .data, "aw"\n.globl cell\n.p2align 3\ncell: .quad 0\n'


@pytest.mark.parametrize("form", FORMS)
def test_address_from_the_got(form: str) -> None:
    (finding,) = findings(function("f", TAKE) + CELL, form, rule)
    assert finding.domain == "hyp"
    assert finding.cause == "absolute-pointer-at-el2"
    assert finding.slice[0] == finding.place - 4


def test_undefined_symbol_of_an_object() -> None:
    (finding,) = findings(function("f", TAKE), "object", rule)
    assert finding.evidence[0].text == "R_AARCH64_LD64_GOT_LO12_NC against cell"


def test_page_alone() -> None:
    body = "  adrp x0, :got:cell\n  b other"
    (finding,) = findings(function("f", body) + CELL, "object", rule)
    assert "ADR_GOT_PAGE" in finding.evidence[0].text


@pytest.mark.parametrize("form", ["object", "4.14"])
def test_small_got_of_position_independent_code(form: str) -> None:
    body = "  adrp x1, _GLOBAL_OFFSET_TABLE_\n  ldr x1, [x1, #:gotpage_lo15:cell]\n  br x1"
    (finding,) = findings(function("f", body) + CELL, form, rule)
    if form != "object":
        assert finding.fault is not None
        assert finding.fault.ec == 0x21


@pytest.mark.parametrize("form", FORMS)
def test_addresses_without_the_got(form: str) -> None:
    body = "  adrp x0, cell\n  add x0, x0, :lo12:cell\n  ldr x0, [x0]\n  ret"
    assert findings(function("f", body) + CELL, form, rule) == []


@pytest.mark.parametrize("form", FORMS)
def test_kernel_code_may_use_the_got(form: str) -> None:
    source = function("f", TAKE, ".text") + function("other", "  ret") + CELL
    assert findings(source, form, rule) == []


def linked_into_text(source: str) -> list[Finding]:
    """Return findings in an image whose GOT is in .text, as up to 6.1."""
    script = SCRIPT_6_1.replace("*(.text .text.*)", "*(.got) *(.text .text.*)")
    options = ("-shared", "-Bsymbolic", "-z", "notext", "--no-apply-dynamic-relocs")
    view = AuditView(open_image(link(source, *options, script=script)))
    return [*rule.check(view), *absolute_literal.check(view)]


def test_got_inside_text() -> None:
    (finding,) = linked_into_text(function("f", TAKE) + function("g", "  ret", ".text") + CELL)
    assert finding.rule == "got-reference"


def test_weak_symbol_that_nothing_defines() -> None:
    source = ".weak nothing\n" + function("f", TAKE.replace("cell", "nothing"))
    assert findings(source, "6.1", rule) == []
