"""The schemas of the documents of `audit`."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from builders.audits import audit_document, doc_finding
from builders.repository import ROOT
from whypanic.report.audit_document import audit_schema, domains_schema, rules_schema

SCHEMAS = [audit_schema(), rules_schema(), domains_schema()]
CONTRACT_FINDING = {
    *("rule", "level", "title", "domain", "function", "offset", "link_address", "run_address"),
    *("section", "file", "line", "slice", "evidence", "fault", "cause", "remedy", "suppressed"),
}


@pytest.mark.parametrize("schema", SCHEMAS, ids=["audit", "rules", "domains"])
def test_every_key_is_required_and_no_other_is_allowed(schema: dict[str, Any]) -> None:
    for name, definition in schema["$defs"].items():
        assert set(definition["required"]) == set(definition["properties"]), name
        assert definition["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "schema"), list(zip(("audit", "audit-rules", "audit-domains"), SCHEMAS, strict=True))
)
def test_published_schema_is_the_one_of_the_program(name: str, schema: dict[str, Any]) -> None:
    """Mend with `python tools/write_schema.py`."""
    path = ROOT / "docs" / "schemas" / f"whypanic.{name}-1.json"
    assert json.loads(path.read_text(encoding="utf-8")) == schema


def test_document_is_of_its_schema() -> None:
    document = audit_document(doc_finding(), doc_finding(function=None, fault=None, slice=[]))
    jsonschema.validate(msgspec.to_builtins(document), audit_schema())


def test_keys_of_the_contract() -> None:
    made = msgspec.to_builtins(audit_document(doc_finding()))
    assert set(made) == {"schema", "tool", "inputs", "images", "findings", "notes"}
    (image,), (found,) = made["images"], made["findings"]
    assert {"input", "kind", "version", "compiler", "linker", "build_id", "domains"} == set(image)
    assert {"id", "title", "sections", "link", "runs_at", "mapped_with"} <= set(image["domains"][0])
    assert set(found) >= CONTRACT_FINDING
    assert set(found["slice"][0]) == {"address", "word", "text", "source"}
    assert set(found["evidence"][0]) == {"text", "address"}
    assert set(found["fault"]) == {"ec", "fsc", "far_region"}
