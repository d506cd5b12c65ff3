"""Events: a line each, told apart by one word."""

import json

import jsonschema
import msgspec
import pytest

from builders.repository import ROOT
from whypanic.report.lab_events import (
    AnyEvent,
    BuildProgressed,
    RunFinished,
    decode_event,
    encode_event,
    events_schema,
)

EVENTS: list[AnyEvent] = [
    RunFinished(at_s=1.5, verdicts={"ok": 2}),
    BuildProgressed(at_s=0.25, phase="compile", n_objects=3, n_expected=None, current="CC a.o"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_line_and_back(event: AnyEvent) -> None:
    line = encode_event(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_event(line) == event
    jsonschema.validate(json.loads(line), events_schema())


def test_the_word_comes_first() -> None:
    assert encode_event(EVENTS[0]).startswith(b'{"event":"run-finished","at_s":1.5,')


def test_what_is_no_event() -> None:
    for line in (b"", b"{}", b'{"event":"quux","at_s":1}'):
        with pytest.raises(msgspec.MsgspecError):
            decode_event(line)


def test_published_schema_is_the_one_of_the_program() -> None:
    """Mend with `python tools/write_schema.py`."""
    path = ROOT / "docs" / "schemas" / "whypanic.lab-event-1.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(events_schema()))
