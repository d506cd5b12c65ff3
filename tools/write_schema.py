"""Write the published JSON Schema of the documents to docs/schemas/."""

import json
from pathlib import Path

from whypanic.report.document import explain_schema
from whypanic.report.replay_document import replay_schema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def main() -> None:
    """Write one file per document."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in (("explain", explain_schema()), ("replay", replay_schema())):
        text = json.dumps(schema, indent=2, sort_keys=True) + "\n"
        (FOLDER / f"whypanic.{name}-1.json").write_text(text)


if __name__ == "__main__":
    main()
