import pytest

from builders.hyp_images import link_4_14, link_6_1
from builders.images import assemble
from builders.moved_code import FORMS, findings, function
from whypanic.audit.rules.call_leaves_hyp_text import call_leaves_hyp_text as rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Level

KERNEL = function("helper", "  ret", ".text")
RODATA = '.section .hyp.rodata, "a"\n.quad 0\n'


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("branch", "word"),
    [
        ("bl helper", "call"),
        ("b helper", "branch"),
        ("b.ne helper", "branch"),
        ("cbz x0, helper", "branch"),
    ],
)
def test_branch_to_kernel_text(form: str, branch: str, word: str) -> None:
    (finding,) = findings(function("f", f"  nop\n  {branch}\n  ret") + KERNEL, form, rule)
    assert (finding.level, finding.cause, finding.domain) == (
        Level.ERROR,
        "call-left-hyp-text",
        "hyp",
    )
    assert finding.title.startswith(f"a {word} to helper (.text)")
    assert finding.fault is not None
    assert (finding.fault.ec, finding.fault.far_region) == (0x21, "hyp")


# In the objects and in 6.1 .text follows the hyp text directly; in 4.14 it lies too far away.
@pytest.mark.parametrize("form", [form for form in FORMS if form != "4.14"])
def test_test_and_branch_reaches_32_kib_only(form: str) -> None:
    source = function("f", "  tbz x0, #3, helper\n  ret") + KERNEL
    assert len(findings(source, form, rule)) == 1


@pytest.mark.parametrize("form", FORMS)
def test_branches_inside_the_hyp_text_are_legal(form: str) -> None:
    source = function("f", "1: bl g\n  cbz x0, 1b\n  b.ne g\n  tbnz x1, #0, 1b\n  b g") + function(
        "g", "  ret"
    )
    assert findings(source + KERNEL, form, rule) == []


def test_stub_goes_on_in_the_identity_map() -> None:
    stub = ".globl __hyp_stub_vectors\n" + function(
        "__hyp_stub_vectors", "  b enter_vhe", ".hyp.stub.text"
    )
    source = stub + function("enter_vhe", "  bl helper\n  ret", ".idmap.text") + KERNEL
    assert findings(source, "6.1", rule) == []


def test_stub_into_kernel_text_is_a_warning() -> None:
    stub = ".globl __hyp_stub_vectors\n" + function(
        "__hyp_stub_vectors", "  b helper", ".hyp.stub.text"
    )
    (finding,) = findings(stub + KERNEL, "6.1", rule)
    assert (finding.level, finding.domain, finding.fault) == (Level.WARNING, "hyp-stub", None)


def test_hyp_init_code_is_closed() -> None:
    source = function("__kvm_hyp_init", "  bl f\n  ret", ".hyp.idmap.text") + function("f", "  ret")
    (finding,) = findings(source, "6.1", rule)
    assert (finding.domain, finding.level) == ("hyp-idmap", Level.ERROR)


ALTERNATIVE = """\
661:
  nop
662:
.subsection 1
663: b {target}
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


@pytest.mark.parametrize(("target", "count"), [("helper", 1), ("g", 0)])
def test_branch_of_an_alternative_counts_where_it_runs(target: str, count: int) -> None:
    source = function("f", ALTERNATIVE.format(target=target)) + function("g", "  ret") + KERNEL
    found = findings(source, "6.1", rule)
    assert len(found) == count
    if found:
        image = open_image(link_6_1(source))
        assert found[0].place == image.value_of("f")
        assert found[0].word is not None


def test_names_for_vhe_are_notes_until_5_8() -> None:
    source = function("__hyp_call_panic_vhe", "  bl panic") + function("panic", "  ret", ".text")
    source += function("__activate_traps", "  bl activate_traps_vhe\n  ret")
    source += function("activate_traps_vhe", "  ret", ".text")
    found = [*findings(source, "4.14", rule), *findings(source, "object", rule)]
    assert [f.level for f in found] == [Level.NOTE] * 4
    assert [f.level for f in findings(source, "6.1", rule)] == [Level.ERROR] * 2


def test_undefined_functions_of_an_object() -> None:
    source = function(
        "f", "  bl __guest_enter\n  bl __guest_enter\n  bl __sanitizer_cov_trace_pc\n  ret"
    )
    found = findings(source, "object", rule)
    assert sorted(f.level for f in found) == [Level.ERROR, Level.NOTE]
    assert "__sanitizer_cov_trace_pc" in next(f.title for f in found if f.level is Level.ERROR)


def test_linked_hyp_object_may_refer_to_aliases_only() -> None:
    body = "  bl __kvm_nvhe_memcpy\n  bl system_supports_address_auth\n  bl __kvm_nvhe___asan_load8\n  ret"
    found = findings(function("__kvm_nvhe_f", body) + RODATA, "object", rule)
    assert [f.level for f in found] == [Level.ERROR] * 2
    assert "system_supports_address_auth" in found[0].title
    assert "__asan_load8" in found[1].title


def test_single_nvhe_object_is_checked_by_the_kernels_own_link() -> None:
    path = assemble(function("f", "  bl __guest_enter\n  bl __tsan_read8\n  ret", ".text"))
    view = AuditView(open_image(path, name="build/switch.nvhe.o"))
    assert ["__tsan_read8" in f.title for f in rule.check(view)] == [True]


def test_relocatable_or_not_it_is_the_same_place() -> None:
    source = function("f", "  nop\n  bl helper\n  ret") + KERNEL
    for link in (link_4_14, link_6_1):
        image = open_image(link(source))
        (finding,) = rule.check(AuditView(image))
        first = image.value_of("f")
        assert first is not None
        assert finding.place == first + 4


def test_kernel_code_may_call_what_it_likes() -> None:
    assert (
        findings(function("g", "  bl f\n  ret", ".text") + function("f", "  ret"), "6.1", rule)
        == []
    )
