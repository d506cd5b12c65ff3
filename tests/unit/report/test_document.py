"""The published schema and the form of the document."""

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from builders.repository import ROOT
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.report.document import (
    ExplainDocument,
    Unreadable,
    encode,
    explain_schema,
    hexadecimal,
)

PUBLISHED = ROOT / "docs" / "schemas" / "whypanic.explain-1.json"
EXAMPLE = ROOT / "examples" / "2017-juno-hyp-panic.txt"


def document() -> ExplainDocument:
    return build_document(
        [explain_input(RawInput("mail", EXAMPLE.read_bytes()))],
        [Unreadable(name="gone", reason="no such file or directory")],
    )


def test_the_published_schema_is_the_one_in_force() -> None:
    """Mend with `python tools/write_schema.py`."""
    assert json.loads(PUBLISHED.read_text()) == json.loads(json.dumps(explain_schema()))


def test_a_document_is_valid_and_an_altered_one_is_not() -> None:
    validator = Draft202012Validator(json.loads(PUBLISHED.read_text()))
    data = json.loads(encode(document()))
    validator.validate(data)
    data["reports"][0]["invented"] = 1
    with pytest.raises(ValidationError):
        validator.validate(data)


def test_every_key_is_there() -> None:
    validator = json.loads(PUBLISHED.read_text())
    for name, definition in validator["$defs"].items():
        assert set(definition.get("required", [])) == set(definition["properties"]), name


def test_encode_ends_with_a_newline_and_reads_back() -> None:
    data = encode(document())
    assert data.endswith(b"}\n")
    assert msgspec.json.decode(data, type=ExplainDocument) == document()


def test_hexadecimal() -> None:
    assert hexadecimal(0x86000004) == "0x86000004"
    assert hexadecimal(0) == "0x0"
