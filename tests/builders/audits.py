"""Rules, findings and documents of audits, made up: tests of the way to the screen need no real rule."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import msgspec
import pytest

from whypanic.audit.api import Rule
from whypanic.audit.view import AuditView
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault
from whypanic.report.audit_document import (
    AUDIT_SCHEMA,
    AuditDocument,
    DocAuditEvidence,
    DocAuditImage,
    DocDomain,
    DocFinding,
    DocPredictedFault,
    DocRule,
    DocSliceLine,
    DocSuppressed,
)
from whypanic.report.document import Input, Tool

DOCSTRING = """Every indirect branch.

Why it breaks: it may lead anywhere.

Example:
    br x0

False positives: all of them.
Sources: Linux arch/arm64/nothing.c.
"""


def finding(place: int, **changes: Any) -> Finding:
    made = Finding(
        rule="indirect-branch",
        level=Level.ERROR,
        title="a branch leads anywhere",
        domain="hyp",
        place=place,
        evidence=(Evidence(text="the register is x11", address=place),),
        fault=PredictedFault(ec=0x21, fsc=4, far_region="image"),
        cause="wild-branch",
        remedy="do not branch",
    )
    return msgspec.structs.replace(made, **changes)


def _branches(view: AuditView) -> Iterator[Finding]:
    for domain in view.named(("*",)):
        for place, _, _ in view.instructions(domain).found("br|blr"):
            yield finding(place, slice=(place - 4, place), domain=domain.name)


def _nothing(_view: AuditView) -> Iterator[Finding]:
    return iter(())


def _breaks(_view: AuditView) -> Iterator[Finding]:
    message = "no such register"
    raise KeyError(message)


def _declared(number: str, id_: str, check: Any, domains: tuple[str, ...] = ("*",)) -> Rule:
    return Rule(number, id_, f"the rule {id_}", domains, check, f"made_up_rules.{id_}")


INDIRECT = _declared("R01", "indirect-branch", _branches)
QUIET = _declared("R02", "quiet-rule", _nothing, ("hyp",))
BROKEN = _declared("R03", "broken-rule", _breaks)


def declare(monkeypatch: pytest.MonkeyPatch, *rules: Rule) -> None:
    """Let these be all rules that there are."""
    for rule in rules:
        monkeypatch.setitem(sys.modules, rule.module, ModuleType(rule.module, DOCSTRING))
    for user in ("whypanic.audit.engine", "whypanic.app.audit"):
        monkeypatch.setattr(f"{user}.declared_rules", lambda: rules)


def doc_rule(**changes: Any) -> DocRule:
    made = DocRule(
        id="indirect-branch",
        number="R01",
        title="a branch leads anywhere",
        domains=["hyp"],
        finds="Every indirect branch.",
        why="It may lead anywhere, and `br` does not look.",
        example="adrp x0, there\nbr x0",
        false_positives="All of them.",
        sources=["Linux arch/arm64/nothing.c"],
        from_memory=["Arm ARM DDI 0487 L, BR"],
    )
    return msgspec.structs.replace(made, **changes)


def doc_finding(**changes: Any) -> DocFinding:
    made = DocFinding(
        rule="indirect-branch",
        level="error",
        title="a branch leads anywhere",
        domain="hyp",
        input=0,
        function="__kvm_nvhe_widget",
        offset=0x30,
        link_address="0xffff800008bc4030",
        run_address=None,
        section=".text",
        section_offset=0xBB4030,
        file="arch/arm64/kvm/hyp/nvhe/widget.c",
        line=38,
        slice=[
            DocSliceLine(
                address="0xffff800008bc402c",
                word="0xf869794b",
                text="ldr x11, [x10, x9, lsl #3]",
                source="arch/arm64/kvm/hyp/nvhe/widget.c:37",
            ),
            DocSliceLine(
                address="0xffff800008bc4030",
                word="0xd61f0160",
                text="br x11",
                source="arch/arm64/kvm/hyp/nvhe/widget.c:38",
            ),
        ],
        place="0xffff800008bc4030",
        evidence=[
            DocAuditEvidence(text="entry 0 is widget+0x40", address="0xffff800009384000"),
            DocAuditEvidence(text="the table is in .rodata", address=None),
        ],
        fault=DocPredictedFault(ec="0x21", fsc="0x4", far_region="image"),
        cause="absolute-jump-table-at-el2",
        remedy="store offsets instead of addresses",
        suppressed=None,
    )
    return msgspec.structs.replace(made, **changes)


def suppressed(reason: str, **changes: Any) -> DocFinding:
    return doc_finding(suppressed=DocSuppressed(reason=reason), **changes)


def audit_document(*findings: DocFinding, **changes: Any) -> AuditDocument:
    domain = DocDomain(
        id="hyp",
        title="nVHE hyp code",
        era="5.12 and later",
        sections=[".text"],
        link=["0xffff800008bc4000", "0xffff800008bd2000"],
        ranges=[["0xffff800008bc4000", "0xffff800008bd2000"]],
        n_ranges=1,
        data=[["0xffff800009384000", "0xffff800009388000"]],
        runs_at="EL2, somewhere",
        mapped_with=["kernel .rodata and .bss"],
    )
    image = DocAuditImage(
        input=0,
        kind="vmlinux",
        version="Linux version 6.1.0 (a@b) (gcc (GCC) 12.2.0, GNU ld 2.40) #1 SMP",
        compiler="gcc (GCC) 12.2.0",
        linker="GNU ld 2.40",
        build_id="ab" * 20,
        domains=[domain],
    )
    made = AuditDocument(
        schema=AUDIT_SCHEMA,
        tool=Tool(name="whypanic", version="0.0.0"),
        inputs=[Input(name="out/vmlinux", bytes=1000, sha256="00" * 32)],
        images=[image],
        findings=list(findings),
        notes=["out/a.o is LLVM bitcode"],
    )
    return msgspec.structs.replace(made, **changes)
