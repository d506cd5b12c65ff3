"""The public document of `explain`: schema `whypanic.explain/1`.

Every key is always there; unknown is null, empty is []. Addresses, registers, raw fields and bitmaps are
lower-case "0x..." strings; counts, lines, sizes, offsets inside a symbol and bit positions are numbers.
"""

from typing import Any

import msgspec
from msgspec import Struct

EXPLAIN_SCHEMA = "whypanic.explain/1"


class Tool(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    version: str


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    bytes: int
    sha256: str


class Unreadable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    reason: str


class DocSpan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    input: int
    first_line: int
    last_line: int


class DocKernel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: str | None
    compiler: str | None
    build_id: str | None


class DocField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    lo: int
    width: int
    value: str
    meaning: str


class DocPstate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    raw: str
    fields: list[DocField]


class DocSyndrome(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    esr: str
    ec: str
    ec_name: str
    fields: list[DocField]
    complete: bool
    """False: put together from decoded lines, no ESR was printed."""


class DocFar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    value: str
    valid: bool | None
    region: str | None
    note: str


class DocHpfar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    value: str
    valid: bool | None
    region: str | None
    note: str
    ipa: str | None


class DocPar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    value: str
    valid: bool | None
    region: str | None
    note: str
    fields: list[DocField]


class DocWalkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    value: str
    kind: str
    meaning: str


class DocPageTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    owner: str | None
    page_kib: int | None
    va_bits: int | None
    address: str | None
    entries: list[DocWalkEntry]
    note: str


class DocFeatures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    raw: str
    bitmap: str
    table: str | None
    """The kernel version whose capability numbers were used."""
    exact: bool
    names: list[str]
    note: str


class DocCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str | None
    word: str | None
    text: str
    faulting: bool
    symbol: str | None
    source: str


class DocInlined(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    function: str
    file: str | None
    line: int | None
    column: int | None


class DocFrame(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str | None
    symbol: str | None
    offset: int | None
    size: int | None
    module: str | None
    role: str
    function: str | None
    file: str | None
    line: int | None
    column: int | None
    inlined: list[DocInlined]


class DocBlame(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    function: str
    file: str | None
    line: int | None


class DocFact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    source: str
    line: int | None
    address: str | None


class DocClaim(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sense: str
    text: str
    facts: list[DocFact]


class DocRemedy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    patch: str | None


class DocNext(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: str
    command: str | None


class DocCause(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    title: str
    verdict: str
    claims: list[DocClaim]
    missing: list[str]
    remedies: list[DocRemedy]
    next: list[DocNext]


class DocDamage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    span: DocSpan
    reason: str


class DocEvidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something concluded from the text that is no claim of one cause: EL2 mode, layout, idmap distance."""

    name: str
    text: str
    facts: list[DocFact]


class DocCommand(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shows: str
    command: str


class DocCoverage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    lines: int
    understood: int


class DocReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    title: str
    signature: str
    span: DocSpan
    order: int
    follows: int | None
    kernel: DocKernel
    machine: str | None
    cpu: int | None
    pid: int | None
    comm: str | None
    taint: list[str]
    el: int | None
    kvm_mode: str | None
    hvhe: bool | None
    registers: dict[str, str | None]
    pstate: DocPstate | None
    syndrome: DocSyndrome | None
    far: DocFar | None
    hpfar: DocHpfar | None
    par: DocPar | None
    page_table: DocPageTable | None
    features: DocFeatures | None
    code: list[DocCode]
    frames: list[DocFrame]
    blame: DocBlame | None
    causes: list[DocCause]
    evidence: list[DocEvidence]
    commands: list[DocCommand]
    coverage: DocCoverage
    damage: list[DocDamage]
    unparsed: list[DocSpan]


class ExplainDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    unreadable: list[Unreadable]
    reports: list[DocReport]


def hexadecimal(value: int) -> str:
    """Return the one form in which the document writes addresses and raw values."""
    return f"{value:#x}"


def encode(document: Struct) -> bytes:
    """Return the document as indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def explain_schema() -> dict[str, Any]:
    """Return the JSON Schema of the explain document."""
    schema = msgspec.json.schema(ExplainDocument)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
