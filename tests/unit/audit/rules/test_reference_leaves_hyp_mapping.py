import pytest

from builders.hyp_images import link_6_1
from builders.images import assemble
from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.reference_leaves_hyp_mapping import reference_leaves_hyp_mapping as rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Level

DATA = '.section .data, "aw"\n.type counter, %object\n.p2align 3\ncounter: .quad 1, 2\n.size counter, 16\n'
RODATA = '.section .rodata, "a"\n.type limit, %object\n.p2align 3\nlimit: .quad 1\n.size limit, 8\n'
BSS = '.section .bss, "aw", %nobits\n.type state, %object\n.p2align 3\nstate: .skip 16\n.size state, 16\n'
OTHER = function("other", "  ret")
KERNEL = function("helper", "  ret", ".text")
ALL = DATA + RODATA + BSS + OTHER + KERNEL

LOADS = [
    "adrp x0, counter\n  ldr x0, [x0, :lo12:counter]",
    "adrp x0, counter\n  add x0, x0, :lo12:counter\n  ldr w1, [x0]",
    "adrp x0, counter\n  add x0, x0, :lo12:counter\n  ldp x1, x2, [x0]",
    "adrp x0, counter\n  add x0, x0, :lo12:counter\n  mov x3, x0\n  ldrb w1, [x3, #4]",
    "adrp x0, counter\n  add x0, x0, :lo12:counter\n  ldr x1, [x0, x1, lsl #3]",
    "adrp x0, counter\n  cbz x1, 1f\n  nop\n1: add x0, x0, :lo12:counter\n  ldr x1, [x0]",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", LOADS)
def test_load_from_data(form: str, body: str) -> None:
    (finding,) = findings(function("f", f"  {body}\n  ret") + ALL, form, rule)
    assert (finding.level, finding.cause) == (Level.ERROR, "data-left-hyp-mappings")
    assert "loads from counter" in finding.title
    assert finding.fault is not None
    assert (finding.fault.ec, finding.fault.far_region) == (0x25, "hyp")
    assert len(finding.slice) >= 2


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("object_", "fsc"), [("counter", None), ("limit", 0x0F), ("state", 0x0F)])
def test_store_to_what_is_read_only_at_best(form: str, object_: str, fsc: int | None) -> None:
    body = f"  adrp x0, {object_}\n  str x1, [x0, :lo12:{object_}]\n  ret"
    (finding,) = findings(function("f", body) + ALL, form, rule)
    assert finding.level is Level.ERROR
    assert f"stores to {object_}" in finding.title
    assert finding.fault is not None
    assert finding.fault.fsc == fsc


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("object_", ["limit", "state"])
def test_kernel_rodata_and_bss_are_mapped_until_6_1(form: str, object_: str) -> None:
    body = f"  adrp x0, {object_}\n  ldr x0, [x0, :lo12:{object_}]\n  ret"
    assert findings(function("f", body) + ALL, form, rule) == []


LATER = function("__kvm_nvhe___pkvm_init_vm", "  ret")
VGIC = '.section .rodata, "a"\n.globl kvm_vgic_global_state\n.type kvm_vgic_global_state, %object\n'
VGIC += "kvm_vgic_global_state: .quad 1\n.size kvm_vgic_global_state, 8\n"


@pytest.mark.parametrize(
    ("object_", "levels"),
    [("limit", [Level.WARNING]), ("state", [Level.WARNING]), ("kvm_vgic_global_state", [])],
)
def test_from_6_2_on_they_are_unmapped_under_protected_kvm(
    object_: str, levels: list[Level]
) -> None:
    body = f"  adrp x0, {object_}\n  ldr x0, [x0, :lo12:{object_}]\n  ret"
    found = findings(function("f", body) + LATER + ALL + VGIC, "6.1", rule)
    assert [f.level for f in found] == levels


def test_own_sections_are_legal() -> None:
    source = function(
        "f",
        "  adrp x0, table\n  add x0, x0, :lo12:table\n  ldr x1, [x0]\n  adrp x2, own\n  str x1, [x2, :lo12:own]\n  ret",
    )
    source += '.section .hyp.rodata, "a"\n.p2align 3\ntable: .quad 7\n'
    source += '.section .hyp.bss, "aw", %nobits\n.p2align 3\nown: .skip 8\n'
    for form in ("object", "6.1"):
        assert findings(source + ALL, form, rule) == []


LEGAL = {
    "code for ERET": "adrp x0, helper\n  add x0, x0, :lo12:helper\n  msr elr_el2, x0\n  eret",
    "code handed on": "adrp x0, helper\n  add x0, x0, :lo12:helper\n  bl other",
    "end of a section": "adrp x0, _edata\n  add x0, x0, :lo12:_edata\n  bl other",
    "end of the image": "adrp x0, __bss_stop\n  add x0, x0, :lo12:__bss_stop\n  bl other",
    "per-cpu": "adrp x0, counter\n  add x0, x0, :lo12:counter\n  mrs x1, tpidr_el2\n  ldr x0, [x0, x1]",
    "per-cpu, added first": "adrp x0, counter\n  add x0, x0, :lo12:counter\n  mrs x1, tpidr_el2\n  add x0, x0, x1\n  ldr x0, [x0]",
    "prefetch": "adrp x0, counter\n  add x0, x0, :lo12:counter\n  prfm pldl1keep, [x0]",
    "compared": "adrp x0, counter\n  add x0, x0, :lo12:counter\n  cmp x1, x0",
    "overwritten": "adrp x0, counter\n  mov x0, x2\n  ldr x0, [x0]",
}  # fmt: skip


@pytest.mark.parametrize("form", ["4.14", "6.1"])
@pytest.mark.parametrize("name", LEGAL)
def test_addresses_that_are_only_formed_are_legal(form: str, name: str) -> None:
    assert findings(function("f", f"  {LEGAL[name]}\n  ret") + ALL, form, rule) == []


@pytest.mark.parametrize("form", FORMS)
def test_object_whose_address_is_handed_on_is_a_warning(form: str) -> None:
    source = DATA + ".type second, %object\nsecond: .quad 3\n.size second, 8\n" + OTHER
    body = "  adrp x0, second\n  add x0, x0, :lo12:second\n  bl other\n  ret"
    (finding,) = findings(function("f", body) + source, form, rule)
    assert finding.level is Level.WARNING
    assert "hands on the address of second" in finding.title


@pytest.mark.parametrize("form", FORMS)
def test_branch_through_a_pc_relative_address(form: str) -> None:
    body = "  adrp x16, helper\n  add x16, x16, :lo12:helper\n  br x16"
    (finding,) = findings(function("f", body) + ALL, form, rule)
    assert (finding.level, finding.cause) == (Level.ERROR, "call-left-hyp-text")


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_adr_as_lld_leaves_it(form: str) -> None:
    source = function("f", "  nop\n  adr x0, value\n  ldr x1, [x0]\n  ret")
    source += (
        '.section .text, "ax"\n.p2align 3\n.type value, %object\nvalue: .quad 5\n.size value, 8\n'
    )
    (finding,) = findings(source, form, rule)
    assert "loads from value" in finding.title


def test_literal_outside() -> None:
    source = function("f", "  ldr x0, pool\n  ret")
    source += (
        '.section .text, "ax"\n.p2align 3\n.type pool, %object\npool: .quad 5\n.size pool, 8\n'
    )
    (finding,) = findings(source, "6.1", rule)
    assert "loads a literal from pool" in finding.title


def test_undefined_names_of_an_object_are_not_judged() -> None:
    body = "  adrp x0, elsewhere\n  add x0, x0, :lo12:elsewhere\n  ldr x0, [x0]\n  ret"
    front = function("front", "  ret", ".text")
    assert findings(front + function("f", body), "object", rule) == []


def test_hyp_init_code_sees_all_memory_before_the_mmu_is_on() -> None:
    body = "  adrp x0, counter\n  ldr x0, [x0, :lo12:counter]\n  ret"
    (finding,) = findings(function("__kvm_hyp_init", body, ".hyp.idmap.text") + ALL, "6.1", rule)
    assert (finding.level, finding.domain) == (Level.WARNING, "hyp-idmap")


ALTERNATIVE = """\
  adrp x0, counter
661:
  nop
662:
.subsection 1
663: ldr x1, [x0, :lo12:counter]
664:
.previous
.pushsection .altinstructions, "a"
.word 661b - .
.word 663b - .
.hword 5
.byte 662b - 661b
.byte 664b - 663b
.popsection
  ret
"""


def test_load_that_an_alternative_puts_there() -> None:
    source = function("f", ALTERNATIVE) + ALL
    (finding,) = findings(source, "6.1", rule)
    first = open_image(link_6_1(source)).value_of("f")
    assert first is not None
    assert finding.place == first + 4
    assert finding.word is not None


def test_single_nvhe_object_has_its_data_gathered() -> None:
    body = "  adrp x0, limit\n  ldr x0, [x0, :lo12:limit]\n  adrp x1, state\n  str x0, [x1, :lo12:state]\n  ret"
    path = assemble(function("f", body, ".text") + RODATA + BSS)
    assert list(rule.check(AuditView(open_image(path, name="mm.nvhe.o")))) == []


def test_code_that_is_too_large_is_said_so() -> None:
    body = "  adrp x0, counter\n  ldr x0, [x0, :lo12:counter]\n  ret"
    source = function("f", body) + '.section .hyp.text, "ax"\n.skip 0x110000\n' + ALL
    found = findings(source, "6.1", rule)
    assert [f.level for f in found] == [Level.NOTE, Level.ERROR]


COUNTER = "  adrp x8, counter\n  add x8, x8, :lo12:counter\n"
CHANGED = (
    COUNTER
    + "  str x8, [sp, #8]\n  add x0, sp, #8\n  bl map_it\n  ldr x8, [sp, #8]\n  ldr x0, [x8]\n  ret",
    COUNTER + "  str x8, [sp]\n  str x1, [sp, #-16]!\n  ldr x8, [sp]\n  ldr x0, [x8]\n  ret",
)


@pytest.mark.parametrize("body", CHANGED)
def test_a_slot_of_the_stack_that_may_have_changed_is_not_followed(body: str) -> None:
    source = function("f", body) + function("map_it", "  str x1, [x0]\n  ret")
    assert [f for f in findings(source + ALL, "6.1", rule) if f.level is Level.ERROR] == []


def test_a_slot_of_the_stack_that_nobody_was_given_is_followed() -> None:
    body = COUNTER + "  str x8, [sp, #8]\n  bl map_it\n  ldr x8, [sp, #8]\n  ldr x0, [x8]\n  ret"
    source = function("f", body) + function("map_it", "  ret")
    assert [f.level for f in findings(source + ALL, "6.1", rule)] == [Level.ERROR]
