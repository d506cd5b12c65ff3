"""What the docstring of a rule's module says: the documentation that every form of output takes its words from."""

import sys
from collections.abc import Iterator
from textwrap import dedent
from typing import NamedTuple

from whypanic.audit.api import Rule

WHY, EXAMPLE, FALSE_POSITIVES, SOURCES, FROM_MEMORY = (
    "Why it breaks",
    "Example",
    "False positives",
    "Sources",
    "From memory",
)
LABELS = (WHY, EXAMPLE, FALSE_POSITIVES, SOURCES, FROM_MEMORY)
"""In the order of the docstring. The first paragraph has none: what the rule finds."""


class RuleText(NamedTuple):
    """The docstring of a rule's module, taken apart."""

    finds: str
    """What it finds; paragraphs parted by an empty line."""
    parts: dict[str, str]
    """Text by label: one line a paragraph, but the example as it stands."""

    @property
    def why(self) -> str:
        return self.parts.get(WHY, "")

    @property
    def example(self) -> str:
        return self.parts.get(EXAMPLE, "")

    @property
    def false_positives(self) -> str:
        return self.parts.get(FALSE_POSITIVES, "")

    @property
    def sources(self) -> tuple[str, ...]:
        return single_sources(self.parts.get(SOURCES, ""))

    @property
    def from_memory(self) -> tuple[str, ...]:
        return single_sources(self.parts.get(FROM_MEMORY, ""))

    @property
    def missing(self) -> tuple[str, ...]:
        """Parts that every rule must have and this one has not; one of the two kinds of sources does."""
        wanted = [label for label in (WHY, EXAMPLE, FALSE_POSITIVES) if not self.parts.get(label)]
        if not self.finds:
            wanted.insert(0, "what it finds")
        if not self.parts.get(SOURCES) and not self.parts.get(FROM_MEMORY):
            wanted.append(SOURCES)
        return tuple(wanted)


def rule_text(rule: Rule) -> RuleText:
    """Return the documentation of a declared rule; empty parts where its module has no docstring."""
    module = sys.modules.get(rule.module)
    return read_rule_text((module.__doc__ if module is not None else None) or "")


def read_rule_text(docstring: str) -> RuleText:
    """Return the parts of a docstring. A label that stands there twice continues its part."""
    found: dict[str, list[str]] = {}
    for label, line in _labelled(docstring):
        found.setdefault(label, []).append(line)
    parts = {
        label: _verbatim(lines) if label == EXAMPLE else _paragraphs(lines)
        for label, lines in found.items()
    }
    return RuleText(parts.pop("", ""), {label: parts[label] for label in LABELS if label in parts})


def _labelled(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield each line with the label of its part; empty before the first label."""
    first, newline, rest = docstring.partition("\n")
    label = ""
    for line in f"{first.strip()}{newline}{dedent(rest)}".splitlines():
        begins = next((each for each in LABELS if line.startswith(f"{each}:")), None)
        if begins is None:
            yield label, line
            continue
        label = begins
        yield label, line[len(label) + 1 :].strip()


def _paragraphs(lines: list[str]) -> str:
    blocks = "\n".join(line.strip() for line in lines).split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks if block.strip())


def _verbatim(lines: list[str]) -> str:
    head, rest = lines[0], dedent("\n".join(lines[1:])).strip("\n").rstrip()
    return "\n".join(part for part in (head, rest) if part)


def single_sources(text: str) -> tuple[str, ...]:
    """Return the single sources of a paragraph: between semicolons outside brackets."""
    found, depth = [""], 0
    for letter in text.rstrip("."):
        depth += (letter == "(") - (letter == ")")
        if letter == ";" and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return tuple(item.strip() for item in found if item.strip())
