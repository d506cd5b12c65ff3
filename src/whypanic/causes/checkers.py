"""What a sanitizer or a debugging check says of a memory error, and what its words leave open.

Sources, of Debian's linux-source-6.12: mm/kasan/report.c and report_{generic,tags}.c (the names of bugs),
mm/kfence/{core,report}.c, mm/slub.c (object_err, slab_err, check_bytes_and_report).
"""

from collections.abc import Iterator
from typing import NamedTuple

from whypanic.causes.case import CaseView
from whypanic.model.claims import Claim, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.sanitizer import Access, TagPair
from whypanic.model.trace import Frame, TraceRole
from whypanic.symbolize.blame import is_helper, strip_suffixes

OUT_OF_BOUNDS = "out-of-bounds-access"
USE_AFTER_FREE = "use-after-free"
DOUBLE_FREE = "double-free"
INVALID_FREE = "invalid-free"
TAG_MISMATCH = "tag-mismatch"

MEMORY_KINDS = frozenset({Kind.KASAN, Kind.KFENCE, Kind.BAD_PAGE})
"""Reports of a memory error; of bad pages those in which SLUB found a damaged object."""

_CHECKERS = {Kind.KASAN: "KASAN", Kind.KFENCE: "KFENCE", Kind.BAD_PAGE: "SLUB"}


class Wording(NamedTuple):
    """Words of a checker's headline and the causes they mean."""

    words: str
    causes: tuple[str, ...]
    certain: bool
    """The words name the mechanism; else they name what was found, which it explains best."""


# fmt: off
WORDINGS: dict[Kind, tuple[Wording, ...]] = {
    Kind.KASAN: (
        Wording("double-free or invalid-free", (DOUBLE_FREE, INVALID_FREE),     False),
        Wording("double-free",                 (DOUBLE_FREE,),                  True),
        Wording("invalid-free",                (INVALID_FREE,),                 True),
        Wording("use-after-free",              (USE_AFTER_FREE,),               True),
        Wording("use after free",              (USE_AFTER_FREE,),               True),
        Wording("vmalloc-out-of-bounds",       (OUT_OF_BOUNDS,),                True),
        Wording("out-of-bounds",               (OUT_OF_BOUNDS,),                True),
        Wording("out of bounds",               (OUT_OF_BOUNDS,),                True),
        Wording("use-after-scope",             (USE_AFTER_FREE,),               False),
        Wording("invalid-access",              (TAG_MISMATCH,),                 True),
    ),
    Kind.KFENCE: (
        Wording("out-of-bounds",               (OUT_OF_BOUNDS,),                True),
        Wording("use-after-free",              (USE_AFTER_FREE,),               True),
        Wording("memory corruption",           (OUT_OF_BOUNDS,),                False),
        Wording("invalid free",                (INVALID_FREE,),                 True),
        Wording("invalid ",                    (OUT_OF_BOUNDS, USE_AFTER_FREE), False),
    ),
    Kind.BAD_PAGE: (
        Wording("Object already free",         (DOUBLE_FREE,),                  True),
        Wording("Attempt to free object",      (INVALID_FREE,),                 True),
        Wording("Poison overwritten",          (USE_AFTER_FREE,),               False),
        Wording("edzone overwritten",          (OUT_OF_BOUNDS,),                False),
        Wording("adding overwritten",          (OUT_OF_BOUNDS,),                False),
        Wording("Freepointer corrupt",         (OUT_OF_BOUNDS, USE_AFTER_FREE), False),
        Wording("Freechain corrupt",           (OUT_OF_BOUNDS, USE_AFTER_FREE), False),
        Wording("Object corrupt",              (OUT_OF_BOUNDS, USE_AFTER_FREE), False),
    ),
}
# fmt: on
_RIVALS = {
    OUT_OF_BOUNDS: (USE_AFTER_FREE,),
    USE_AFTER_FREE: (OUT_OF_BOUNDS,),
    DOUBLE_FREE: (INVALID_FREE,),
    INVALID_FREE: (DOUBLE_FREE,),
}


def checker_line(case: CaseView) -> Headline | None:
    """Return the headline that made the report's kind, else its first."""
    own = (line for line in case.all(Headline) if line.kind is case.kind)
    return next(own, case.headline)


def wording_of(case: CaseView) -> tuple[Wording, Headline] | None:
    """Return what the checker's words mean; None where they mean none of these causes."""
    line = checker_line(case)
    if line is None:
        return None
    found = (w for w in WORDINGS.get(case.kind, ()) if w.words in line.message)
    wording = next(found, None)
    return None if wording is None else (wording, line)


def verdict_claim(case: CaseView, cause_id: str) -> Claim | None:
    """Return what the checker's words say of one cause, for it or against it; None where they are silent."""
    said = wording_of(case)
    if said is None:
        return None
    wording, line = said
    checker = _CHECKERS[case.kind]
    access = case.get(Access)
    facts: tuple[Fact, ...] = (line,) if access is None else (line, access)
    if cause_id in wording.causes:
        text = f"{checker} says: {line.message}{_access_words(access, line.message)}"
        if wording.certain:
            return stated(text, *facts)
        return (supports if len(wording.causes) == 1 else consistent)(text, *facts)
    if wording.words.startswith("vmalloc"):
        return None  # what was given back looks the same as what was never handed out
    is_rival = any(cause_id in _RIVALS.get(other, ()) for other in wording.causes)
    if wording.certain and is_rival:
        return refutes(f"{checker} says {line.message}, not that", line)
    return None


def _access_words(access: Access | None, message: str) -> str:
    if access is None or access.what not in ("read", "write", "free"):
        return ""
    if access.size is None and access.address is None and access.what in message:
        return f", {access.note}" if access.note else ""
    unit = "byte" if access.size == 1 else "bytes"
    size = f" of {access.size} {unit}" if access.size is not None else ""
    place = f" at {access.address:#018x}" if access.address is not None else ""
    note = f", {access.note}" if access.note else ""
    return f"; {access.what}{size}{place}{note}"


def doubt(text: str, fact: Fact, *facts: Fact) -> Claim:
    """Return a claim that says why the checker may be wrong, or may mean less than it says; the verdict stands."""
    return consistent(f"doubt: {text}", fact, *facts)


def check_did_not_fire(case: CaseView) -> Claim | None:
    """Return the claim against a check that ends in BUG() where the report is of a fault; else None."""
    esr = case.esr
    if esr is None or case.syndrome is None or not esr.is_abort:
        return None
    return refutes("the syndrome is that of an abort, not of BRK: a fault, no check", case.syndrome)


# Stacks --------------------------------------------------------------------------------------


def stack_claims(case: CaseView, *titles: str) -> Iterator[Claim]:
    """Yield who stands in the stacks whose title begins so, the innermost function that is no helper."""
    seen: set[int] = set()
    for frame in case.all(Frame):
        if frame.role is not TraceRole.OTHER or frame.trace in seen or frame.ref is None:
            continue
        if frame.label.lower().startswith(titles) and not is_helper(frame.ref.symbol):
            seen.add(frame.trace)
            yield consistent(f"{frame.label}: {strip_suffixes(frame.ref.symbol)}()", frame)


def has_stack(case: CaseView, title: str) -> Frame | None:
    """Return the first frame of a stack whose title begins so."""
    return next((f for f in case.all(Frame) if f.label.lower().startswith(title)), None)


# Tags ----------------------------------------------------------------------------------------


def tag_guess(case: CaseView) -> Claim | None:
    """Return why the name of the bug is a guess where tags found it: the kernel infers it from its last records."""
    tags = case.get(TagPair)
    if tags is None:
        return None
    return doubt(
        "tags only tell that pointer and memory differ; the kernel infers the rest from its last "
        "allocations and frees",
        tags,
    )
