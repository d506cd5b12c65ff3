import pytest
from hypothesis import given
from hypothesis import strategies as st

from whypanic.lab.kconfig_expression import Range, evaluate, parse_expression

_VALUES = {"Y": "y", "M": "m", "COUNT": "12", "NAME": "toy", "HEX": "0x20"}


def value(text: str) -> Range:
    return evaluate(parse_expression(text), lambda name: _VALUES.get(name, "n"))


@pytest.mark.parametrize(
    ("text", "least", "greatest"),
    [
        ("Y", 2, 2),
        ("N", 0, 0),
        ("Y && M", 1, 1),
        ("N || M", 1, 1),
        ("!M", 1, 1),
        ("!!Y", 2, 2),
        ("!N && Y", 2, 2),
        # && binds more tightly
        ("Y || Y && N", 2, 2),
        ("(Y || Y) && N", 0, 0),
        ("COUNT > 9", 2, 2),
        ("COUNT<12", 0, 0),
        ("COUNT >= 12 && HEX = 0x20", 2, 2),
        ('NAME = "toy"', 2, 2),
        ("NAME != 'toy'", 0, 0),
        ("Y=y", 2, 2),
        ("M!=n", 2, 2),
        ("$(cc-option,-mabi=x(y))", 0, 2),
        ("$(cc-option,-f) && N", 0, 0),
        ("$(cc-option,-f) && Y", 0, 2),
        ("$(cc-option,-f) || Y", 2, 2),
        ("!$(success,true)", 0, 2),
        ("COUNT > NAME", 0, 0),
        ("ABSENT < 3 && ABSENT <= 3", 2, 2),
        ("ABSENT > 0", 0, 0),
    ],
)
def test_values(text: str, least: int, greatest: int) -> None:
    assert value(text) == Range(least, greatest)


def test_terms_are_those_that_all_must_hold() -> None:
    expression = parse_expression("A && (B || !C) && D != 3 && (E && F)")
    assert [str(term) for term in expression.terms] == ["A", "B || !C", "D != 3", "E", "F"]
    assert [str(term) for term in parse_expression("A && B || C").terms] == ["(A && B) || C"]


@given(st.text(alphabet="AB yn!&|()=<>$\"' ,12", max_size=60))
def test_any_text_has_a_value(text: str) -> None:
    least, greatest = value(text)
    assert 0 <= least <= greatest <= 2
    str(parse_expression(text))


def test_deep_nesting_is_read() -> None:
    assert value("!" * 300 + "Y") == Range(2, 2)
    assert value("(" * 5000 + "Y") == Range(0, 2)


def test_parentheses_are_read_to_a_depth() -> None:
    assert parse_expression("(" * 30 + "A" + ")" * 30).kind != "macro"
    assert parse_expression("(" * 150 + "A" + ")" * 150).kind == "macro"
