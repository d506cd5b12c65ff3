"""The public document of `replay`: schema `whypanic.replay/1`."""

from typing import Any

import msgspec
from msgspec import Struct

from whypanic.report.document import Input, Tool

REPLAY_SCHEMA = "whypanic.replay/1"


class DocSubject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    function: str | None
    domain: str
    link_address: str | None
    source: str
    """listing | image | object"""


class DocValue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    log: str | None
    replay: str | None
    equal: bool | None
    role: str
    """derived | given | solved"""


class DocSolved(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    value: str


class DocRegister(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    value: str | None
    """null: the value is not known"""


class DocAccess(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str
    bytes: int
    write: bool
    value: str | None
    mapping: str | None
    """The mapping that allowed it; null: nothing was mapped there."""


class DocTraceLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    address: str
    word: str
    text: str
    reads: list[DocRegister]
    writes: list[DocRegister]
    memory: list[DocAccess]
    domain: str | None


class DocParting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first point where a correct run would part from this one."""

    address: str
    text: str
    here: list[DocRegister]
    correct: list[DocRegister]


class DocHypothesis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    assumes: str
    cause: str | None
    """The cause of `explain` whose mechanism this is; null: a remedy or a plain run."""
    engine: str
    modelled: bool
    cpu: str
    run_address: str | None
    outcome: str
    reason: str
    values: list[DocValue]
    reproduced: bool
    solved: list[DocSolved]
    registers: list[DocRegister]
    system: list[DocRegister]
    """System registers that the code wrote."""
    parting: DocParting | None
    trace: list[DocTraceLine]
    trace_engine: str | None
    """QEMU keeps no trace: the same job was traced by this engine."""


class DocSweepRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cpu: str
    outcome: str
    engine: str
    modelled: bool
    reproduced: bool
    values: list[DocValue]


class ReplayDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: str
    tool: Tool
    inputs: list[Input]
    subject: DocSubject
    hypotheses: list[DocHypothesis]
    sweep: list[DocSweepRow] | None
    notes: list[str]


def replay_schema() -> dict[str, Any]:
    """Return the JSON Schema of the replay document."""
    schema = msgspec.json.schema(ReplayDocument)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
