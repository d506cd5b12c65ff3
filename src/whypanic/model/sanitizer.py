"""What the sanitizers and the hardening checks print beside their verdict."""

from whypanic.model.provenance import Fact


class Access(Fact, frozen=True, kw_only=True):
    """The access that a checker reports; KCSAN prints two."""

    what: str
    """`read`, `write`, `free`, `corruption`; KCSAN's words (`read-write (marked)`, `assert no writes`) as they are."""
    address: int | None
    """As printed, with its tag; None where the line has none or a hashed one."""
    size: int | None = None
    """Bytes; None where the line has none."""
    comm: str | None = None
    pid: int | None = None
    cpu: int | None = None
    note: str = ""
    """KFENCE: `1B right of kfence-#17`, `in kfence-#17`."""


class AsynchronousFault(Fact, frozen=True, kw_only=True):
    """`Asynchronous fault: no details available`: the access was before the code that reports."""


class TagPair(Fact, frozen=True, kw_only=True):
    """`Pointer tag: [xx], memory tag: [yy]` (or `[yy, zz]` of two granules in 4.20..5.x)."""

    pointer: int
    memory: int


class BadObject(Fact, frozen=True, kw_only=True):
    """One line on the object nearest to the bad address; other lines have the other fields."""

    address: int | None = None
    cache: str | None = None
    size: int | None = None
    """Bytes of the object, or of the region that the caller asked for."""
    distance: int | None = None
    """Bytes from its start (`inside`), before it (`left`) or behind its end (`right`)."""
    side: str = ""
    state: str = ""
    """`allocated`, `freed`, or nothing."""


class ShadowRow(Fact, frozen=True, kw_only=True):
    """One row of `Memory state around the buggy address`: shadow bytes or tags, one a granule."""

    address: int
    values: tuple[int, ...]
    guilty: bool
    """The row of the bad address: `>` stands before it."""


class StackPlace(Fact, frozen=True, kw_only=True):
    """`addr .. is located in stack of task .. at offset N in frame:`."""

    offset: int


class StackObject(Fact, frozen=True, kw_only=True):
    """`[32, 64) 'args'`: a variable of that frame; `end` is exclusive."""

    first: int
    end: int
    name: str
