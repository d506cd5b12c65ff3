"""The public document of `explain`: schema `whypanic.explain/1`.

Every key is always there; unknown is null, empty is []. Addresses, registers, raw fields and bitmaps are
lower-case "0x..." strings; counts, lines, sizes, offsets inside a symbol and bit positions are numbers.
"""

# Long because it is the form of one document, a key a line.

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


class DocCore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    midr: str
    name: str | None
    implementer: str
    revision: str
    """rXpY."""
    note: str


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
    file: str | None
    line: int | None
    statement: str | None
    """The line of source text, where `--source` has it."""
    state: str | None
    """How the word of a `Code:` line compares with the image: built, patched, unpatched, wrongly-patched, bit-flip,
    neither."""
    note: str | None
    """What may change the word, or what it refers to."""


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
    lookup: str
    """exact: the address is the instruction; call-site: it is what follows a call, look up the one before it."""
    note: str | None


class DocIdentityCheck(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    """build-id, version, symbol, symbol-size, code."""
    agrees: bool
    text: str


class DocImage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The image that was held against the report."""

    name: str
    kind: str
    build_id: str | None
    version: str | None
    """Its `Linux version` line."""
    match: str
    """matches, mismatch, unknown."""
    certain: bool
    """What is read off it may prove a cause."""
    used: bool
    """False: what it says is withheld, because it is another kernel's."""
    checks: list[DocIdentityCheck]
    engine: str | None
    """What read its debug information: drgn, llvm-symbolizer, addr2line."""
    missing: list[str]
    kaslr_offset: str | None
    kaslr_printed: bool | None
    """False: solved from addresses and symbols of the text."""
    hyp_offset: str | None
    hyp_printed: bool | None


class DocAccess(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reading of the faulting access in terms of the source."""

    text: str
    function: str | None
    variable: str | None
    type: str | None
    register: str
    pointer: str
    struct: str | None
    member: str | None
    member_type: str | None
    offset: int | None
    """Bytes from the pointer to the access; null where an index stands between them."""


class DocNamed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A register whose value is an address in the image."""

    register: str
    value: str
    symbol: str
    offset: int
    size: int | None
    module: str | None
    section: str | None


class DocTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A branch through a table in the function of PC, and the table."""

    function: str
    branch: str
    call: bool
    table: str
    section: str | None
    entry_bytes: int
    entry_kind: str
    """absolute, relative."""
    base: str | None
    targets: list[str]
    """Link addresses, by index."""
    bound: str
    idiom: str
    in_function: bool
    fixed_up: int
    """Entries that .hyp.reloc covers."""


class DocStack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stack beside that of the fault: of an allocation or a free, of another task or CPU."""

    label: str
    """The line above it, e.g. `Freed by task 12`."""
    frames: list[DocFrame]


class DocLock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lock that the report names."""

    holder: str | None
    """The task's name."""
    pid: int | None
    lock: str
    place: str | None
    """The function that took it."""
    state: str
    """taken: the one lockdep reports on; held: at odds with it; listed: among a task's locks."""


class DocInterruptLoad(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stuck CPU did."""

    unit: str
    """percent of the time; ms; number of interrupts, of softirqs and of context switches."""
    hardirq: int
    softirq: int
    system: int
    idle: int | None
    percent: int | None
    """Share of interrupts and softirqs in the time, where it was counted."""


class DocStall(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CPU or task that made no progress."""

    cpus: list[int]
    task: str | None
    pid: int | None
    seconds: int | None
    jiffies: int | None
    ticks: int | None
    """Timer ticks that the first CPU took in the grace period."""
    idle: str | None
    """As printed: dyntick counter, nesting, NMI nesting."""
    softirq: list[int]
    """RCU's softirqs of the first CPU at the start of the grace period and now; [] where not printed."""
    fqs: int | None
    kthread_starved: int | None
    """Jiffies that RCU's kthread did not run."""
    load: DocInterruptLoad | None
    not_stopped: str | None
    """What panic() said of CPUs that did not stop."""


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
    """Of the lines of the report's span that are not blank."""

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
    core: DocCore | None
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
    image: DocImage | None
    named: list[DocNamed]
    access: list[DocAccess]
    tables: list[DocTable]
    code: list[DocCode]
    frames: list[DocFrame]
    stacks: list[DocStack]
    blame: DocBlame | None
    locks: list[DocLock]
    stall: DocStall | None
    causes: list[DocCause]
    evidence: list[DocEvidence]
    commands: list[DocCommand]
    coverage: DocCoverage
    damage: list[DocDamage]
    unparsed: list[DocSpan]


class DocGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reports with one signature."""

    signature: str
    count: int
    orders: list[int]


class ExplainDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    unreadable: list[Unreadable]
    reports: list[DocReport]
    groups: list[DocGroup]


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
