"""The machinery of recognisers, and properties of all their tables."""

import pytest

from whypanic.crashlog import recognise
from whypanic.crashlog.headlines import TABLE
from whypanic.crashlog.sections import boot, endings, hyp, misc, trace
from whypanic.crashlog.sections.rule import (
    MAX_TEXT,
    Rule,
    compiled,
    expand,
    first_match,
    hex_digits,
    number,
    optional_int,
    read_ref,
    ref_of,
)

_RULES: list[Rule] = [
    *recognise._BEFORE_HEADLINES,
    *recognise._AFTER_HEADLINES,
    *endings.PANIC,
    *trace.ALWAYS,
    *trace.INSIDE,
]


def test_macros_are_expanded() -> None:
    assert "{" not in expand("{FUNC}").replace("{1,16}", "")
    assert compiled("{HEX}$").match("0xab12")


def test_numbers() -> None:
    assert number("0xff") == number("ff") == 255
    assert (hex_digits("0x12"), hex_digits("0012")) == (2, 4)
    assert (optional_int(None), optional_int("12")) == (None, 12)


def test_ref_of_needs_the_groups() -> None:
    match = compiled("{REF}").match("a.isra.0+0x10/0x20 [m]")
    assert match is not None
    ref = ref_of(match)
    assert ref is not None
    assert (ref.symbol, ref.offset, ref.size, ref.module) == ("a.isra.0", 0x10, 0x20, "m")


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("foo+0x1/0x2", "foo"), ("foo, bar", "foo"), ("12", None), ("", None), ("foo-bar", None)],
)
def test_read_ref(text: str, symbol: str | None) -> None:
    ref = read_ref(text)
    assert (ref.symbol if ref else None) == symbol


def test_first_match_tests_the_needle_first() -> None:
    calls: list[str] = []
    rules = [r for r in misc.RULES if r.needle == "flags: 0x"]
    assert first_match(rules, "no such words") is None
    assert first_match(rules, "flags: 0x12") is not None
    assert calls == []


def test_every_pattern_compiles() -> None:
    for pattern in (*(r.pattern for r in _RULES), *(r.pattern for r in TABLE)):
        compiled(pattern)


def test_needles_are_not_empty() -> None:
    # A bare name has nothing in common with another; it is looked for inside traces only.
    assert [rule.pattern for rule in _RULES if not rule.needle] == [trace.BARE]
    assert all(rule.needle for rule in TABLE)


def test_rules_are_unique() -> None:
    rows = [(r.needle, r.pattern) for r in (*hyp.CRASH, *hyp.BOOT, *boot.RULES, *misc.RULES)]
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("filler", ["x", " ", "(", "[", "-", "=", "a ", "a:", "0", ", ", "+0x1"])
def test_long_hostile_lines_are_quick(filler: str) -> None:
    for rule in (*_RULES, *TABLE):
        compiled(rule.pattern).match((rule.needle + filler * 2000)[:8192])
        compiled(rule.pattern).match((filler * 2000)[:4000] + rule.needle)


def test_text_of_a_source_is_bounded() -> None:
    assert MAX_TEXT <= 400
