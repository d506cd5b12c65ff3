from pathlib import Path

import pytest

from builders.hyp_images import SCRIPT_6_1
from builders.images import link
from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.call_leaves_hyp_text import call_leaves_hyp_text
from whypanic.audit.rules.shadow_call_stack_in_domain import shadow_call_stack_in_domain as rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Finding, Level

PUSH, POP = "str x30, [x18], #8", "ldr x30, [x18, #-8]!"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("instruction", "what"), [(PUSH, "push to"), (POP, "pop from")])
def test_push_and_pop(form: str, instruction: str, what: str) -> None:
    (finding,) = findings(function("f", f"  nop\n  {instruction}\n  ret"), form, rule)
    assert finding.title == f"a {what} the shadow call stack in the nVHE hyp code"
    assert finding.level is Level.ERROR


@pytest.mark.parametrize(
    ("section", "domain"),
    [(".idmap.text", "idmap"), (".head.text", "early"), (".hyp.idmap.text", "hyp-idmap")],
)
def test_other_domains(section: str, domain: str) -> None:
    (finding,) = findings(function("g", f"  {PUSH}\n  ret", section), "6.1", rule)
    assert finding.domain == domain


LEGAL = [
    "stp x18, x19, [x0, #144]",  # __guest_enter
    "ldr x18, [x0, #144]",
    "str x30, [x18, #8]!",
    "str x29, [x18], #8",
    "str x30, [x17], #8",
    "ldrsw x18, [x13, x16, lsl #2]",
    "mov x18, x0",  # kexec: a scratch register
    "ldr x30, [x18], #-8",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("instruction", LEGAL)
def test_x18_as_any_register(form: str, instruction: str) -> None:
    assert findings(function("f", f"  {instruction}\n  ret"), form, rule) == []


def test_kernel_code_has_a_shadow_call_stack() -> None:
    assert findings(function("g", f"  {PUSH}\n  {POP}\n  ret", ".text"), "6.1", rule) == []


FRAMES = """\
.section {section}, "ax"
.globl {name}
.type {name}, %function
{name}:
  .cfi_startproc
  {sign}
  stp x29, x30, [sp, #-16]!
  .cfi_def_cfa_offset 16
  ldp x29, x30, [sp], #16
  autiasp
  ret
  .cfi_endproc
.size {name}, . - {name}
"""
# Without the line that signs nothing is patched.
UNSIGNED = FRAMES.replace("  autiasp\n", "")


def linked(source: str) -> list[Finding]:
    script = SCRIPT_6_1.replace(
        "  __end_rodata = .;", "  .eh_frame : { *(.eh_frame) } :data\n  __end_rodata = .;"
    )
    return list(rule.check(AuditView(open_image(link(source, script=script)))))


def test_frame_description_of_a_function_that_signs() -> None:
    source = FRAMES.format(section=".hyp.text", name="f", sign="paciasp")
    source += FRAMES.format(section=".text", name="g", sign="paciasp")
    (finding,) = linked(source)
    assert finding.level is Level.ERROR
    assert "PACIASP in the nVHE hyp code" in finding.title
    (in_object,) = findings(source, "object", rule)
    assert in_object.level is Level.WARNING


def test_frame_description_of_a_function_that_does_not() -> None:
    source = UNSIGNED.format(section=".hyp.text", name="f", sign="nop")
    assert linked(source) == []
    assert findings(source, "object", rule) == []


def test_function_that_signs_without_a_frame_description() -> None:
    source = function("f", "  paciasp\n  autiasp\n  ret")
    source += FRAMES.format(section=".text", name="g", sign="paciasp")
    assert linked(source) == []
    assert findings(source, "object", rule) == []


def test_code_of_the_vdso_that_lies_in_data(tmp_path: Path) -> None:
    inner = tmp_path / "vdso.so"
    script = "SECTIONS { .text : { *(.text) } .data : { *(.data) } }"
    inner.write_bytes(
        link(
            f".text\nf: {PUSH}\n  bl far\n.data\n.inst 0xf800865e\n.set far, f + 0x100000\n",
            script=script,
        ).read_bytes()
    )
    source = f'.section .rodata, "a"\n.balign 4096\n.globl vdso_start, vdso_end\nvdso_start: .incbin "{inner}"\nvdso_end:\n'
    (finding,) = findings(source, "6.1", rule)
    assert finding.domain == "vdso"
    (leaves,) = findings(source, "6.1", call_leaves_hyp_text)
    assert leaves.place == finding.place + 4
    assert leaves.fault is not None
    assert leaves.fault.ec == 0x20
