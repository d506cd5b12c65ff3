"""Where a fact comes from, and what was damaged on the way."""

from enum import StrEnum

from msgspec import Struct


class Origin(StrEnum):
    """The kind of place a fact was read from; the words are those of the JSON document."""

    LOG = "log"
    LISTING = "listing"
    IMAGE = "image"
    KERNEL_SOURCE = "kernel-source"
    REPLAY = "replay"
    LAB = "lab"


class Source(Struct, frozen=True, kw_only=True):
    """The place of one fact."""

    origin: Origin = Origin.LOG
    input: int = 0
    """Index of the input."""
    line: int | None = None
    """1-based physical line where the fact begins."""
    last_line: int | None = None
    """1-based physical line where it ends (a mailer may have wrapped it); None: same as `line`."""
    address: int | None = None
    """Address in the image or listing."""
    text: str = ""
    """The words there, without quoting and log prefixes."""


class Span(Struct, frozen=True, kw_only=True, order=True):
    """Physical lines of one input, 1-based, inclusive."""

    input: int = 0
    first_line: int
    last_line: int


class Damage(Struct, frozen=True, kw_only=True):
    """Something in the text that is broken, and how it was understood."""

    span: Span
    reason: str


class Fact(Struct, frozen=True, kw_only=True):
    """Base of everything that claims rest on."""

    source: Source

    @property
    def statement(self) -> str:
        """One line that a reader can check: the words of the log, or what was derived."""
        return self.source.text


class Derived(Fact, frozen=True, kw_only=True):
    """Base of facts computed from other facts; `source` is that of the first of them."""

    because: tuple[Fact, ...] = ()
    """The facts this one was computed from."""


class Finding(Derived, frozen=True, kw_only=True):
    """A derived fact that is only its sentence."""

    sentence: str

    @property
    def statement(self) -> str:
        return self.sentence
