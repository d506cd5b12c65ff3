"""Write the two files of a new cause: `causes/rules/<name>.py` and `tests/cases/<id>.md`."""

import argparse
import re
import sys
from pathlib import Path

_RULE = '''\
"""{Title}.

Supported by: FILL IN, the facts that tell it from its rivals.
Refuted by: FILL IN, what cannot be if this was the cause.
Sources: FILL IN, Linux <file> (<function>), what you opened; commit <12 hex> ("subject") (in vX.Y).
From memory: FILL IN or leave out, Arm ARM DDI 0487 <issue>, <register>, what you did not open.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.model.claims import NextStep, Remedy, Statements, refutes, supports
from whypanic.model.fault import FaultAddress
from whypanic.model.kinds import Kind


@cause(
    id="{id}",
    title="{title}",
    kinds=frozenset({{Kind.PAGING_REQUEST}}),  # FILL IN
    needs=(FaultAddress,),  # FILL IN
)
def {name}(case: CaseView) -> Statements:
    """Yield what the facts say for and against {title}."""
    far = case.one(FaultAddress)
    if far.va == 0xF111_1111:  # FILL IN
        yield supports(f"FAR is `{{far.va:#x}}`, FILL IN", far)
        yield Remedy(text="FILL IN what helps, or leave it out")
        yield NextStep(text="FILL IN what would settle it, or leave it out")
    else:
        yield refutes(f"FAR is `{{far.va:#x}}`, FILL IN", far)
'''

_CASE = """\
# {id}

{Title}. FILL IN one paragraph: how the machine gets there, and what the kernel prints.

## FILL IN what holds, in words that name the cause

FILL IN why this text supports it.

```log
[   12.345678] FILL IN: invented lines, no more than the case is about
```

```report
{id}  SUPPORTED
```

## FILL IN what does not hold, in words that name the fact against it

FILL IN why the same header is another story here.

```log
[   12.345678] FILL IN
```

```report
{id}  REFUTED
```
"""


def write_cause(root: Path, cause_id: str, title: str) -> tuple[Path, Path]:
    """Write the rule and the case of a cause under `root` and return their paths.

    :raises ValueError: if the id is not kebab-case or one of the files is there already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", cause_id):
        message = f"not an id in kebab-case of two words or more: `{cause_id}`"
        raise ValueError(message)
    name = cause_id.replace("-", "_")
    rule = root / "src" / "whypanic" / "causes" / "rules" / f"{name}.py"
    case = root / "tests" / "cases" / f"{cause_id}.md"
    for path in (rule, case):
        if path.exists():
            message = f"exists already: `{path}`"
            raise ValueError(message)
    words = {"id": cause_id, "name": name, "title": title, "Title": title[:1].upper() + title[1:]}
    for path, template in ((rule, _RULE), (case, _CASE)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(template.format(**words), encoding="utf-8")
    return rule, case


def main() -> int:
    """Run as a program; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--id", required=True, help="kebab-case, e.g. `freed-mapping`")
    parser.add_argument("--title", default="", help="what the machine did, a few words")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    title = arguments.title or arguments.id.replace("-", " ")
    try:
        written = write_cause(root, arguments.id, title)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"wrote {path.relative_to(root)}")
    vocabulary = (root / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    if f"`{arguments.id}`" not in vocabulary:
        print("next: add its row to docs/vocabulary.md")
    print("next: replace every FILL IN; CONTRIBUTING.md says how")
    return 0


if __name__ == "__main__":
    sys.exit(main())
