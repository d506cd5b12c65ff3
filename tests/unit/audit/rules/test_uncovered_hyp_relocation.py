import pytest

from builders.images import assemble
from builders.moved_code import findings, function
from whypanic.audit.rules.uncovered_hyp_relocation import uncovered_hyp_relocation as rule
from whypanic.audit.view import AuditView
from whypanic.formats.images import open_image
from whypanic.model.audit import Level

CODE = function("f", "  ret") + function("g", "  ret") + function("kernel", "  ret", ".text")
DATA = '.section .hyp.rodata, "a"\n.p2align 3\npointers: .quad f, g, pointers\nnumber: .quad 12\n'
BANNER = '.section .rodata, "a"\nlinux_banner: .asciz "Linux version {} (a@b) (gcc) #1\\n"\n'


def listed(*names: str) -> str:
    return '.section .hyp.reloc, "a"\n' + "".join(f".word {name} - .\n" for name in names)


ALL = ("pointers", "pointers + 8", "pointers + 16")


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_all_slots_listed(form: str) -> None:
    assert findings(CODE + DATA + listed(*ALL), form, rule) == []


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_slot_left_out(form: str) -> None:
    (finding,) = findings(CODE + DATA + listed(*ALL[:2]), form, rule)
    assert finding.level is Level.ERROR
    assert finding.title == "an absolute address in a hyp section is not listed in .hyp.reloc"
    texts = [e.text for e in finding.evidence]
    assert texts[1] == "hyp sections hold 3 absolute slots, .hyp.reloc lists 2"
    assert finding.evidence[0].address == finding.place


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_literal_of_hyp_code_left_out(form: str) -> None:
    code = function("h", "  ldr x0, =f\n  br x0\n  .ltorg", ".hyp.idmap.text")
    (finding,) = findings(CODE + code + DATA + listed(*ALL), form, rule)
    assert finding.domain == "hyp-idmap"


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_entry_for_a_number(form: str) -> None:
    (finding,) = findings(CODE + DATA + listed(*ALL, "number"), form, rule)
    assert finding.title == ".hyp.reloc lists eight bytes that hold no address"


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_entry_twice(form: str) -> None:
    (finding,) = findings(CODE + DATA + listed(*ALL, "pointers"), form, rule)
    assert finding.title == ".hyp.reloc lists a slot more than once"


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_entry_for_a_slot_of_the_kernel(form: str) -> None:
    more = '.section .data, "aw"\n.p2align 3\nother: .quad f\n'
    (finding,) = findings(CODE + DATA + more + listed(*ALL, "other"), form, rule)
    assert finding.title == ".hyp.reloc lists a slot outside the hyp sections"


@pytest.mark.parametrize("form", ["object", "6.1"])
def test_target_that_is_not_mapped(form: str) -> None:
    source = CODE + DATA.replace("f, g", "f, kernel") + listed(*ALL)
    (finding,) = findings(source, form, rule)
    assert finding.title == "a listed slot of the hyp points to what EL2 does not map"
    assert finding.level is Level.ERROR


@pytest.mark.parametrize(("release", "level"), [("6.1.9", None), ("6.6.0", Level.WARNING)])
def test_target_in_the_kernels_constants(release: str, level: Level | None) -> None:
    source = CODE + DATA.replace("f, g", "f, linux_banner") + listed(*ALL)
    found = findings(source + BANNER.format(release), "6.1", rule)
    assert [f.level for f in found] == ([] if level is None else [level])


def test_end_of_a_hyp_section_is_an_address_of_it() -> None:
    source = CODE + DATA.replace("f, g", "f, __hyp_rodata_end") + listed(*ALL)
    assert findings(source, "6.1", rule) == []


def test_place_relative_data_is_not_relocated() -> None:
    data = '.section .hyp.rodata, "a"\n.p2align 3\nx: .quad f - .\n'
    assert findings(CODE + data + listed(), "6.1", rule) == []


def test_without_a_list_hyp_data_must_not_hold_addresses() -> None:
    (first, *_) = findings(CODE + DATA, "object", rule)
    assert first.title == "an absolute address in hyp data of a kernel without .hyp.reloc"
    made_later = (
        '.section .hyp.text,"ax"\n.globl __hyp_section_.hyp.text\n__hyp_section_.hyp.text:\n'
    )
    assert findings(made_later + CODE + DATA, "object", rule) == []


def test_a_single_object_is_judged_when_it_is_linked() -> None:
    # gen-hyprel lists what hyp.lds gathers; the object does not tell its kernel.
    source = function("f", "  ret", ".text") + '.section .rodata, "a"\n.quad f\n'
    view = AuditView(open_image(assemble(source), name="hyp/nvhe/sys_regs.nvhe.o"))
    assert list(rule.check(view)) == []
