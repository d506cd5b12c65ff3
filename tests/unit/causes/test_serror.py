"""The syndrome of an SError."""

import pytest

from whypanic.causes.case import CaseView
from whypanic.causes.serror import SerrorSource, error_type, serror_source
from whypanic.model.fault import Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source


def _case(esr: int) -> CaseView:
    return CaseView(
        Kind.SERROR, [Syndrome(esr=esr, place=SyndromePlace.SERROR, source=Source(line=1))]
    )


@pytest.mark.parametrize(
    ("esr", "source"),
    [
        (0xBF000000, SerrorSource.DECODE),
        (0xBF000001, SerrorSource.ECC),
        (0xBF000002, SerrorSource.SLAVE),
        (0xBF400000, SerrorSource.PIN),
        (0xBF40C000, None),
        (0xBE000011, None),
        (0x96000010, None),
    ],
)
def test_source(esr: int, source: SerrorSource | None) -> None:
    assert serror_source(_case(esr)) is source


@pytest.mark.parametrize(
    ("esr", "words"),
    [
        (0xBE000011, "uncontainable"),
        (0xBE000411, "unrecoverable"),
        (0xBE000C11, "recoverable"),
        (0xBE001811, "corrected"),
        (0xBE000000, None),
        (0xBF000002, None),
    ],
)
def test_error_type(esr: int, words: str | None) -> None:
    assert error_type(_case(esr)) == words


def test_no_syndrome() -> None:
    assert serror_source(CaseView(Kind.SERROR, [])) is None
