import pytest

from builders.audits import INDIRECT, declare, finding
from builders.hyp_images import BANNER, link_4_14
from builders.stage2 import stage2
from whypanic.app.audit_document import (
    MAX_RANGES,
    finding_of,
    image_of,
    rule_of,
    table_of,
    tool,
)
from whypanic.app.audit_places import Places
from whypanic.audit.suppressions import Suppression
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain, domains_of, known_domains
from whypanic.formats.images import open_image

TEXT = "Linux version 4.14.0 (a@b) (gcc (GCC) 7.3.0, GNU ld 2.30) #1 SMP"


def test_image_and_its_domains() -> None:
    image = open_image(link_4_14(stage2(), banner=TEXT))
    made = image_of(image, domains_of(image), 3)
    assert (made.input, made.kind, made.version) == (3, "vmlinux", TEXT)
    assert (made.compiler, made.linker) == ("gcc (GCC) 7.3.0", "GNU ld 2.30")
    assert made.build_id == "41" * 20
    hyp = made.domains[0]
    assert (hyp.id, hyp.sections, hyp.era) == ("hyp", [".text"], "4.9 to 5.8")
    assert hyp.link == hyp.ranges[0]
    assert hyp.n_ranges == 1
    assert hyp.mapped_with
    assert BANNER


def test_ranges_of_a_domain_are_bounded() -> None:
    image = open_image(link_4_14(stage2()))
    ranges = tuple((n * 16, n * 16 + 4) for n in range(2 * MAX_RANGES))
    domain = Domain("many", "many", "any", ranges, (), (), "nowhere")
    (made,) = image_of(image, [domain], 0).domains
    assert (len(made.ranges), made.n_ranges) == (MAX_RANGES, 2 * MAX_RANGES)
    assert made.link == ["0x0", hex(ranges[-1][1])]


def test_finding() -> None:
    image = open_image(link_4_14(stage2()))
    found = finding(image.base, fault=None)
    place = Places(AuditView(image), [found], None).of(found)
    made = finding_of(found, place, 2, None)
    assert (made.rule, made.level, made.domain, made.input) == (
        "indirect-branch",
        "error",
        "hyp",
        2,
    )
    assert (made.fault, made.suppressed) == (None, None)
    assert made.evidence[0].address == hex(image.base)
    accepted = Suppression("indirect-branch", "foo", None, "legal", 1)
    with_fault = finding_of(finding(image.base), place, 0, accepted)
    assert with_fault.fault is not None
    assert (with_fault.fault.ec, with_fault.fault.fsc) == ("0x21", "0x4")
    assert with_fault.suppressed is not None
    assert with_fault.suppressed.reason == "legal"


def test_rule_with_its_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, INDIRECT)
    made = rule_of(INDIRECT)
    assert (made.id, made.number, made.domains) == ("indirect-branch", "R01", ["*"])
    assert (made.finds, made.why) == ("Every indirect branch.", "it may lead anywhere.")
    assert (made.example, made.sources) == ("br x0", ["Linux arch/arm64/nothing.c"])


def test_table_of_domains() -> None:
    table = table_of(known_domains())
    hyp = next(row for row in table if row.id == "hyp")
    assert "4.9 to 5.8" in [layout.era for layout in hyp.layouts]
    assert table[-1].id == "kernel"


def test_tool() -> None:
    assert tool().name == "whypanic"
