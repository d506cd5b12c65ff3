"""The events of a run of the lab: one JSON object a line in run.jsonl, schema `whypanic.lab-event/1`.

`event` says which it is; `at_s` is the time since the run began. A reader passes over events that it does not know.
"""

from typing import Any

import msgspec
from msgspec import Struct

from whypanic.report.document import Tool
from whypanic.report.lab_document import DocCell, DocCellId

EVENT_SCHEMA = "whypanic.lab-event/1"
RUN_LOG = "run.jsonl"


class Event(Struct, frozen=True, kw_only=True, tag_field="event"):
    """Base of all."""

    at_s: float
    """Seconds since the run began."""


class RunStarted(Event, frozen=True, kw_only=True, tag="run-started"):
    schema: str
    tool: Tool
    time: str
    """UTC, ISO 8601."""
    command: list[str]
    """The words of the command line that began it."""


class BuildStarted(Event, frozen=True, kw_only=True, tag="build-started"):
    tree: str
    toolchain: str
    lto: str
    config: str
    fragments: list[str]


class BuildProgressed(Event, frozen=True, kw_only=True, tag="build-progress"):
    """At each phase, and every few seconds while make runs."""

    phase: str
    n_objects: int
    n_expected: int | None
    current: str
    """What make does: `CC kernel/fork.o`."""


class BuildFinished(Event, frozen=True, kw_only=True, tag="build-finished"):
    verdict: str
    reason: str | None
    folder: str
    image_hash: str | None
    seconds: float
    cached: bool


class BootStarted(Event, frozen=True, kw_only=True, tag="boot-started"):
    cell: DocCellId


class BootFinished(Event, frozen=True, kw_only=True, tag="boot-verdict"):
    result: DocCell


class RunFinished(Event, frozen=True, kw_only=True, tag="run-finished"):
    verdicts: dict[str, int]
    """How many cells have each."""


AnyEvent = (
    RunStarted
    | BuildStarted
    | BuildProgressed
    | BuildFinished
    | BootStarted
    | BootFinished
    | RunFinished
)


def encode_event(event: Event) -> bytes:
    """Return the line of an event, with its newline."""
    return msgspec.json.encode(event) + b"\n"


def decode_event(line: bytes) -> AnyEvent:
    """Return the event of a line.

    :raises msgspec.MsgspecError: if it is none.
    """
    event: AnyEvent = msgspec.json.decode(line, type=AnyEvent)
    return event


def events_schema() -> dict[str, Any]:
    """Return the JSON Schema of one line."""
    schema = msgspec.json.schema(AnyEvent)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
