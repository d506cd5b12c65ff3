from builders.audits import audit_document, doc_finding, doc_rule, suppressed
from whypanic.report.audit_document import (
    DOMAINS_SCHEMA,
    RULES_SCHEMA,
    AuditDocument,
    DocDomainRow,
    DocLayout,
    DomainsDocument,
    RulesDocument,
)
from whypanic.report.audit_text import render_audit, render_domains, render_rules
from whypanic.report.document import Input, Tool
from whypanic.report.text import Style

STYLE = Style(width=100)
TOOL = Tool(name="whypanic", version="0.0.0")

ONE = """\
out/vmlinux: vmlinux, gcc (GCC) 12.2.0, GNU ld 2.40, build id abababababababababababababababababababab
  domains: hyp

__kvm_nvhe_widget  (hyp)
    runs at EL2, somewhere
  error: a branch leads anywhere  [R01 indirect-branch]
    at __kvm_nvhe_widget+0x30, linked at 0xffff800008bc4030, .text+0xbb4030, arch/arm64/kvm/hyp/nvhe/widget.c:38
    why     It may lead anywhere, and `br` does not look.
      ffff800008bc402c: f869794b  ldr x11, [x10, x9, lsl #3]  arch/arm64/kvm/hyp/nvhe/widget.c:37
    > ffff800008bc4030: d61f0160  br x11                      arch/arm64/kvm/hyp/nvhe/widget.c:38
    +       entry 0 is widget+0x40  [0xffff800009384000]
    +       the table is in .rodata
    fault   EC 0x21, Instruction Abort taken without a change in Exception level; FSC 0x4, level 0
            translation fault; FAR in image
    remedy  store offsets instead of addresses
    crash   `whypanic explain` calls it absolute-jump-table-at-el2

1 error, 0 warnings, 0 notes in 1 image
"""


def render(document: AuditDocument) -> str:
    return render_audit(document, [doc_rule()], STYLE)


def test_one_finding() -> None:
    assert render(audit_document(doc_finding())) == ONE


def test_nothing_found() -> None:
    assert render(audit_document()).splitlines()[-2:] == [
        "",
        "0 errors, 0 warnings, 0 notes in 1 image",
    ]


def test_findings_of_one_function_stand_together_and_say_why_once() -> None:
    here = {"place": "0xffff800008bc4034", "offset": 0x34, "level": "warning"}
    other = {"function": "other", "place": "0xffff800008bc9000", "offset": 0}
    text = render(audit_document(doc_finding(), doc_finding(**other), doc_finding(**here)))
    assert text.count("__kvm_nvhe_widget  (hyp)") == 1
    assert text.index("__kvm_nvhe_widget+0x34") < text.index("other  (hyp)")
    assert text.count("why     ") == 2
    assert text.endswith("\n2 errors, 1 warning, 0 notes in 1 image\n")


def test_many_findings_alike_are_named_in_one_line() -> None:
    found = [doc_finding(place=hex(0xFFFF800008BC4000 + n), offset=n) for n in range(0, 40, 4)]
    lines = render(audit_document(*found)).splitlines()
    assert sum(line.startswith("  error: a branch") for line in lines) == 3
    at = lines.index("  7 others alike: a branch leads anywhere  [indirect-branch]")
    assert lines[at + 1] == "    at      +0xc, +0x10, +0x14, +0x18, +0x1c, +0x20, +0x24"
    assert lines[-1].startswith("10 errors")


def test_static_functions_of_one_name_are_two() -> None:
    twin = doc_finding(place="0xffff800008bc9030")
    assert render(audit_document(doc_finding(), twin)).count("__kvm_nvhe_widget  (hyp)") == 2


def test_suppressed_findings_are_named_with_their_reason() -> None:
    text = render(audit_document(suppressed("seen and legal", level="warning"), doc_finding()))
    line = next(line for line in text.splitlines() if line.endswith(": seen and legal"))
    assert line.startswith("  warning: indirect-branch at __kvm_nvhe_widget+0x30")
    assert text.endswith("\n1 error, 0 warnings, 0 notes in 1 image; 1 suppressed\n")


def test_data_and_unknown_places() -> None:
    found = doc_finding(
        function=None, offset=None, link_address=None, section=".hyp.rodata", section_offset=8,
        file=None, line=None, slice=[], fault=None, place="0x10008",
    )  # fmt: skip
    text = render(audit_document(found))
    assert "\n.hyp.rodata  (hyp)\n" in text
    assert "\n    at .hyp.rodata, .hyp.rodata+0x8\n" in text
    assert "fault" not in text


def test_images_without_findings_are_counted_where_there_are_several() -> None:
    clean = audit_document()
    (image,) = clean.images
    document = AuditDocument(
        schema=clean.schema,
        tool=clean.tool,
        inputs=[*clean.inputs, Input(name="b.o", bytes=1, sha256="11" * 32)],
        images=[image, type(image)(**{f: getattr(image, f) for f in image.__struct_fields__} | {"input": 1})],
        findings=[doc_finding(input=1)],
        notes=[],
    )  # fmt: skip
    text = render(document)
    assert "out/vmlinux" not in text
    assert text.startswith("b.o: vmlinux")
    assert text.endswith("in 2 images\n")


def test_hostile_names_are_made_safe() -> None:
    text = render(audit_document(doc_finding(function="evil\x1b[2J", title="a\x07b")))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "evil\\x1b[2J" in text


def test_colour() -> None:
    text = render_audit(audit_document(doc_finding()), [doc_rule()], Style(colour=True))
    assert "\x1b[31merror\x1b[0m" in text
    assert "\x1b[1m    > ffff800008bc4030" in text


def test_list_of_rules() -> None:
    document = RulesDocument(schema=RULES_SCHEMA, tool=TOOL, rules=[doc_rule(), doc_rule(why="")])
    text = render_rules(document, STYLE)
    assert text.startswith(
        "R01 indirect-branch  (hyp)\n"
        "    finds   Every indirect branch.\n"
        "    breaks  It may lead anywhere, and `br` does not look.\n\n"
    )
    assert text.count("breaks") == 1


def domains(*, images: bool) -> DomainsDocument:
    audited = audit_document()
    layout = DocLayout(
        era="6.1", needs=["_text"], sections=[".x"], runs_at="EL2", mapped_with=["a", "b"]
    )
    row = DocDomainRow(id="hyp", title="nVHE hyp code", layouts=[layout, layout])
    return DomainsDocument(
        schema=DOMAINS_SCHEMA,
        tool=TOOL,
        inputs=audited.inputs if images else [],
        images=audited.images if images else [],
        table=[row],
        notes=[],
    )


def test_table_of_domains() -> None:
    assert render_domains(domains(images=False), STYLE).splitlines()[:5] == [
        "hyp  nVHE hyp code",
        "  6.1",
        "    known by _text, section .x",
        "    runs at  EL2",
        "    reaches  a; b",
    ]


def test_domains_of_an_image() -> None:
    assert render_domains(domains(images=True), STYLE).splitlines() == [
        "out/vmlinux: vmlinux",
        "  hyp  nVHE hyp code (5.12 and later)",
        "    code     0xffff800008bc4000..0xffff800008bd2000",
        "    data     0xffff800009384000..0xffff800009388000",
        "    sections .text",
        "    runs at  EL2, somewhere",
        "    reaches  kernel .rodata and .bss",
    ]
