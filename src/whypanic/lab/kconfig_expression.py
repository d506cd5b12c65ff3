"""Expressions of kconfig: `A && (B || !C) && D = "x"`, and what they come to.

Source: Linux Documentation/kbuild/kconfig-language.rst, menu dependencies: n, m, y are 0, 1, 2; `&&` is the minimum,
`||` the maximum, `!` 2 minus it. A macro (`$(cc-option,...)`) is not run: it may be anything from n to y.
"""

import re
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import NamedTuple

_MAX_TOKENS = 400
_MAX_CHARS = 8000
_MAX_DEPTH = 40


class Range(NamedTuple):
    """The least and the greatest value that an expression can have: 0 n, 1 m, 2 y."""

    least: int
    greatest: int

    @property
    def refuses(self) -> bool:
        return self.greatest == 0

    @property
    def unknown(self) -> bool:
        return self.least == 0 < self.greatest


_ANYTHING = Range(0, 2)
_Y, _N = Range(2, 2), Range(0, 0)


class Expression(NamedTuple):
    """One node."""

    kind: str
    """and, or, not, symbol, text, macro, or the sign of a comparison."""
    parts: tuple["Expression", ...] = ()
    name: str = ""

    def __str__(self) -> str:
        if not self.parts:
            return f'"{self.name}"' if self.kind == "text" else self.name
        if self.kind == "not":
            return f"!{self._part(self.parts[0])}"
        sign = {"and": "&&", "or": "||"}.get(self.kind, self.kind)
        return f" {sign} ".join(map(self._part, self.parts))

    def _part(self, part: "Expression") -> str:
        return f"({part})" if part.kind in ("and", "or") and part.kind != self.kind else str(part)

    @property
    def terms(self) -> tuple["Expression", ...]:
        """Return what all must hold for it to hold."""
        return self.parts if self.kind == "and" else (self,)


def parse_expression(text: str) -> Expression:
    """Return the tree of an expression; what cannot be read becomes a macro, which may be anything."""
    tokens = _tokens(text[:_MAX_CHARS])
    if tokens is None or _depth(tokens) > _MAX_DEPTH:
        return Expression("macro", name=text.strip()[:200])
    parser = _Parser(tokens)
    tree = parser.either()
    return tree if parser.at_end else Expression("macro", name=text.strip()[:200])


def evaluate(expression: Expression, text_of: Callable[[str], str]) -> Range:
    """Return what it can be.

    :param text_of: value of a symbol as in a .config, without quotes; n where it has none.
    """
    kind, parts = expression.kind, expression.parts
    if kind == "symbol":
        value = {"y": 2, "m": 1}.get(_text(expression.name, text_of), 0)
        return Range(value, value)
    if kind in ("macro", "text"):
        return _ANYTHING
    if kind in ("and", "or", "not"):
        values = [evaluate(part, text_of) for part in parts]
        if kind == "not":
            return Range(2 - values[0].greatest, 2 - values[0].least)
        chosen = min if kind == "and" else max
        return Range(chosen(v.least for v in values), chosen(v.greatest for v in values))
    return _compared(kind, parts, text_of)


def _compared(sign: str, parts: tuple[Expression, ...], text_of: Callable[[str], str]) -> Range:
    if any(part.kind not in ("symbol", "text") for part in parts):
        return _ANYTHING
    left, right = (
        part.name if part.kind == "text" else _text(part.name, text_of) for part in parts
    )
    if sign in ("=", "!="):
        return _Y if (left == right) == (sign == "=") else _N
    a, b = _number(left), _number(right)
    if a is None or b is None:
        # Kconfig compares as texts what are not two numbers; a number that is not set is an empty one.
        left, right = ("" if text == "n" else text for text in (left, right))
        order = (left > right) - (left < right)
    else:
        order = (a > b) - (a < b)
    return _Y if order in {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[sign] else _N


def _text(name: str, text_of: Callable[[str], str]) -> str:
    """Return what a word is in an expression: n, m, y and numbers stand for themselves."""
    return name if name in ("n", "m", "y") or name[0].isdigit() else text_of(name)


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


@cache
def _token_pattern() -> re.Pattern[str]:
    return re.compile(r"&&|\|\||!=|<=|>=|[=<>!()]|\"[^\"]*\"|'[^']*'|\$\(|[^\s()!=<>&|\"'$]+")


def _tokens(text: str) -> list[str] | None:
    """Return the words of an expression, a macro as one; None if something in it is none."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        match = _token_pattern().match(text, at)
        if match is None or len(found) >= _MAX_TOKENS:
            return None
        end = _macro_end(text, at) if match[0] == "$(" else match.end()
        found.append(text[at:end])
        at = end
    return found


def _depth(tokens: list[str]) -> int:
    """Return how many parentheses are open at once, at most."""
    return max(accumulate((t == "(") - (t == ")") for t in tokens), default=0)


def _macro_end(text: str, begin: int) -> int:
    level = 0
    for at in range(begin, len(text)):
        level += (text[at] == "(") - (text[at] == ")")
        if level == 0 and text[at] == ")":
            return at + 1
    return len(text)


class _Parser:
    """`||` below `&&` below `!` below comparisons."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._tokens)

    def either(self) -> Expression:
        return self._several("or", "||", self._both)

    def _both(self) -> Expression:
        return self._several("and", "&&", self._one)

    def _several(self, kind: str, sign: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self._next() == sign:
            self._at += 1
            parts.append(part())
        if len(parts) == 1:
            return parts[0]
        flat = [inner for p in parts for inner in (p.parts if p.kind == kind else (p,))]
        return Expression(kind, tuple(flat))

    def _one(self) -> Expression:
        # `!` as often as it stands there, without recursion.
        n_not = 0
        while self._next() == "!":
            self._at += 1
            n_not += 1
        inner = self._compared()
        return Expression("not", (inner,)) if n_not % 2 else inner

    def _compared(self) -> Expression:
        left = self._word()
        sign = self._next()
        if sign in ("=", "!=", "<", "<=", ">", ">="):
            self._at += 1
            return Expression(sign, (left, self._word()))
        return left

    def _word(self) -> Expression:
        token = self._next()
        self._at += bool(token)
        if token == "(":
            inner = self.either()
            self._at += self._next() == ")"
            return inner
        if token.startswith("$("):
            return Expression("macro", name=token)
        if token[:1] in ("'", '"'):
            return Expression("text", name=token[1:-1])
        if not token or not (token[0].isalnum() or token[0] == "_"):
            return Expression("macro", name=token)
        return Expression("symbol", name=token)

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""
