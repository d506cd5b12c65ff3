from builders.hyp_images import link_4_14, link_6_1
from builders.stage2 import stage2
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.formats.images import open_image
from whypanic.model.image import TableEntryKind

PATCHED = """\
.section .hyp.text, "ax"
.globl __kvm_nvhe_f
.type __kvm_nvhe_f, %function
__kvm_nvhe_f:
661: nop
662: ret
.size __kvm_nvhe_f, . - __kvm_nvhe_f
.subsection 1
663: mrs x0, tpidr_el2
664:
.previous
.section .altinstructions, "a"
.long 661b - .
.long 663b - .
.hword 11
.byte 4, 4
"""


def hyp_of(view: AuditView) -> Domain:
    (found,) = view.named(["hyp"])
    return found


def test_a_domain_is_found_by_name_and_owns_its_code() -> None:
    view = AuditView(open_image(link_4_14(stage2())))
    hyp = hyp_of(view)
    place = view.image.value_of("__init_stage2_translation")
    assert place is not None
    owner = view.owner(place)
    assert owner is not None
    assert owner.name == "hyp"
    assert any(first <= place < end for first, end in view.own_code(hyp))
    assert view.named(["no such"]) == ()


def test_instructions_are_those_of_the_file_and_of_alternatives() -> None:
    view = AuditView(open_image(link_6_1(PATCHED)))
    place = view.image.value_of("__kvm_nvhe_f")
    assert place is not None
    found = {(at, word, changed) for at, word, changed in view.instructions(hyp_of(view)) if word}
    assert (place, 0xD503201F, False) in found
    assert (place, 0xD53CD040, True) in found
    # The replacement itself never runs where it lies.
    assert not any(at == place + 8 and word == 0xD53CD040 for at, word, _ in found)


def test_tables_of_a_domain_are_read() -> None:
    view = AuditView(open_image(link_6_1(stage2(name="__kvm_nvhe_g"))))
    (table,) = view.tables(hyp_of(view))
    assert table.entry_kind is TableEntryKind.ABSOLUTE
    assert len(table.targets) == 5


def test_functions_come_by_address() -> None:
    view = AuditView(open_image(link_6_1(stage2(name="__kvm_nvhe_g") + PATCHED)))
    names = [span.name for span in view.functions(hyp_of(view))]
    assert [n for n in names if n in ("__kvm_nvhe_f", "__kvm_nvhe_g")] == [
        "__kvm_nvhe_g",
        "__kvm_nvhe_f",
    ]


def test_references_leave_the_domain() -> None:
    view = AuditView(open_image(link_6_1(stage2(name="__kvm_nvhe_g"))))
    targets = {r.target for r in view.references(hyp_of(view))}
    (table,) = view.tables(hyp_of(view))
    assert table.table in targets
