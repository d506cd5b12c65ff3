from pathlib import Path

import pytest

from builders.moved_code import FORMS, findings, function, functions_found, in_hyp_text
from whypanic.audit.rules.absolute_literal import absolute_literal as rule
from whypanic.model.audit import Level

FOLDER = Path(__file__).resolve().parents[3] / "data" / "tables"
KERNEL = function("kernel", "  ret", ".text") + function("panic", "  ret", ".text")
KERNEL += '.section .rodata, "a"\n__hyp_panic_string: .asciz "panic"\n'
OTHER = function("other", "  ret")


def source(body: str, section: str = ".hyp.text") -> str:
    return function("f", body + "\n  .ltorg", section) + OTHER + KERNEL


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("rest", "ec"),
    [("br x1", 0x21), ("blr x1\n  ret", 0x21), ("ldr x0, [x1, #8]\n  ret", 0x25)],
)
def test_literal_that_is_followed(form: str, rest: str, ec: int) -> None:
    (finding,) = findings(source(f"  ldr x1, =kernel\n  {rest}"), form, rule)
    assert finding.level is Level.ERROR
    assert finding.fault is not None
    assert finding.fault.ec == ec
    assert finding.cause == "absolute-pointer-at-el2"
    assert len(finding.slice) == 2


def test_vectors_at_a_link_address() -> None:
    (finding,) = findings(source("  ldr x1, =kernel\n  msr vbar_el2, x1\n  ret"), "6.1", rule)
    assert finding.level is Level.ERROR


def test_literal_that_is_handed_on_is_a_warning() -> None:
    (finding,) = findings(source("  ldr x1, =kernel\n  bl other\n  ret"), "6.1", rule)
    assert finding.level is Level.WARNING


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "body",
    [
        # what hyp-entry.S and switch.c of 4.14 and host.S of 5.10 do
        "  ldr x30, =panic\n  msr elr_el2, x30\n  eret",
        "  ldr x0, =__hyp_panic_string\n  bl other\n  ret",
        "  ldr x5, =kernel\n  adrp x6, voffset\n  ldr x6, [x6, :lo12:voffset]\n"
        "  sub x5, x5, x6\n  br x5",
        "  ldr x5, =0x80803510\n  msr vtcr_el2, x5\n  ret",
        "  ldr w5, =0x80803510\n  msr vtcr_el2, x5\n  ret",
    ],
)
def test_what_hyp_code_may_hold(form: str, body: str) -> None:
    more = '.section .data, "aw"\n.p2align 3\nvoffset: .quad 0\n'
    assert findings(source(body) + more, form, rule) == []


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_listed_literal(form: str) -> None:
    body = "  ldr x1, 1f\n  br x1\n  .p2align 3\n1: .quad other"
    text = function("f", body, ".hyp.idmap.text") + OTHER
    assert len(findings(text, form, rule)) == 1
    cover = '.section .hyp.reloc, "a"\n.word literal - .\n'
    assert findings(text.replace("1: .quad", "literal: 1: .quad") + cover, form, rule) == []


ENABLE = function("__enable_mmu", "  msr sctlr_el1, x0\n  isb\n  ret", ".idmap.text")
LATE = "  ldr x8, =kernel\n  br x8"


@pytest.mark.parametrize("form", ["object", "6.1"])
@pytest.mark.parametrize(
    ("before", "legal"),
    [
        ("  bl __enable_mmu\n", True),
        ("  msr sctlr_el1, x3\n  isb\n", True),
        ("  mov x3, #0x30d0\n  msr sctlr_el1, x3\n  isb\n", False),
        ("  mrs x3, sctlr_el1\n  bic x3, x3, #1\n  msr sctlr_el1, x3\n  isb\n", False),
        ("  bl __enable_mmu\n  b 1f\n1:", False),
        ("", False),
    ],
)
def test_idmap(form: str, before: str, legal: bool) -> None:
    found = findings(ENABLE + source(before + LATE, ".idmap.text"), form, rule)
    assert [f.domain for f in found] == ([] if legal else ["idmap"])


def test_function_of_another_object_that_turns_the_mmu_on() -> None:
    assert findings(source("  bl __enable_mmu\n" + LATE, ".idmap.text"), "object", rule) == []
    assert len(findings(source("  bl another\n" + LATE, ".idmap.text"), "object", rule)) == 1


@pytest.mark.parametrize("form", FORMS)
def test_kernel_code_may_load_literals(form: str) -> None:
    text = function("f", "  ldr x1, =kernel\n  br x1\n  .ltorg", ".text") + OTHER + KERNEL
    assert findings(text, form, rule) == []


@pytest.mark.parametrize("form", FORMS)
def test_literal_pools_of_gcc_with_the_large_model(form: str) -> None:
    callees = "".join(f"\t.type callee{n}, %function\ncallee{n}:\n\tret\n" for n in range(18))
    text = (FOLDER / "gcc-12-large.s").read_text(encoding="utf-8")
    text = in_hyp_text(f"{text}\n\t.text\n{callees}\t.data\n\t.p2align 3\ncell:\n\t.word 0\n")
    found = functions_found(text, form, rule)
    assert found == {
        *("dense", "with_asm", "in_loop", "threaded", "through_array", "tail_call"),
        *("numbers", "names"),
    }
