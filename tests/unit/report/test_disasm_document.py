"""The public form of a disassembly."""

import json

import msgspec
import pytest
from jsonschema import Draft202012Validator, ValidationError

from builders.el2_panics import BANNER_4_14
from builders.hyp_images import link_4_14
from builders.repository import ROOT
from builders.stage2 import stage2
from whypanic.app.disasm import disassemble
from whypanic.report.disasm_document import (
    DISASM_SCHEMA,
    DisasmDocument,
    DocFunction,
    disasm_schema,
)
from whypanic.report.document import Input, Tool, encode

PUBLISHED = ROOT / "docs" / "schemas" / "whypanic.disasm-1.json"


def document() -> DisasmDocument:
    return DisasmDocument(
        schema=DISASM_SCHEMA,
        tool=Tool(name="whypanic", version="0"),
        inputs=[Input(name="vmlinux", bytes=1, sha256="00")],
        kind="vmlinux",
        build_id=None,
        version=None,
        function=DocFunction(
            name="f", address="0x1000", size=0, section=None, domain=None, aliases=[]
        ),
        features=None,
        lines=[],
        tables=[],
        contents=[],
        notes=[],
    )


def test_published_schema_is_that_of_the_code() -> None:
    """Mend with `python tools/write_schema.py`."""
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == json.loads(
        json.dumps(disasm_schema())
    )


def test_a_document_is_valid_and_an_altered_one_is_not() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    made = disassemble(
        str(image),
        "__init_stage2_translation",
        features="Cortex-A53",
        source=None,
        say=lambda _: None,
    )
    validator = Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8")))
    data = json.loads(encode(made))
    validator.validate(data)
    data["lines"][0]["invented"] = 1
    with pytest.raises(ValidationError):
        validator.validate(data)


def test_schema_is_named_with_its_version() -> None:
    assert DISASM_SCHEMA == "whypanic.disasm/1"


def test_every_key_is_there_and_required() -> None:
    found = json.loads(encode(document()))
    assert set(found) == set(DisasmDocument.__struct_fields__)
    for name, definition in disasm_schema()["$defs"].items():
        assert definition["additionalProperties"] is False, name
        assert set(definition["required"]) == set(definition["properties"]), name


def test_keys_that_are_not_known_are_refused() -> None:
    found = json.loads(encode(document())) | {"more": 1}
    with pytest.raises(msgspec.ValidationError, match="more"):
        msgspec.json.decode(json.dumps(found), type=DisasmDocument)
