"""What the words of a `Code:` line say once they were held against the image."""

from whypanic.causes.case import CaseView
from whypanic.causes.image import from_image, used_image
from whypanic.model.claims import NextStep, Statements, consistent
from whypanic.model.image import CodeComparison, ComparedWord, Match, WordState

_WORD_BYTES = 4


def corrupted_words(case: CaseView) -> Statements:
    """Yield words of memory that the image does not have: one flipped bit, or something else."""
    compared = _compared(case)
    if compared is None:
        return
    flipped = [w for w in compared.words if w.state is WordState.BIT_FLIP]
    other = [w for w in compared.words if w.state is WordState.NEITHER]
    rest = len(compared.words) - len(flipped) - len(other)
    for word in flipped[:2]:
        # One flipped bit between words that all agree is no other build.
        yield from_image(case, _flip(word), compared)
    if not flipped and other and rest >= len(other):
        word = other[0]
        yield from_image(
            case,
            f"memory holds {word.word:08x} at {word.address:#x}, where the image has {word.built:08x} and nothing that "
            "patches code would put another there",
            compared,
        )
    if flipped or (other and rest >= len(other)):
        yield NextStep(
            "dump more of the function from memory and compare it with the image: is it one word, or a whole line?"
        )


def _flip(word: ComparedWord) -> str:
    for expected in (word.built, *word.expected):
        changed = word.word ^ expected
        if changed and not changed & changed - 1:
            return (
                f"memory holds {word.word:08x} at {word.address:#x}, the image {expected:08x}: bit "
                f"{changed.bit_length() - 1} of the word is flipped"
            )
    return f"memory holds {word.word:08x} at {word.address:#x}, one bit from the image's word"


def wrongly_patched(case: CaseView) -> Statements:
    """Yield words that alternatives should have left otherwise for this CPU."""
    compared = _compared(case)
    if compared is None:
        return
    for word in compared.words:
        expected = " or ".join(f"{w:08x}" for w in word.expected)
        if word.state is WordState.WRONGLY_PATCHED:
            yield from_image(
                case,
                f"memory holds {word.word:08x} at {word.address:#x}, an alternative that this CPU's features do not "
                f"call for ({word.why}); they call for {expected}",
                compared,
            )
        elif word.state is WordState.UNPATCHED:
            yield consistent(
                f"memory holds {word.word:08x} at {word.address:#x} as it was built, though this CPU's features call "
                f"for {expected} ({word.why}): the alternative was not applied, or not yet",
                compared,
            )


def _compared(case: CaseView) -> CodeComparison | None:
    identity, compared = used_image(case), case.get(CodeComparison)
    if identity is None or identity.match is Match.MISMATCH:
        return None
    return compared
