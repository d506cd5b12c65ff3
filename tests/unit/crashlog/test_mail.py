import pytest

from whypanic.crashlog.mail import is_snip, plain_dashes, plain_entities, unquote


@pytest.mark.parametrize(
    ("text", "depth", "rest"),
    [
        ("word", 0, "word"),
        ("> word", 1, "word"),
        (">word", 1, "word"),
        (">>> word", 3, "word"),
        ("> > > word", 3, "word"),
        (">> > word", 3, "word"),
        ("| word", 1, "word"),
        ("  | word", 1, "word"),
        ("> | word", 2, "word"),
        (">   frame", 1, "  frame"),
        (">", 1, ""),
        ("|", 1, ""),
        ("|[    1.000000] word", 1, "[    1.000000] word"),
        # a row of a memory dump, quoted and not
        (">ffff0000c1234580: fb fb fb fb", 0, ">ffff0000c1234580: fb fb fb fb"),
        ("> >ffff0000c1234580: fb fb fb fb", 1, ">ffff0000c1234580: fb fb fb fb"),
        # C
        ("|| second", 0, "|| second"),
        (">= second", 0, ">= second"),
        ("flags: a|b|c", 0, "flags: a|b|c"),
        ("=> 0xffff: nop", 0, "=> 0xffff: nop"),
    ],
)
def test_unquote(text: str, depth: int, rest: str) -> None:
    assert unquote(text) == (depth, rest)


def test_quoting_is_bounded() -> None:
    assert unquote("> " * 100).depth == 64


def test_dashes() -> None:
    assert plain_dashes("\u2014[ end trace 0 ]\u2014") == "---[ end trace 0 ]---"
    assert plain_dashes("BTYPE=\u2013)") == "BTYPE=--)"
    assert plain_dashes("code 0xbf000002 \u2014 SError") == "code 0xbf000002 -- SError"
    assert plain_dashes("he said \u2014 no") == "he said \u2014 no"


def test_entities_once() -> None:
    assert plain_entities("&gt; a &amp;lt; b&nbsp;c") == "> a &lt; b c"


@pytest.mark.parametrize(
    "text", ["[...]", "<snip>", "[snip]", "**Snip**", "...", "[ rest snipped ]"]
)
def test_snips(text: str) -> None:
    assert is_snip(text)


@pytest.mark.parametrize("text", ["cut", "skip", "skip_trace", "------------", "[frob]", "a ... b"])
def test_no_snips(text: str) -> None:
    assert not is_snip(text)
