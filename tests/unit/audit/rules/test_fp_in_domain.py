import pytest

from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.fp_in_domain import fp_in_domain as rule
from whypanic.model.audit import Level

FP = [
    "ldp q0, q1, [x0]",
    "stp d8, d9, [sp, #-16]!",
    "fmov d0, x0",
    "movi v0.2d, #0",
    "ldr z0, [x0]",
    "ptrue p0.b",
]
SME = ".inst 0xc0080000"  # zero { }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("instruction", [*FP, SME])
def test_fp_in_hyp_code(form: str, instruction: str) -> None:
    (finding,) = findings(function("f", f"  nop\n  {instruction}\n  ret"), form, rule)
    assert (finding.level, finding.cause) == (Level.ERROR, "fp-trap-at-el2")
    assert finding.fault is not None
    assert (finding.fault.ec, finding.fault.far_region) == (0x07, None)


def test_neighbours_are_one_finding() -> None:
    body = "  ldp q0, q1, [x1]\n  stp q0, q1, [x0]\n" + "  nop\n" * 10 + "  fmov d0, xzr\n  ret"
    found = findings(function("f", body) + function("g", "  fmov d1, xzr\n  ret"), "6.1", rule)
    assert [len(f.slice) for f in found] == [2, 1, 1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("prefix", ["", "__kvm_nvhe_"])
@pytest.mark.parametrize(
    "name",
    ["__fpsimd_save_state", "__fpsimd_restore_state", "__sve_save_state", "__sve_restore_state"],
)
def test_functions_whose_purpose_it_is(form: str, prefix: str, name: str) -> None:
    source = function(prefix + name, "  stp q0, q1, [x0]\n  str z0, [x0]\n  ret")
    source += function(
        "caller", f"  msr fpcr, xzr\n  msr cptr_el2, x0\n  isb\n  bl {prefix}{name}\n  ret"
    )
    assert findings(source, form, rule) == []


LEGAL = [
    "msr fpsr, x0",  # a system register
    ".inst 0x19010440",  # cpyfp: copies memory, bit 26 is set in some of its kin
    ".inst 0x1d010440",  # cpyp
    "mul x0, x1, x2",
    "udiv x0, x1, x2",
    "crc32x w0, w1, x2",
]


@pytest.mark.parametrize("instruction", LEGAL)
def test_what_is_no_fp(instruction: str) -> None:
    source = '.arch_extension crc\n.section .hyp.text, "ax"\n' + function(
        "f", f"  {instruction}\n  ret"
    )
    assert findings(source, "6.1", rule) == []


def test_literal_pool_is_data() -> None:
    assert (
        findings(function("f", "  ldr x0, =0x1e6708201e670820\n  ret\n  .ltorg"), "6.1", rule) == []
    )


def test_exception_table_between_the_code_is_data() -> None:
    table = '.section .hyp.text, "ax"\n.globl __start___kvm_ex_table, __stop___kvm_ex_table\n'
    table += "__start___kvm_ex_table:\n.inst 0xfffff000, 0xfffff100\n__stop___kvm_ex_table:\n"
    assert findings(function("f", "  ret") + table, "6.1", rule) == []
    assert len(findings(function("f", "  ret\n  .inst 0xfffff000"), "6.1", rule)) == 1


@pytest.mark.parametrize(
    ("section", "domain"),
    [(".idmap.text", "idmap"), (".hyp.idmap.text", "hyp-idmap"), (".head.text", "early")],
)
def test_elsewhere_it_is_a_warning(section: str, domain: str) -> None:
    (finding,) = findings(function("g", "  fmov d0, x0\n  ret", section), "6.1", rule)
    assert (finding.level, finding.domain) == (Level.WARNING, domain)


def test_kernel_code_is_not_looked_at() -> None:
    assert findings(function("crypto", "  fmov d0, x0\n  ret", ".text"), "6.1", rule) == []
