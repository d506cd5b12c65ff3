"""Facts as evidence."""

from whypanic.app.fact_document import fact_of, facts_of
from whypanic.model.provenance import Finding, Origin, Source


def finding(sentence: str, line: int = 3) -> Finding:
    return Finding(source=Source(line=line), sentence=sentence)


def test_words_and_place() -> None:
    fact = Finding(
        source=Source(origin=Origin.LISTING, line=7, address=0x30), sentence="br\tx11  now"
    )
    shown = fact_of(fact)
    assert (shown.text, shown.source, shown.line, shown.address) == (
        "br x11 now",
        "listing",
        7,
        "0x30",
    )


def test_long_words_are_cut() -> None:
    assert len(fact_of(finding("x" * 1000)).text) == 240


def test_repetitions_are_left_out_and_the_number_is_bounded() -> None:
    assert len(facts_of([finding("a"), finding("a"), finding("b")])) == 2
    assert len(facts_of([finding("a", line=n) for n in range(100)])) == 24
