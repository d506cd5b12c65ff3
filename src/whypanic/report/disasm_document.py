"""The public document of `disasm`: schema `whypanic.disasm/1`."""

from typing import Any

import msgspec
from msgspec import Struct

from whypanic.report.document import DocTable, Input, Tool

DISASM_SCHEMA = "whypanic.disasm/1"


class DocFunction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    address: str
    """Link address."""
    size: int
    section: str | None
    domain: str | None
    aliases: list[str]


class DocFeatures(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What alternatives were rendered for."""

    given: str
    present: list[str]
    unknown: list[str]
    """Capabilities that alternatives of this function ask for and that `--features` does not decide."""
    names_from: str
    """image: the capability names were read from it; else the kernel version whose list was used."""


class DocReference(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an instruction or a datum leads."""

    kind: str
    """branch, call, address, literal, slot."""
    target: str
    symbol: str | None
    absolute: bool
    """The target is an absolute address, which is right only where the kernel runs at its link address."""
    covered: bool | None
    """Of a slot: .hyp.reloc converts it; null where it does not apply."""


class DocLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str
    offset: int
    word: str
    """As it runs with the given features; as built where that is not known."""
    built: str
    data: bool
    text: str
    references: list[DocReference]
    notes: list[str]
    """Alternatives, ftrace sites, jump labels, BUG entries."""
    possible: list[str]
    """All words that may stand here, where more than one may."""
    function: str | None
    """The function, an inlined one perhaps, that the source line belongs to."""
    file: str | None
    line: int | None
    statement: str | None
    """The line of source text, where `--source` has it."""


class DocContents(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Data that the function refers to and that is shown: its tables."""

    section: str
    address: str
    bytes: str
    """Hexadecimal, in the order of memory."""


class DisasmDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    kind: str
    build_id: str | None
    version: str | None
    function: DocFunction
    features: DocFeatures | None
    lines: list[DocLine]
    tables: list[DocTable]
    contents: list[DocContents]
    notes: list[str]


def disasm_schema() -> dict[str, Any]:
    """Return the JSON Schema of the disasm document."""
    schema = msgspec.json.schema(DisasmDocument)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
