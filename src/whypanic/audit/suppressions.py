"""Findings that a user has looked at and accepts: a file with a line for each.

    # rule                    where                 why
    R03                       some_vector_table     # filled in by hand before the MMU is on
    absolute-literal          foo+0x30              # read with the MMU off, at its link address by design

`where` is a function, an object or a section, as a finding names it; with an offset it is that place alone. The reason
is mandatory. Compilers' suffixes need not be given: `foo` is `foo.isra.0` too.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from whypanic.model.errors import InputError

_LINE = re.compile(
    r"(?P<rule>[A-Za-z0-9-]+)\s+(?P<name>[^\s#+]+)(?:\+(?P<offset>0x[0-9a-fA-F]{1,16}|\d{1,19}))?"
    r"\s*(?:#(?P<reason>.*))?"
)
_HINT = "write `rule function-or-symbol[+0xOFFSET] # reason`, one a line"
MAX_SUPPRESSIONS = 100_000


class Suppression(NamedTuple):
    """One accepted finding, or all of a rule in one function."""

    rule: str
    """Id of the rule."""
    name: str
    offset: int | None
    """None: anywhere in it."""
    reason: str
    line: int
    """1-based, in the file."""

    @property
    def words(self) -> str:
        place = self.name if self.offset is None else f"{self.name}+{self.offset:#x}"
        return f"{self.rule} {place}"


def read_suppressions(text: str, name: str, rules: Mapping[str, str]) -> tuple[Suppression, ...]:
    """Return the entries of a file.

    :param name: of the file, for messages.
    :param rules: id of a rule by what it may be called: its id, its number.
    :raises InputError: for a line that is none, a rule that is not known, a missing reason.
    """
    found: list[Suppression] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if len(found) >= MAX_SUPPRESSIONS:
            message = f"more than {MAX_SUPPRESSIONS} entries"
            raise InputError(message, path=name)
        match = _LINE.fullmatch(line.strip())
        if match is None:
            message = f"line {number} is no suppression: `{line.strip()[:80]}`"
            raise InputError(message, path=name, hints=(_HINT,))
        rule = rules.get(match["rule"])
        if rule is None:
            message = f"line {number}: no rule `{match['rule']}`"
            raise InputError(
                message, path=name, hints=("`whypanic audit --list-rules` lists them",)
            )
        reason = (match["reason"] or "").strip()
        if not reason:
            message = f"line {number}: `{line.strip()[:80]}` has no reason"
            raise InputError(message, path=name, hints=(_HINT,))
        offset = None if match["offset"] is None else int(match["offset"], 0)
        found.append(Suppression(rule, match["name"], offset, reason, number))
    return tuple(found)


class Suppressions:
    """The entries of a file, found by rule and name; remembers which were of use."""

    def __init__(self, entries: Iterable[Suppression] = ()) -> None:
        self._by_key: dict[tuple[str, str], list[Suppression]] = {}
        self._unused: dict[Suppression, None] = {}
        for entry in entries:
            self._by_key.setdefault((entry.rule, entry.name), []).append(entry)
            self._unused[entry] = None

    def match(self, rule: str, names: Iterable[str], offset: int | None) -> Suppression | None:
        """Return the first entry for a finding.

        :param names: what the place is called; the offset counts from the first symbol among them.
        """
        found = None
        for name in names:
            for entry in self._by_key.get((rule, name), ()):
                if entry.offset is None or entry.offset == offset:
                    self._unused.pop(entry, None)
                    found = found or entry
        return found

    def unused(self, rules: Collection[str]) -> tuple[Suppression, ...]:
        """Return the entries that matched nothing, of the rules that ran."""
        return tuple(entry for entry in self._unused if entry.rule in rules)
