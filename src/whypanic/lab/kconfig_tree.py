"""Kconfig files of a tree, as far as it takes to say which dependency refused an option.

Source: Linux Documentation/kbuild/kconfig-language.rst. Values come from the final .config, where an option that is not
visible is n.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from whypanic.lab.kconfig_expression import Expression, Range, evaluate, parse_expression

NO_SUCH_OPTION = "this tree has no such option for arm64"
_MAX_FILES = 5000
_MAX_NESTED_FILES = 60
_MAX_BYTES = 2 << 20
_MAX_DEPTH = 6
_TYPES = ("bool", "boolean", "tristate", "string", "int", "hex")
_CLOSERS = {"endmenu": "menu", "endchoice": "choice", "endif": "if"}
_SOURCES = ("source", "osource", "rsource", "orsource")


class Definition(NamedTuple):
    """One place where a symbol is defined."""

    place: str
    """`arch/Kconfig:694`"""
    kind: str
    """bool, tristate, string, int, hex; empty where this place adds to another."""
    prompt: bool
    prompt_if: str
    depends: tuple[str, ...]
    """Its own, and those of the menus, choices and ifs around it: all of them must hold."""
    choice: int | None
    """Number of the choice that it belongs to."""


class _Scope(NamedTuple):
    """A menu, choice or if that is open."""

    word: str
    depends: list[str]
    choice: int | None


class _Draft:
    """A definition that is being read; a menu's or choice's has no name."""

    def __init__(self, name: str, place: str, scopes: Sequence[_Scope]) -> None:
        self.name, self.place = name, place
        self.around = tuple(term for scope in scopes for term in scope.depends)
        self.choice = next((s.choice for s in reversed(scopes) if s.choice is not None), None)
        self.kind, self.prompt, self.prompt_if = "", False, ""
        self.depends: list[str] = []


class KconfigTree:
    """The symbols of a tree beside the .config that came of them."""

    def __init__(self, folder: Path, final: Mapping[str, str], *, arch: str = "arm64") -> None:
        self._folder, self._final, self._arch = folder, final, arch
        self.symbols: dict[str, list[Definition]] = {}
        self.selects: dict[str, list[tuple[str, str]]] = {}
        """Of a symbol: who selects it, and under which condition."""
        self._n_files = self._n_choices = 0
        self._read("Kconfig", [], 0)

    def why(self, name: str, wanted: str, got: str) -> str:
        """Return why an option did not become what was asked, in one line; empty where nothing tells."""
        symbol = name.removeprefix("CONFIG_")
        definitions = self.symbols.get(symbol)
        if not definitions:
            return NO_SUCH_OPTION
        if wanted == "n" or (wanted == "m" and got == "y"):
            return self._forced(symbol, definitions, wanted)
        refused = [self._refusal(definition.depends) for definition in definitions]
        if all(refused):
            return refused[0]
        asked = [definition for definition in definitions if definition.prompt]
        if not asked:
            who = [selector for selector, _ in self.selects.get(symbol, ())]
            by = f", it is selected by {_listed(who)}" if who else ""
            return f"nobody can choose it{by}"
        hidden = [self._refusal((definition.prompt_if,)) for definition in asked]
        if all(hidden):
            return hidden[0].replace("depends on", "can be chosen only with", 1)
        if (taken := self._taken(definitions)) is not None:
            return chosen_instead(taken)
        doubts = [self._refusal(d.depends, doubtful=True) for d in definitions]
        return doubts[0] if all(doubts) else ""

    def _text_of(self, symbol: str) -> str:
        return self._final.get(f"CONFIG_{symbol}", "n").strip('"')

    def _value(self, expression: Expression | str) -> Range:
        if isinstance(expression, str):
            if not expression:
                return Range(2, 2)
            expression = parse_expression(expression)
        return evaluate(expression, self._text_of)

    def _forced(self, symbol: str, definitions: list[Definition], wanted: str) -> str:
        for selector, condition in self.selects.get(symbol, ()):
            if self._text_of(selector) != "n" and not self._value(condition).refuses:
                return f"{selector} selects it"
        if not any(d.prompt and not self._value(d.prompt_if).refuses for d in definitions):
            return "nobody can choose it, it follows from other options"
        if any(definition.choice is not None for definition in definitions):
            return "its choice takes it where no other member is chosen"
        if wanted == "m" and not any(definition.kind == "tristate" for definition in definitions):
            return "it cannot be a module"
        return ""

    def _taken(self, definitions: list[Definition]) -> str | None:
        """Return the member that a choice took in the place of this one."""
        choices = {d.choice for d in definitions if d.choice is not None}
        return next(
            (
                name
                for name, others in self.symbols.items()
                if any(d.choice in choices for d in others) and self._text_of(name) == "y"
            ),
            None,
        )

    def _refusal(self, depends: Sequence[str], *, depth: int = 0, doubtful: bool = False) -> str:
        """Return `depends on ...` for the first term that does not hold, and why; empty if all hold.

        :param doubtful: terms with macros, which only the compiler can tell, count as not holding.
        """
        for expression in filter(None, depends):
            for term in parse_expression(expression).terms:
                value = self._value(term)
                if value.refuses:
                    return f"depends on {term}{self._deeper(term, depth)}"
                if doubtful and value.unknown:
                    return f"depends on {term}, which the compiler and linker tell"
        return ""

    def _deeper(self, term: Expression, depth: int) -> str:
        """Return what more is to say of a term that does not hold."""
        if term.kind == "not" and term.parts[0].kind == "symbol":
            return f", and {term.parts[0]} is {self._text_of(term.parts[0].name)}"
        if term.kind != "symbol" or depth >= _MAX_DEPTH:
            return ", which does not hold"
        definitions = self.symbols.get(term.name)
        if not definitions:
            return ", which this tree does not have for arm64"
        for doubtful in (False, True):
            refused = [
                self._refusal(d.depends, depth=depth + 1, doubtful=doubtful) for d in definitions
            ]
            if all(refused):
                return f", which {refused[0]}"
        return ", which is n"

    def _read(self, name: str, scopes: list[_Scope], depth: int) -> None:
        """Read one file into `symbols` and `selects`; one that is not there has none."""
        if self._n_files >= _MAX_FILES or depth > _MAX_NESTED_FILES:
            return
        self._n_files += 1
        try:
            with (self._folder / name).open("rb") as file:
                text = file.read(_MAX_BYTES).decode(errors="replace")
        except OSError:
            return
        draft: _Draft | None = None
        for number, line in _logical_lines(text):
            word, _, rest = line.replace("\t", " ").partition(" ")
            rest, place = rest.strip(), f"{name}:{number}"
            if word in ("config", "menuconfig"):
                self._finish(draft)
                draft = _Draft(rest, place, scopes)
            elif word in _SOURCES or word in _CLOSERS or word in ("comment", "mainmenu"):
                self._finish(draft)
                draft = None
                if word in _SOURCES:
                    self._source(name, word, rest, scopes, depth)
                elif scopes and scopes[-1].word == _CLOSERS.get(word):
                    scopes.pop()
            elif word in ("menu", "choice", "if"):
                self._finish(draft)
                self._n_choices += word == "choice"
                choice = self._n_choices if word == "choice" else None
                scopes.append(_Scope(word, [rest] if word == "if" else [], choice))
                draft = None if word == "if" else _Draft("", place, scopes)
            elif draft is not None:
                self._attribute(draft, word, rest, scopes)
        self._finish(draft)

    def _attribute(self, draft: _Draft, word: str, rest: str, scopes: list[_Scope]) -> None:
        if word == "depends":
            term = rest.removeprefix("on").strip()
            (draft.depends if draft.name else scopes[-1].depends).append(term)
        elif word in _TYPES or word == "prompt":
            if word != "prompt":
                draft.kind = word
            if rest[:1] in ("'", '"'):
                draft.prompt = True
                condition = rest.rpartition(rest[0])[2].strip()
                draft.prompt_if = condition.removeprefix("if").strip()
        elif word.startswith("def_"):
            draft.kind = word.removeprefix("def_")
        elif word == "select" and draft.name:
            symbol, _, condition = rest.partition(" if ")
            self.selects.setdefault(symbol.strip(), []).append((draft.name, condition.strip()))

    def _finish(self, draft: _Draft | None) -> None:
        if draft is not None and draft.name:
            depends = (*draft.around, *draft.depends)
            self.symbols.setdefault(draft.name, []).append(
                Definition(
                    draft.place, draft.kind, draft.prompt, draft.prompt_if, depends, draft.choice
                )
            )

    def _source(self, name: str, word: str, rest: str, scopes: list[_Scope], depth: int) -> None:
        path = rest.strip("\"'")
        for variable in ("$(SRCARCH)", "$(ARCH)", "$SRCARCH"):
            path = path.replace(variable, self._arch)
        if "$" in path or path.startswith("/") or ".." in path.split("/"):
            return
        if word in ("rsource", "orsource"):
            path = str(Path(name).parent / path)
        self._read(path, scopes, depth + 1)


def chosen_instead(symbol: str) -> str:
    """Return the reason of an option whose choice has another member."""
    return f"its choice took {symbol}"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(set(names))[:4])
    return shown if len(set(names)) <= 4 else f"{shown} and others"


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers: continued ones joined, without comments and help texts."""
    in_help, help_indent = False, 0
    joined, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.expandtabs(8)
        if in_help:
            indent = len(line) - len(line.lstrip())
            # The first line of a help text sets its indent; what stands further left ends it.
            help_indent = help_indent or (indent if line.strip() else 0)
            if not line.strip() or indent >= max(help_indent, 1):
                continue
            in_help = False
        first = first if joined else number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        whole, joined = (joined + line).strip(), ""
        if whole in ("help", "---help---"):
            in_help, help_indent = True, 0
        elif whole and not whole.startswith("#"):
            yield first, _without_comment(whole)


def _without_comment(line: str) -> str:
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char == "#":
            return line[:at].rstrip()
    return line
