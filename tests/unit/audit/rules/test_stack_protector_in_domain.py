import pytest

from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.stack_protector_in_domain import stack_protector_in_domain as rule
from whypanic.model.audit import Level

CANARY = [
    "mrs x1, sp_el0\n  ldr x2, [x1, #1048]\n  str x2, [sp, #24]",
    "mrs x1, sp_el0\n  mov x3, x1\n  nop\n  nop\n  nop\n  nop\n  nop\n  nop\n  ldr x2, [x3, #1048]",
    "mrs x1, sp_el0\n  add x1, x1, #1, lsl #12\n  ldr x2, [x1, #24]",
    "mrs x1, sp_el0\n  str x1, [sp, #8]\n  nop\n  ldr x4, [sp, #8]\n  ldr x2, [x4, #8]",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", CANARY)
def test_load_through_sp_el0(form: str, body: str) -> None:
    (finding,) = findings(function("f", f"  {body}\n  ret"), form, rule)
    assert finding.level is Level.ERROR
    assert "load through SP_EL0" in finding.title
    assert finding.fault is not None
    assert finding.fault.ec == 0x25
    assert len(finding.slice) >= 2


SAVES = [
    "mrs x1, sp_el0\n  str x1, [x0, #16]",
    "mrs x1, sp_el0\n  stp x1, x2, [x0, #16]",
    "mrs x1, sp_el0\n  mov x1, x0\n  ldr x2, [x1, #8]",
    "mrs x1, sp_el0\n  str x1, [x0]\n  ldr x1, [x0, #8]\n  ldr x1, [x1]",
    "mrs x1, sp_el1\n  ldr x2, [x1, #8]",
    "msr sp_el0, x1\n  ldr x2, [x1, #8]",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", SAVES)
def test_saving_it_is_legal(form: str, body: str) -> None:
    assert findings(function("__guest_enter", f"  {body}\n  ret"), form, rule) == []


GUARD = (
    '.section .data, "aw"\n.globl __stack_chk_guard\n.type __stack_chk_guard, %object\n.p2align 3\n'
)
GUARD += "__stack_chk_guard: .quad 0\n.size __stack_chk_guard, 8\n"
READS_GUARD = "  adrp x0, __stack_chk_guard\n  ldr x0, [x0, :lo12:__stack_chk_guard]\n  ret"


@pytest.mark.parametrize("form", FORMS)
def test_global_guard(form: str) -> None:
    (finding,) = findings(function("f", READS_GUARD) + GUARD, form, rule)
    assert "reference to __stack_chk_guard" in finding.title
    assert finding.level is Level.ERROR


@pytest.mark.parametrize("prefix", ["", "__kvm_nvhe_"])
def test_global_guard_that_an_object_does_not_define(prefix: str) -> None:
    source = function("f", READS_GUARD.replace("__stack", f"{prefix}__stack"))
    (finding,) = findings(source, "object", rule)
    assert finding.domain == "hyp"


def test_guard_through_the_got() -> None:
    body = "  adrp x0, :got:__stack_chk_guard\n  ldr x0, [x0, :got_lo12:__stack_chk_guard]\n  ret"
    assert len(findings(function("f", body), "object", rule)) == 1


@pytest.mark.parametrize("section", [".idmap.text", ".head.text", ".hyp.idmap.text"])
def test_other_code_without_a_task(section: str) -> None:
    assert len(findings(function("g", f"  {CANARY[0]}\n  ret", section), "6.1", rule)) == 1


def test_kernel_code_has_a_task() -> None:
    assert findings(function("g", f"  {CANARY[0]}\n  ret", ".text") + GUARD, "6.1", rule) == []


def test_a_store_is_called_one() -> None:
    (finding,) = findings(
        function("f", "  mrs x0, sp_el0\n  str wzr, [x0, #16]\n  ret"), "6.1", rule
    )
    assert finding.title.startswith("a store through SP_EL0")
    assert "perhaps" in finding.evidence[0].text
