"""Write the published JSON Schema of the documents to docs/schemas/."""

import json
from pathlib import Path

from whypanic.report.audit_document import audit_schema, domains_schema, rules_schema
from whypanic.report.disasm_document import disasm_schema
from whypanic.report.document import explain_schema
from whypanic.report.lab_document import lab_schemas
from whypanic.report.lab_events import events_schema
from whypanic.report.replay_document import replay_schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def main() -> None:
    """Write one file per document."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    schemas = {
        "audit": audit_schema(),
        "audit-domains": domains_schema(),
        "audit-rules": rules_schema(),
        "disasm": disasm_schema(),
        "explain": explain_schema(),
        **lab_schemas(),
        "lab-event": events_schema(),
        "replay": replay_schema(),
    }
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
        (FOLDER / f"whypanic.{name}-1.json").write_text(text)


if __name__ == "__main__":
    main()
