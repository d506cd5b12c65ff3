"""The public documents of `lab`: schemas `whypanic.lab-toolchains/1`, `lab-build/1`, `lab-boot/1` and `lab-diff/1`."""

from typing import Any

import msgspec
from msgspec import Struct

from whypanic.report.document import DocReport, Input, Tool

TOOLCHAINS_SCHEMA = "whypanic.lab-toolchains/1"
BUILD_SCHEMA = "whypanic.lab-build/1"
BOOT_SCHEMA = "whypanic.lab-boot/1"
DIFF_SCHEMA = "whypanic.lab-diff/1"


class DocToolchain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    family: str
    """gcc, clang."""
    version: str
    compiler: str
    compiler_text: str
    """First line of `--version`."""
    linker: str
    linker_text: str
    lto: list[str]
    make_variables: list[list[str]]
    """Name and value, in the order of make's command line."""
    notes: list[str]
    missing: list[str]
    """Programs without which it builds nothing."""


class ToolchainsDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    toolchains: list[DocToolchain]


class DocOption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An option that was asked for, held against the final .config."""

    name: str
    wanted: str
    got: str
    kept: bool
    because: str | None
    """Which dependency refused it."""


class DocDiagnostic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: str
    text: str
    file: str | None
    line: int | None
    column: int | None
    target: str | None
    """The object that make was building."""


class BuildDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    tree: str
    toolchain: str
    lto: str
    config: str
    fragments: list[str]
    verdict: str
    """ok, build-failed."""
    reason: str | None
    """Why it failed, in one line."""
    folder: str
    image: str | None
    vmlinux: str | None
    kvm_nvhe: str | None
    image_hash: str | None
    """SHA-256 of Image."""
    compiler: str | None
    """As the Image's own banner has it."""
    linker: str | None
    options: list[DocOption]
    diagnostics: list[DocDiagnostic]
    seconds: float
    cached: bool
    log: str | None
    """Path of all that make said."""


class DocCellId(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was booted, and how."""

    tree: str | None
    ref: str | None
    toolchain: str | None
    """These and the next two are null for an Image that the lab did not build."""
    lto: str | None
    config: str | None
    mode: str
    kaslr: str
    """on, off, or the seed."""
    page: str
    """4k, 16k, 64k."""
    cpu: str
    """Model, as QEMU calls it."""
    n_cpus: int


class DocGuest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    passed: int
    failed: int
    skipped: int
    failures: list[str]


class DocSample(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a CPU was when the machine was stopped."""

    cpu: int
    pc: str
    pa: str | None
    el: int | None
    pstate: str | None
    symbol: str | None
    motion: str | None
    halted: bool
    registers: dict[str, str]


class DocException(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    kind: str
    from_el: int
    to_el: int
    cpu: int
    esr: str | None
    far: str | None
    elr: str | None
    symbol: str | None
    """Where ELR points."""


class DocCell(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One boot and what came of it."""

    cell: DocCellId
    verdict: str
    reason: str
    proved_mode: bool | None
    proof: str | None
    """The console's words that prove or deny the mode."""
    guest: DocGuest | None
    seconds: float
    verdict_s: float | None
    """From the deciding text, or the last output, to the verdict."""
    image_hash: str
    compiler: str | None
    linker: str | None
    diagnosis: DocReport | None
    samples: list[DocSample]
    exceptions: list[DocException]
    """The first and last that a kernel in order takes seldom."""
    n_exceptions: int
    system_registers: dict[str, str]
    last_words: str | None
    """What the kernel had written and not printed."""
    backtrace: list[str]
    artifacts: dict[str, str]
    """Files of this boot, by what they are."""
    notes: list[str]
    """What could not be found out, and why."""
    command: list[str]
    """The QEMU command that boots the same on a terminal."""


class BootDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    """The Image first, then the vmlinux that belongs to it."""
    run: str
    """Folder of this run: run.jsonl, and one folder a cell."""
    cells: list[DocCell]


class DocParting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line where two logs differ; null: that log has ended there."""

    line: int
    a: str | None
    b: str | None
    before: list[str]
    """The last lines that are the same."""


class DocComparison(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    """The cell's folder, of two runs; the name of the first log otherwise."""
    a: str | None
    """Path of the log; null: only the other run has this cell."""
    b: str | None
    equal: bool
    parting: DocParting | None


class DiffDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    a: str
    b: str
    ignored: list[str]
    """times, addresses, texts in backticks: what was not compared."""
    comparisons: list[DocComparison]


_DOCUMENTS: dict[str, type[Struct]] = {
    "lab-toolchains": ToolchainsDocument,
    "lab-build": BuildDocument,
    "lab-boot": BootDocument,
    "lab-diff": DiffDocument,
}


def lab_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each document, by the name in its schema."""
    return {
        name: {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **msgspec.json.schema(document),
        }
        for name, document in _DOCUMENTS.items()
    }
