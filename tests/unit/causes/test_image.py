"""How far a claim from an image carries, by what is known of the image."""

import pytest

from whypanic.causes.case import CaseView
from whypanic.causes.engine import verdict_of
from whypanic.causes.image import (
    against_by_image,
    code_is_as_built,
    from_image,
    pc_location,
    reading_of,
    rests_on_unknown_image,
    used_image,
)
from whypanic.model.claims import Verdict, consistent, refutes
from whypanic.model.image import (
    AccessReading,
    CodeComparison,
    ComparedWord,
    ImageIdentity,
    Located,
    Match,
    PcLocation,
    WordState,
)
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Finding, Origin, Source

LOG = Source(line=3, text="a line")
IMAGE = Source(origin=Origin.IMAGE, address=0x1000)
FACT = Finding(source=IMAGE, sentence="read off the image")


def identity(
    match: Match, *, certain: bool = False, allowed: bool = False, holds_pc: bool = True
) -> ImageIdentity:
    return ImageIdentity(
        source=LOG,
        name="vmlinux",
        kind="vmlinux",
        build_id=None,
        banner=None,
        match=match,
        certain=certain,
        allowed=allowed,
        holds_pc=holds_pc,
        checks=(),
    )


def case(*facts: Fact) -> CaseView:
    return CaseView(Kind.HYP_PANIC, facts)


def verdict(*facts: Fact, proves: bool = True) -> Verdict:
    return verdict_of([from_image(case(*facts), "text", FACT, proves=proves)])


def test_only_what_is_certainly_the_crashed_kernels_proves() -> None:
    assert verdict(identity(Match.MATCHES, certain=True)) is Verdict.PROVEN
    assert verdict(identity(Match.MATCHES, certain=True), proves=False) is Verdict.SUPPORTED
    assert verdict(identity(Match.MATCHES)) is Verdict.SUPPORTED
    assert verdict(identity(Match.UNKNOWN)) is Verdict.SUPPORTED
    assert verdict(identity(Match.MISMATCH, allowed=True)) is Verdict.POSSIBLE
    assert verdict() is Verdict.POSSIBLE


def test_the_image_of_pc_counts_not_another() -> None:
    kernel = identity(Match.MATCHES, certain=True, holds_pc=False)
    module = identity(Match.UNKNOWN)
    assert used_image(case(kernel, module)) is module
    assert verdict(kernel, module) is Verdict.SUPPORTED
    assert used_image(case(kernel)) is None


def test_a_mismatch_is_used_only_where_that_is_allowed() -> None:
    assert used_image(case(identity(Match.MISMATCH))) is None
    allowed = identity(Match.MISMATCH, allowed=True)
    assert used_image(case(allowed)) is allowed


@pytest.mark.parametrize("match", [Match.UNKNOWN, Match.MISMATCH])
def test_only_a_matching_image_refutes(match: Match) -> None:
    assert against_by_image(case(identity(match, allowed=True)), "text", FACT) is None
    assert against_by_image(case(), "text", FACT) is None
    claim = against_by_image(case(identity(Match.MATCHES)), "text", FACT)
    assert claim is not None
    assert verdict_of([claim]) is Verdict.REFUTED


def test_a_refutation_by_an_image_of_unknown_origin_is_none() -> None:
    unknown = case(identity(Match.UNKNOWN))
    derived = Finding(source=LOG, because=(FACT,), sentence="made of it")
    said = Finding(source=LOG, sentence="the log says so")
    assert rests_on_unknown_image(unknown, refutes("no", FACT))
    assert rests_on_unknown_image(unknown, refutes("no", said, derived))
    assert not rests_on_unknown_image(unknown, refutes("no", said))
    assert not rests_on_unknown_image(unknown, consistent("yes", FACT))
    assert not rests_on_unknown_image(case(identity(Match.MATCHES)), refutes("no", FACT))
    assert not rests_on_unknown_image(case(), refutes("no", FACT))
    withheld = case(identity(Match.MISMATCH))
    assert rests_on_unknown_image(withheld, refutes("no", FACT))


def test_words_are_as_built_only_where_all_were_compared_and_are() -> None:
    def compared(*states: WordState) -> CodeComparison:
        words = tuple(
            ComparedWord(address=4 * i, word=1, built=1, expected=(1,), state=state)
            for i, state in enumerate(states)
        )
        return CodeComparison(source=LOG, words=words, sentence="compared")

    assert code_is_as_built(case()) is None
    assert code_is_as_built(case(compared())) is None
    assert code_is_as_built(case(compared(WordState.BUILT, WordState.PATCHED))) is True
    for state in (WordState.UNPATCHED, WordState.BIT_FLIP, WordState.NEITHER):
        assert code_is_as_built(case(compared(WordState.BUILT, state))) is False


def test_places_and_readings_are_chosen_by_register() -> None:
    located = Located(address=8, symbol="f", offset=8, size=16)
    lr, pc = (PcLocation(source=IMAGE, register=name, located=located) for name in ("lr", "pc"))
    assert pc_location(case(lr, pc)) is pc
    assert pc_location(case(lr)) is None
    readings = [
        AccessReading(
            source=IMAGE,
            function="f",
            variable=name,
            type="char *",
            register=register,
            pointer=0,
            sentence=name,
        )
        for name, register in (("a", "x1"), ("b", "x0"), ("c", "x0"))
    ]
    found = reading_of(case(*readings), "x0")
    assert found is not None
    assert found.variable == "b"
    assert reading_of(case(*readings), "x9") is None
