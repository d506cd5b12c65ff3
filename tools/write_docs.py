"""Write docs/causes/, docs/kinds/ and docs/rules/: a page for every cause, kind of report and rule of the audit.

A cause's page comes from the docstring of its rule file, its declaration and the first case in which it holds; a
kind's page from `kind_words` and the declared causes; a rule's from its docstring and declaration.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
for folder in (ROOT / "src", ROOT):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from tools.kind_words import TABLE, KindWords  # noqa: E402

from whypanic.audit.api import Rule  # noqa: E402
from whypanic.audit.engine import declared_rules  # noqa: E402
from whypanic.audit.rule_text import rule_text as text_of_rule  # noqa: E402
from whypanic.audit.rule_text import single_sources  # noqa: E402
from whypanic.causes.api import Cause  # noqa: E402
from whypanic.causes.engine import declared_causes  # noqa: E402
from whypanic.crashlog.titles import WORDS  # noqa: E402

LABELS = (
    "Stated by",
    "Supported by",
    "Consistent with",
    "Refuted by",
    "Sources",
    "From memory",
)
_MEANINGS = {
    "Stated by": "the kernel's own words say it: `proven`",
    "Supported by": "fits this and not its rivals: `supported`",
    "Consistent with": "fits rivals too: `possible`",
    "Refuted by": "a necessary consequence is contradicted: `refuted`",
}
_CASE = re.compile(
    r"^## (?P<name>.+?)\n(?P<prose>.*?)^```log\n(?P<log>.*?)^```\n+"
    r"(?:```lab\n(?P<lab>.*?)^```\n+)?```report\n(?P<report>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
_HELD = "PROVEN|SUPPORTED|POSSIBLE"
_DOMAINS = {
    "*": "every domain whose code runs elsewhere than at its link address",
    "own": "domains of your own",
}
_FOLDERS = ("causes", "kinds", "rules")
GENERATED = "<!-- Written by `make docs`; edit the rule, its cases, or tools/kind_words.py. -->"


class RuleText(NamedTuple):
    """The docstring of a rule file, taken apart."""

    claim: str
    prose: str
    parts: dict[str, str]
    """By label, each one paragraph."""


class Case(NamedTuple):
    """One case of a case file."""

    name: str
    prose: str
    log: str
    lab: str | None
    """What was measured of the boot, where the log is a console of the lab's."""
    report: str


def read_docstring(text: str) -> RuleText:
    """Return claim, prose and labelled paragraphs of a rule's docstring.

    :raises ValueError: if a label stands there twice or the claim is missing.
    """
    claim: list[str] = []
    prose: list[str] = []
    parts: dict[str, list[str]] = {}
    into = claim
    for line in text.splitlines():
        label, colon, rest = line.partition(": ")
        if colon and label in LABELS:
            if label in parts:
                message = f"`{label}` stands there twice"
                raise ValueError(message)
            into = parts.setdefault(label, [])
            into.append(rest.strip())
        elif line.strip():
            into.append(line.strip())
        elif into is claim and claim:
            into = prose
    if not claim:
        message = "the claim is missing"
        raise ValueError(message)
    joined = {label: " ".join(lines) for label, lines in parts.items()}
    return RuleText(" ".join(claim), " ".join(prose), joined)


def rule_text(cause: Cause) -> RuleText:
    """Return what the rule file of a cause says of it."""
    name = cause.module.rpartition(".")[2]
    path = ROOT / "src" / "whypanic" / "causes" / "rules" / f"{name}.py"
    return read_docstring(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")


def first_case(cause_id: str) -> Case | None:
    """Return the first case in which the cause holds; None where there is none."""
    path = ROOT / "tests" / "cases" / f"{cause_id}.md"
    if not path.exists():
        return None
    held = re.compile(rf"^{re.escape(cause_id)} +(?:{_HELD})$", re.MULTILINE)
    for match in _CASE.finditer(path.read_text(encoding="utf-8")):
        if held.search(match["report"]):
            return Case(
                match["name"], match["prose"].strip(), match["log"], match["lab"], match["report"]
            )
    return None


def cause_page(cause: Cause) -> str:
    """Return the page of one cause."""
    text, case = rule_text(cause), first_case(cause.id)
    lines = [GENERATED, f"# {cause.id}", "", _plain(text.claim), ""]
    if text.prose:
        lines += [_plain(text.prose), ""]
    lines += ["## Evidence", "", "| sense | evidence |", "|---|---|"]
    for label, meaning in _MEANINGS.items():
        if label in text.parts:
            lines.append(f"| {label.lower()} ({meaning}) | {_plain(text.parts[label])} |")
    lines += ["", f"In reports it is called: {_plain(cause.title)}."]
    needs = ", ".join(f"`{fact.__name__}`" for fact in cause.needs)
    if needs:
        lines += ["", f"Not evaluated without: {needs}."]
    names = sorted(kind.value for kind in cause.kinds)
    kinds = ", ".join(f"[{name}](../kinds/{name}.md)" for name in names)
    lines += ["", f"Considered for: {kinds}."]
    if case is not None:
        lines += ["", f"## Example: {case.name}", ""]
        lines += [case.prose, ""] if case.prose else []
        lines += ["```text", case.log.rstrip(), "```", ""]
        if case.lab is not None:
            lines += ["What was measured:", "", "```toml", case.lab.rstrip(), "```", ""]
        lines += ["What is said of it:", ""]
        lines += ["```text", case.report.rstrip(), "```"]
        lines += ["", f"More in [its cases](../../tests/cases/{cause.id}.md)."]
    lines += ["", "## Sources", ""]
    lines += [f"- {_plain(item)}" for item in single_sources(text.parts.get("Sources", ""))]
    remembered = single_sources(text.parts.get("From memory", ""))
    lines += [f"- {_plain(item)} *(from memory)*" for item in remembered]
    return "\n".join(lines) + "\n"


def kind_page(row: KindWords, causes: Sequence[Cause]) -> str:
    """Return the page of one kind of report."""
    lines = [GENERATED, f"# {row.kind.value}", "", _plain(row.meaning), ""]
    if row.samples:
        lines += ["## The kernel's words", "", "In this form; names and numbers are invented.", ""]
        lines += ["```text", "\n\n".join(row.samples), "```", ""]
    able = sorted((c for c in causes if row.kind in c.kinds), key=lambda c: (-c.specificity, c.id))
    lines += ["## What can explain it", ""]
    if not able:
        lines += ["No cause has a rule for it yet.", ""]
    else:
        lines += ["The more a mechanism says, the higher it stands.", "", "| cause | claim |"]
        lines.append("|---|---|")
        lines += [f"| [{c.id}](../causes/{c.id}.md) | {_plain(rule_text(c).claim)} |" for c in able]
        lines.append("")
    lines += [f"In titles it is called: {WORDS[row.kind]}."]
    return "\n".join(lines) + "\n"


def causes_index(causes: Sequence[Cause]) -> str:
    """Return the index of the causes."""
    lines = [GENERATED, "# Causes", "", "What the machine did and why, one page each.", ""]
    lines += ["Files under `Sources` are Linux 6.12's where no other version is named.", ""]
    lines += ["| cause | claim |", "|---|---|"]
    lines += [f"| [{c.id}]({c.id}.md) | {_plain(rule_text(c).claim)} |" for c in causes]
    return "\n".join(lines) + "\n"


def kinds_index(rows: Sequence[KindWords]) -> str:
    """Return the index of the kinds."""
    lines = [GENERATED, "# Kinds of report", "", "What the kernel said, one page each.", ""]
    lines += ["| kind | meaning |", "|---|---|"]
    lines += [f"| [{r.kind.value}]({r.kind.value}.md) | {_plain(r.meaning)} |" for r in rows]
    return "\n".join(lines) + "\n"


def rule_page(rule: Rule) -> str:
    """Return the page of one rule of the audit."""
    text = text_of_rule(rule)
    lines = [GENERATED, f"# {rule.id}", "", _prose(text.finds), "", f"Number {rule.number}. "]
    domains = ", ".join(f"`{n}`" for n in rule.domains if n not in _DOMAINS)
    others = " and ".join(words for name, words in _DOMAINS.items() if name in rule.domains)
    lines[-1] += (
        f"Looks at [domains](../domains.md): {', '.join(p for p in (domains, others) if p)}."
    )
    lines += ["", "## Why it breaks", "", _prose(text.why), ""]
    lines += ["## Example", "", "```asm", text.example, "```", ""]
    lines += ["## False positives", "", _prose(text.false_positives), "", "## Sources", ""]
    lines += [f"- {_plain(item)}" for item in text.sources]
    lines += [f"- {_plain(item)} *(from memory)*" for item in text.from_memory]
    return "\n".join(lines) + "\n"


def rules_index(rules: Sequence[Rule]) -> str:
    """Return the index of the rules of the audit."""
    lines = [GENERATED, "# Rules of the audit", ""]
    lines += ["What `whypanic audit` looks for in an image, one page each.", ""]
    lines += ["| number | rule | finds |", "|---|---|---|"]
    for rule in rules:
        finds = text_of_rule(rule).finds.partition("\n\n")[0]
        lines.append(f"| {rule.number} | [{rule.id}]({rule.id}.md) | {_plain(finds)} |")
    return "\n".join(lines) + "\n"


def _prose(text: str) -> str:
    return _plain(text[:1].upper() + text[1:])


def pages() -> Iterator[tuple[Path, str]]:
    """Yield path, relative to the repository, and text of every generated page."""
    causes = sorted(declared_causes(), key=lambda cause: cause.id)
    folder = Path("docs") / "causes"
    yield folder / "README.md", causes_index(causes)
    for cause in causes:
        yield folder / f"{cause.id}.md", cause_page(cause)
    folder = Path("docs") / "kinds"
    yield folder / "README.md", kinds_index(TABLE)
    for row in TABLE:
        yield folder / f"{row.kind.value}.md", kind_page(row, causes)
    rules = declared_rules()
    folder = Path("docs") / "rules"
    yield folder / "README.md", rules_index(rules)
    for rule in rules:
        yield folder / f"{rule.id}.md", rule_page(rule)


def write_pages(root: Path) -> tuple[int, int]:
    """Write the pages under `root`, take away those of what is no more, and return how many of each."""
    known = {root / path: text for path, text in pages()}
    for path, text in known.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    stale = [p for folder in _FOLDERS for p in (root / "docs" / folder).glob("*.md")]
    stale = [path for path in stale if path not in known]
    for path in stale:
        path.unlink()
    return len(known), len(stale)


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, code spans kept, fit for a table."""
    spans = text.split("`")
    spans[::2] = [re.sub(r"([_*<>\[\]])", r"\\\1", span) for span in spans[::2]]
    return "`".join(spans).replace("|", "\\|")


def main() -> None:
    """Write all pages and say how many."""
    n_written, n_removed = write_pages(ROOT)
    print(f"wrote {n_written} pages, removed {n_removed}")


if __name__ == "__main__":
    main()
