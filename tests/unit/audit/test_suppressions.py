import pytest

from whypanic.audit.suppressions import Suppression, Suppressions, read_suppressions
from whypanic.model.errors import InputError

RULES = {"some-rule": "some-rule", "R01": "some-rule", "other-rule": "other-rule"}


def read(text: str) -> tuple[Suppression, ...]:
    return read_suppressions(text, "accepted.txt", RULES)


def test_entries() -> None:
    found = read(
        "# accepted by the board\n\n"
        "some-rule foo+0x30 # seen, legal\n"
        "R01  __kvm_nvhe_bar.isra.0#why not\n"
        "  other-rule .hyp.rodata   #  # twice\n"
        "other-rule foo+12 # decimal\n"
    )
    assert found == (
        Suppression("some-rule", "foo", 0x30, "seen, legal", 3),
        Suppression("some-rule", "__kvm_nvhe_bar.isra.0", None, "why not", 4),
        Suppression("other-rule", ".hyp.rodata", None, "# twice", 5),
        Suppression("other-rule", "foo", 12, "decimal", 6),
    )
    assert found[0].words == "some-rule foo+0x30"
    assert found[1].words == "some-rule __kvm_nvhe_bar.isra.0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("some-rule foo", "line 1: `some-rule foo` has no reason"),
        ("\nsome-rule foo #  ", "line 2: `some-rule foo #` has no reason"),
        ("some-rule # everywhere", "line 1 is no suppression"),
        ("some-rule foo bar # x", "line 1 is no suppression"),
        ("some-rule foo+bar # x", "line 1 is no suppression"),
        ("some-rule foo+0x10000000000000000 # x", "line 1 is no suppression"),
        ("no-rule foo # x", "no rule `no-rule`"),
        ("[rule]\nid = 1", "line 1 is no suppression"),
        ("\x00\x01", "line 1 is no suppression"),
    ],
)
def test_lines_that_are_none(text: str, words: str) -> None:
    with pytest.raises(InputError, match="line") as caught:
        read(text)
    assert words in caught.value.message
    assert caught.value.path == "accepted.txt"
    assert caught.value.hints


def test_matching() -> None:
    accepted = Suppressions(
        read("some-rule foo+0x30 # one\nsome-rule bar # all\nother-rule x # y\n")
    )
    assert accepted.match("some-rule", ("foo",), 0x34) is None
    assert accepted.match("other-rule", ("foo",), 0x30) is None
    found = accepted.match("some-rule", ("foo.isra.0", "foo"), 0x30)
    assert found is not None
    assert found.reason == "one"
    assert accepted.match("some-rule", ("bar",), None) is not None
    assert [e.words for e in accepted.unused({"some-rule", "other-rule"})] == ["other-rule x"]
    assert accepted.unused({"some-rule"}) == ()


def test_all_entries_that_match_are_of_use() -> None:
    accepted = Suppressions(read("some-rule foo # all\nsome-rule foo+4 # one\n"))
    found = accepted.match("some-rule", ("foo",), 4)
    assert found is not None
    assert found.reason == "all"
    assert accepted.unused({"some-rule"}) == ()
