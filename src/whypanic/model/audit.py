"""What an audit of an image finds."""

from enum import StrEnum

from msgspec import Struct


class Level(StrEnum):
    """In order of weight; the words are those of SARIF."""

    ERROR = "error"
    """The code crashes when it runs there."""
    WARNING = "warning"
    """It crashes in some configuration, or on some CPU."""
    NOTE = "note"


class Evidence(Struct, frozen=True, kw_only=True):
    text: str
    address: int | None = None


class PredictedFault(Struct, frozen=True, kw_only=True):
    """The exception that the machine would take."""

    ec: int
    """ESR_ELx.EC."""
    fsc: int | None
    """IFSC or DFSC; None where the class has none or it depends on the page tables."""
    far_region: str | None
    """Region of FAR, in the words of `model.regions`; None where there is no FAR."""


class Finding(Struct, frozen=True, kw_only=True):
    """One place that breaks a rule."""

    rule: str
    level: Level
    title: str
    """One lower-case clause about this place: `a switch branches through 5 absolute addresses`."""
    domain: str
    place: int
    """Link VA of the instruction or slot."""
    slice: tuple[int, ...] = ()
    """Link VAs of the instructions that lead there, `place` among them."""
    word: int | None = None
    """The instruction at `place` as it runs, where it is not that of the file: from an alternative."""
    evidence: tuple[Evidence, ...] = ()
    fault: PredictedFault | None
    cause: str
    """Id of the cause that `explain` would name."""
    remedy: str
