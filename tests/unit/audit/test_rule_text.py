import types

import pytest

from whypanic.audit.api import Rule
from whypanic.audit.rule_text import read_rule_text, rule_text, single_sources

DOCSTRING = """A widget that points at
a gadget.

Both kinds of it.

Why it breaks: the gadget is
not there.

It never was.

Example:

    adrp x0, gadget
      ldr x1, [x0]

    br x1
False positives: gadgets that are widgets.
Sources: Linux a/b.c (f; g), c/d.h; Linux e.rst.
From memory: Arm ARM DDI 0487 L, ESR_EL2.
"""


def test_parts() -> None:
    text = read_rule_text(DOCSTRING)
    assert text.finds == "A widget that points at a gadget.\n\nBoth kinds of it."
    assert text.why == "the gadget is not there.\n\nIt never was."
    assert text.example == "adrp x0, gadget\n  ldr x1, [x0]\n\nbr x1"
    assert text.false_positives == "gadgets that are widgets."
    assert text.sources == ("Linux a/b.c (f; g), c/d.h", "Linux e.rst")
    assert text.from_memory == ("Arm ARM DDI 0487 L, ESR_EL2",)
    assert text.missing == ()


def test_example_on_the_line_of_its_label() -> None:
    assert read_rule_text("A.\n\nExample: br x0\n         nop\n").example == "br x0\nnop"


@pytest.mark.parametrize(
    ("docstring", "missing"),
    [
        ("", ("what it finds", "Why it breaks", "Example", "False positives", "Sources")),
        ("A.\nWhy it breaks: b.\nExample: c\nFalse positives: d.\nFrom memory: e.", ()),
        ("A.\nWhy it breaks: b.\nFalse positives: d.\nSources:", ("Example", "Sources")),
    ],
)
def test_missing_parts(docstring: str, missing: tuple[str, ...]) -> None:
    assert read_rule_text(docstring).missing == missing


def test_indented_docstring_of_a_module() -> None:
    text = read_rule_text("A.\n\n    Why it breaks: b\n    c.\n")
    assert (text.finds, text.why) == ("A.", "b c.")


def test_text_of_a_declared_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("made_up_rule", "A widget.\n\nWhy it breaks: so.")
    monkeypatch.setitem(__import__("sys").modules, "made_up_rule", module)
    rule = Rule("R99", "made-up", "a widget", ("hyp",), lambda _: iter(()), "made_up_rule")
    assert rule_text(rule).finds == "A widget."
    assert rule_text(rule._replace(module="not_there")).finds == ""


def test_single_sources() -> None:
    assert single_sources("a; b (c; d).") == ("a", "b (c; d)")
    assert single_sources("") == ()
