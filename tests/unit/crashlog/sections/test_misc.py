"""Lines of checkers and stalls."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import Detail, KasanHint


def test_hint() -> None:
    text = "KASAN: null-ptr-deref in range [0x0000000000000010-0x0000000000000017]"
    hint = fact(text, KasanHint)
    assert (hint.what, hint.first, hint.last) == ("null-ptr-deref", 0x10, 0x17)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NMI backtrace for cpu 3", "other-stack"),
        ("x30            = 0x000000000a001234", "firmware"),
    ],
)
def test_details(text: str, name: str) -> None:
    assert fact(text, Detail).name == name


def test_snips_are_nothing() -> None:
    for text in ("...", "[ ... ]", "<snip>", "[...]", "====================="):
        assert recognised(text).part is Part.SNIP


def test_prose_is_nothing() -> None:
    assert facts("I have no idea what this is about, sorry", Detail) == []
