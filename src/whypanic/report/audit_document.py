"""The public documents of `audit`: schema `whypanic.audit/1`, and those of its two lists."""

from typing import Any

import msgspec
from msgspec import Struct

from whypanic.report.document import Input, Tool

AUDIT_SCHEMA = "whypanic.audit/1"
RULES_SCHEMA = "whypanic.audit-rules/1"
DOMAINS_SCHEMA = "whypanic.audit-domains/1"


class DocDomain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A domain that an image has."""

    id: str
    title: str
    era: str
    """Which kernels lay it out so."""
    sections: list[str]
    """Those that its code lies in."""
    link: list[str]
    """Lowest link address of its code, and the first behind the highest."""
    ranges: list[list[str]]
    """The code itself: first and end of each range; the first of them where there are very many."""
    n_ranges: int
    data: list[list[str]]
    """What belongs to it and is mapped with it."""
    runs_at: str
    """Where it runs; a formula where that depends on the boot."""
    mapped_with: list[str]
    """What else of the kernel it can reach."""


class DocAuditImage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    input: int
    """Number of the input, from 0."""
    kind: str
    version: str | None
    compiler: str | None
    linker: str | None
    build_id: str | None
    domains: list[DocDomain]


class DocSliceLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str
    word: str
    """As it runs: an alternative may have put it there."""
    text: str
    source: str | None
    """file:line; the file alone for code that belongs to no line."""


class DocAuditEvidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    address: str | None


class DocPredictedFault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ec: str
    fsc: str | None
    far_region: str | None


class DocSuppressed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: str


class DocFinding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rule: str
    level: str
    title: str
    domain: str
    input: int
    """Number of the input, from 0."""
    function: str | None
    """The symbol there: a function, or the object that the slot belongs to."""
    offset: int | None
    """From `function`."""
    link_address: str | None
    """Null for a relocatable object: it is not linked yet."""
    run_address: str | None
    """Null where it depends on the boot; the domain's `runs_at` gives the formula."""
    section: str | None
    section_offset: int | None
    file: str | None
    line: int | None
    slice: list[DocSliceLine]
    """In the order of the rule; empty where the place is data."""
    place: str
    """Address of the place, among those of `slice`; of a relocatable object as `whypanic disasm` lays it out."""
    evidence: list[DocAuditEvidence]
    fault: DocPredictedFault | None
    cause: str
    """Id of the cause that `explain` would name."""
    remedy: str
    suppressed: DocSuppressed | None


class AuditDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    images: list[DocAuditImage]
    findings: list[DocFinding]
    """Of each input errors first, then by address."""
    notes: list[str]
    """What was not audited and why: inputs that cannot be read, bitcode, rules that broke; what was not looked up."""


class DocRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule and its documentation."""

    id: str
    number: str
    title: str
    domains: list[str]
    """Domains that it looks at; `*`: every one whose code runs elsewhere than at its link address; `own`: a user's."""
    finds: str
    why: str
    example: str
    false_positives: str
    sources: list[str]
    from_memory: list[str]


class RulesDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    rules: list[DocRule]


class DocLayout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one era of kernels lays a domain out."""

    era: str
    needs: list[str]
    """Symbols that tell it."""
    sections: list[str]
    """Sections that tell it."""
    runs_at: str
    mapped_with: list[str]


class DocDomainRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    title: str
    layouts: list[DocLayout]


class DomainsDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    images: list[DocAuditImage]
    table: list[DocDomainRow]
    """All that are known, a user's own first, in order of precedence."""
    notes: list[str]


def audit_schema() -> dict[str, Any]:
    """Return the JSON Schema of the audit document."""
    return _schema(AuditDocument)


def rules_schema() -> dict[str, Any]:
    """Return the JSON Schema of the list of rules."""
    return _schema(RulesDocument)


def domains_schema() -> dict[str, Any]:
    """Return the JSON Schema of the list of domains."""
    return _schema(DomainsDocument)


def _schema(document: type[Struct]) -> dict[str, Any]:
    schema = msgspec.json.schema(document)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
