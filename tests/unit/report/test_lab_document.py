"""The schemas of the documents of `lab`."""

import json
from typing import Any

import pytest

from builders.repository import ROOT
from whypanic.report.lab_document import lab_schemas

CONTRACT_CELL = {
    *("cell", "verdict", "proved_mode", "guest", "seconds", "image_hash", "compiler", "linker"),
    *("diagnosis", "artifacts"),
}
CONTRACT_ID = {"tree", "ref", "toolchain", "lto", "config", "mode"}
SCHEMAS = list(lab_schemas().items())


@pytest.mark.parametrize(("name", "schema"), SCHEMAS)
def test_every_key_is_required_and_no_other_is_allowed(name: str, schema: dict[str, Any]) -> None:
    for definition in schema["$defs"].values():
        assert set(definition["required"]) == set(definition["properties"]), name
        assert definition["additionalProperties"] is False


@pytest.mark.parametrize(("name", "schema"), SCHEMAS)
def test_published_schema_is_the_one_of_the_program(name: str, schema: dict[str, Any]) -> None:
    """Mend with `python tools/write_schema.py`."""
    path = ROOT / "docs" / "schemas" / f"whypanic.{name}-1.json"
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(schema))


def test_a_cell_has_what_the_contract_names() -> None:
    definitions = lab_schemas()["lab-boot"]["$defs"]
    assert set(definitions["DocCell"]["properties"]) >= CONTRACT_CELL
    assert set(definitions["DocCellId"]["properties"]) >= CONTRACT_ID
    assert {"passed", "failed", "skipped"} <= set(definitions["DocGuest"]["properties"])
