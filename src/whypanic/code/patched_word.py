"""One row of a table of alternatives, and what one instruction is after rows were applied to it."""

from typing import NamedTuple

from whypanic.code.alternative_callbacks import WordChoices, WordShape


class Alternative(NamedTuple):
    """One row of the table."""

    place: int
    """Link VA of the instructions that may be replaced."""
    n_bytes: int
    replacement: int
    """Link VA of the instructions to copy, or of the function to call; 0 for one outside this file."""
    replacement_bytes: int
    capability: int
    is_callback: bool
    callback: str | None
    """Name of the function."""
    unconditional: bool
    """The function is called whatever the CPU."""

    @property
    def end(self) -> int:
        return self.place + self.n_bytes


class PatchedWord(NamedTuple):
    """What one instruction that alternatives cover may be."""

    address: int
    built: int
    words: tuple[int, ...]
    """Possible on this CPU; one, and no shape: certain."""
    shapes: tuple[WordShape, ...]
    """Further possible ones."""
    every: tuple[int, ...]
    """Possible on any CPU, the built one apart."""
    every_shape: tuple[WordShape, ...]
    row: Alternative
    """The last row that covers it."""
    why: str
    """`alternative ARM64_HAS_PAN`."""

    @property
    def certain(self) -> int | None:
        """The word, where there is no choice."""
        return self.words[0] if len(self.words) == 1 and not self.shapes else None

    def allows(self, word: int) -> bool:
        """Tell whether a word is possible on this CPU."""
        return word in self.words or any(shape.fits(word) for shape in self.shapes)

    def knows(self, word: int) -> bool:
        """Tell whether a word is what an alternative leaves on some CPU."""
        return word in self.every or any(
            shape.mask and shape.fits(word) for shape in self.every_shape
        )


class WordHistory:
    """Words as rows are applied one after another."""

    def __init__(self, built: int) -> None:
        """Begin with the word in the file."""
        self.built = built
        self.now = WordChoices((built,))
        self.every: dict[int, None] = {}
        self.every_shape: dict[WordShape, None] = {}

    def apply(self, choices: WordChoices, present: bool | None) -> None:
        """Apply a row.

        :param present: whether the CPU has its capability; None: not known.
        """
        self.every |= dict.fromkeys(choices.words)
        self.every_shape |= dict.fromkeys(choices.shapes)
        if present is False:
            return
        keep = present is None or choices.keeps
        old = self.now if keep else WordChoices()
        self.now = WordChoices(
            tuple(dict.fromkeys(old.words + choices.words)),
            tuple(dict.fromkeys(old.shapes + choices.shapes)),
        )
