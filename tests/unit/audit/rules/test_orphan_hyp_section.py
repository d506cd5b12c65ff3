import pytest

from builders.hyp_images import SCRIPT_6_1, link_6_1
from builders.images import assemble, link
from builders.moved_code import findings, function
from whypanic.audit.rules.orphan_hyp_section import orphan_hyp_section as rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Finding, Level

HYP = function("__kvm_nvhe_f", "  ret") + '.section .hyp.rodata, "a"\n.quad 0\n'
HYP += '.section .hyp.data..percpu, "aw"\n.quad 0\n.section .hyp.bss, "aw", %nobits\n.skip 8\n'


def data(section: str, name: str, kind: str = "object", flags: str = "aw") -> str:
    if ".bss" in section:
        return (
            f'.section {section}, "aw", %nobits\n.globl {name}\n.type {name}, %{kind}\n'
            f"{name}: .skip 8\n.size {name}, 8\n"
        )
    return f'.section {section}, "{flags}"\n.globl {name}\n.type {name}, %{kind}\n{name}: .quad 3\n.size {name}, 8\n'


ORPHANS = [".data", ".data.rel.ro", ".data..read_mostly", ".init.data", ".rodata", ".bss.late"]


@pytest.mark.parametrize("section", ORPHANS)
def test_section_that_the_script_leaves_out(section: str) -> None:
    (finding,) = findings(HYP + data(section, "__kvm_nvhe_retries"), "object", rule)
    assert (finding.level, finding.cause) == (Level.ERROR, "data-left-hyp-mappings")
    assert finding.title == f"section {section} of the hyp code is not gathered by hyp.lds"
    assert any("__kvm_nvhe_retries" in e.text for e in finding.evidence)


@pytest.mark.parametrize("section", [".text.unlikely", ".init.text", ".text"])
def test_code_that_the_script_leaves_out(section: str) -> None:
    (finding,) = findings(HYP + function("__kvm_nvhe_g", "  ret", section), "object", rule)
    assert finding.cause == "call-left-hyp-text"
    assert finding.fault is not None
    assert finding.fault.ec == 0x21


TABLES = [
    ".altinstructions",
    "__bug_table",
    "__jump_table",
    "__kvm_ex_table",
    ".hyp.reloc",
    ".hyp.data",
    ".note.gnu.property",
]


@pytest.mark.parametrize("section", TABLES)
def test_tables_and_hyp_sections_are_legal(section: str) -> None:
    assert findings(HYP + data(section, "x", flags="a"), "object", rule) == []


def test_empty_sections_are_legal() -> None:
    source = HYP + '.section .data, "aw"\n.section .bss, "aw", %nobits\n.text\n'
    assert findings(source, "object", rule) == []


def test_debug_information_occupies_no_memory() -> None:
    assert findings(HYP + '.section .debug_str, "", %progbits\n.quad 1\n', "object", rule) == []


def test_before_5_12_rodata_and_bss_are_the_kernels() -> None:
    source = function("__kvm_nvhe_f", "  ret") + '.section .hyp.data..percpu, "aw"\n.quad 0\n'
    source += data(".rodata", "__kvm_nvhe_a", flags="a") + data(".bss", "__kvm_nvhe_b")
    assert findings(source, "object", rule) == []
    (finding,) = findings(source + data(".data", "__kvm_nvhe_c"), "object", rule)
    assert ".data" in finding.title


def test_objects_before_5_9_have_ordinary_sections() -> None:
    assert findings(function("f", "  ret") + data(".data", "x"), "object", rule) == []


def single(source: str) -> list[Finding]:
    return list(rule.check(AuditView(open_image(assemble(source), name="hyp/nvhe/mm.nvhe.o"))))


def test_single_object() -> None:
    source = function("f", "  ret", ".text") + function("g", "  ret", ".text.unlikely")
    source += data(".rodata.cst8", "a", flags="a") + data(".data..percpu", "b") + data(".bss", "c")
    source += data(".data..ro_after_init", "d")
    assert single(source) == []
    assert [f.level for f in single(source + data(".data", "e"))] == [Level.WARNING]
    assert [f.level for f in single(source + data(".data.rel.ro", "e"))] == [Level.ERROR]


def linked(source: str) -> list[Finding]:
    return list(rule.check(AuditView(open_image(link_6_1(source)))))


def test_object_outside_of_all_hyp_sections() -> None:
    (finding,) = linked(HYP + data(".data", "__kvm_nvhe_retries"))
    assert finding.title == "__kvm_nvhe_retries of the hyp code lies in .data"
    assert finding.level is Level.ERROR


def test_function_outside_of_the_hyp_text() -> None:
    (finding,) = linked(HYP + function("__kvm_nvhe_g", "  ret", ".text"))
    assert (finding.cause, finding.domain) == ("call-left-hyp-text", "hyp")


def test_aliases_and_boundaries_are_legal() -> None:
    source = HYP + data(".data", "kvm_arm_hyp_percpu_base")
    source += ".globl __kvm_nvhe_kvm_arm_hyp_percpu_base\n.type __kvm_nvhe_kvm_arm_hyp_percpu_base, %object\n"
    source += ".set __kvm_nvhe_kvm_arm_hyp_percpu_base, kvm_arm_hyp_percpu_base\n"
    source += ".size __kvm_nvhe_kvm_arm_hyp_percpu_base, 8\n"
    source += '.section .data, "aw"\n.globl __kvm_nvhe___hyp_data_end\n__kvm_nvhe___hyp_data_end:\n'
    assert linked(source) == []


def test_objects_in_the_hyp_sections_are_legal() -> None:
    source = (
        HYP
        + data(".hyp.rodata", "__kvm_nvhe_table", flags="a")
        + data(".hyp.bss", "__kvm_nvhe_pool")
    )
    assert linked(source) == []


def test_among_the_kernels_read_only_data_it_is_mapped_and_not_converted() -> None:
    (finding,) = linked(HYP + data(".rodata", "__kvm_nvhe_limit", flags="a"))
    assert (finding.level, finding.fault) == (Level.NOTE, None)
    texts = [evidence.text for evidence in finding.evidence]
    assert "which EL2 maps" in texts[0]
    assert texts[1] == "it holds no address"
    blocks = data(".rodata", "__kvm_nvhe_blocks", flags="a").replace(
        ".quad 3", ".quad __kvm_nvhe_f"
    )
    (finding,) = linked(HYP + blocks)
    assert (finding.level, finding.cause) == (Level.WARNING, "absolute-pointer-at-el2")
    assert finding.evidence[1].text.startswith("it holds an address, which stays the kernel's")


def test_in_the_kernels_bss_it_can_be_read_and_not_written() -> None:
    (finding,) = linked(HYP + data(".bss", "__kvm_nvhe_pool"))
    assert finding.level is Level.ERROR
    assert "which EL2 maps read-only" in finding.evidence[0].text


def test_an_address_in_a_kernel_that_is_not_relocatable_is_seen() -> None:
    blocks = data(".rodata", "__kvm_nvhe_blocks", flags="a").replace(
        ".quad 3", ".quad __kvm_nvhe_f"
    )
    image = open_image(link(HYP + blocks, script=SCRIPT_6_1))
    (finding,) = rule.check(AuditView(image))
    assert finding.level is Level.WARNING
