import re
from pathlib import Path

import pytest

from builders.images import assemble
from builders.moved_code import FORMS, errors, findings, function, functions_found, in_hyp_text
from builders.stage2 import stage2
from whypanic.audit.rules.absolute_jump_table import absolute_jump_table as rule
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import read_domain_table
from whypanic.formats.images import open_image

FOLDER = Path(__file__).resolve().parents[3] / "data" / "tables"
FILES = sorted(path.name for path in FOLDER.glob("*.s"))
OUTSIDE = "".join(
    f"\t.type callee{n}, %function\ncallee{n}:\n\tnop\n\tret\n\t.size callee{n}, .-callee{n}\n"
    for n in range(18)
)
HERE = f"\n\t.text\n{OUTSIDE}\t.data\n\t.p2align 3\ncell:\n\t.word 0\n\t.word 0\n"
ARRAYS = {"threaded", "through_array", "tail_call"}
OF_FILE = {"old-llvm.s": {"absolute", "masked"}}


# MOVW of an address cannot be relocated when the kernel boots: ld refuses it in a relocatable image.
BUILDABLE = [
    (name, form) for name in FILES for form in FORMS if (name, form) != ("clang-19-large.s", "6.1")
]


@pytest.mark.parametrize(("name", "form"), BUILDABLE)
def test_fires_on_absolute_tables_of_compilers_alone(name: str, form: str) -> None:
    source = in_hyp_text((FOLDER / name).read_text(encoding="utf-8") + HERE)
    assert functions_found(source, form, rule) == OF_FILE.get(name, ARRAYS)


@pytest.mark.parametrize("form", FORMS)
def test_reference_case(form: str) -> None:
    (finding,) = findings(stage2(), form, rule)
    assert finding.title == "a switch branches through 5 absolute addresses"
    assert finding.cause == "absolute-jump-table-at-el2"
    assert finding.fault is not None
    assert (finding.fault.ec, finding.fault.fsc, finding.fault.far_region) == (0x21, 4, "image")
    first = finding.slice[0] - 0x8
    # cmp, b.hi, adrp, and, add, ldr, br; what computes registers of the blocks is none of it.
    assert [place - first for place in finding.slice] == [8, 16, 20, 24, 28, 32, 48]
    assert finding.place == first + 48
    vhe = any("with VHE it runs at its link address" in e.text for e in finding.evidence)
    assert vhe == (form != "6.1")


@pytest.mark.parametrize("form", FORMS)
def test_table_of_distances_is_no_absolute_one(form: str) -> None:
    assert findings(stage2(table="offsets"), form, rule) == []


def test_entries_of_an_object_are_told_by_their_relocations() -> None:
    (finding,) = findings(stage2(), "object", rule)
    assert any("R_AARCH64_ABS64 against" in e.text for e in finding.evidence)


CALL = """\
  cmp x1, #2
  b.hi 1f
  adrp x0, handlers
  add x0, x0, :lo12:handlers
  ldr x2, [x0, x1, lsl #3]
  blr x2
1: ret"""
HANDLERS = '.section .hyp.rodata,"a"\n.p2align 3\nhandlers: .quad f, 0, g\n.size handlers, 24\n'
LISTED = '.section .hyp.reloc,"a"\n.word handlers - .\n.word handlers + 16 - .\n'
BOTH = function("f", CALL) + function("g", "ret") + HANDLERS


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_array_that_hyp_relocations_cover_is_legal(form: str) -> None:
    assert findings(BOTH + LISTED, form, rule) == []
    half = BOTH + '.section .hyp.reloc,"a"\n.word handlers - .\n'
    (finding,) = findings(half, form, rule)
    assert (
        finding.title == "a call goes through an array with 1 of 3 absolute addresses of functions"
    )
    assert finding.cause == "absolute-pointer-at-el2"


def test_object_before_its_list_is_made_is_legal() -> None:
    named = '.section .hyp.text,"ax"\n.globl __hyp_section_.hyp.text\n__hyp_section_.hyp.text:\n'
    assert findings(named + BOTH, "object", rule) == []
    assert len(findings(BOTH, "object", rule)) == 1


def test_functions_that_an_object_does_not_have() -> None:
    source = function("f", CALL) + HANDLERS.replace("f, 0, g", "kernel_a, 0, kernel_b")
    (finding,) = errors(source, "object", rule)
    assert any("kernel_b" in e.text for e in finding.evidence)


TWO_WAYS = function(
    "f",
    """\
  cbz w1, 1f
  adrp x2, .La
  add x2, x2, :lo12:.La
  b 2f
1: adrp x2, .Lb
  add x2, x2, :lo12:.Lb
2: ldr x3, [x2, w0, uxtw #3]
  br x3
3: nop
4: ret""",
)
TWO_TABLES = '.section .rodata,"a"\n.p2align 3\n.La: .quad {}\n.Lb: .quad {}\n'


@pytest.mark.parametrize("form", FORMS)
def test_table_that_depends_on_the_way(form: str) -> None:
    source = TWO_WAYS + TWO_TABLES.format("f + 0x20, f + 0x24", "f + 0x24, f + 0x20")
    assert len(findings(source, form, rule)) == 1
    assert findings(TWO_WAYS + TWO_TABLES.format("1, 2", "3, 4"), form, rule) == []


LOOP = """\
  adrp x9, .La
  b 1f
  brk #0x800
1: add x9, x9, :lo12:.La
  ldr x3, [x9, w0, uxtw #3]
  br x3
2: ret"""


@pytest.mark.parametrize("form", FORMS)
def test_table_whose_address_may_be_formed_again(form: str) -> None:
    # To the flow it looks as if the branch could come back to the WARN, which nothing else leads to.
    source = function("f", LOOP) + '.section .rodata,"a"\n.p2align 3\n.quad 0\n.La: .quad f + 24\n'
    assert len(findings(source, form, rule)) == 1


@pytest.mark.parametrize("form", FORMS)
def test_the_kernel_itself_may_have_absolute_tables(form: str) -> None:
    other = stage2().replace(".section .hyp.text", ".section .text")
    assert findings(other + function("f", "ret"), form, rule) == []


ENABLE = function("__enable_mmu", "  msr sctlr_el1, x0\n  isb\n  ret", ".idmap.text")
SWITCH = re.sub(r"(?s).*?(mrs x9, id_aa64mmfr0_el1.*?)\.size.*?(\.section .*)", r"\1|\2", stage2())


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_idmap_may_use_a_table_once_the_kernel_is_mapped(form: str) -> None:
    body, data = SWITCH.replace("__init_stage2_translation", "late").split("|")
    body = body.replace("mrs x9, id_aa64mmfr0_el1", "bl __enable_mmu", 1)
    with_mmu = ENABLE + function("late", body, ".idmap.text") + data
    without = with_mmu.replace("\nbl __enable_mmu", "\nnop")
    assert findings(with_mmu, form, rule) == []
    (finding,) = findings(without, form, rule)
    assert (finding.domain, finding.cause) == ("idmap", "early-hang")


OWN = """
[[domain]]
name = "secure"
title = "code of a secure monitor"
[[domain.layout]]
era = "mine"
sections = [".text"]
code = [{ functions = ["monitor"] }]
runs_at = "EL3"
"""


def test_domain_of_the_user() -> None:
    source = stage2(name="monitor").replace(".hyp.text", ".text")
    image = open_image(assemble(source))
    assert list(rule.check(AuditView(image))) == []
    (finding,) = rule.check(AuditView(image, read_domain_table(OWN, "mine.toml")))
    assert finding.domain == "secure"
