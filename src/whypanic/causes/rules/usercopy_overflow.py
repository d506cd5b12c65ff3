"""A copy to or from user space reached beyond the object, or into a part of it that user space must not see.

Stated by: `usercopy: Kernel memory exposure/overwrite attempt detected`; a BUG in mm/usercopy.c.
Refuted by: an ESR of an abort: the report is of a fault.
Sources: Linux mm/usercopy.c (usercopy_abort), mm/slub.c (__check_heap_object).
"""

from collections.abc import Iterator

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import check_did_not_fire, checker_line
from whypanic.crashlog.sections.rule import compiled
from whypanic.model.claims import Claim, Statements, consistent, stated
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.trace import Frame

_WHAT = (
    r".*\bKernel memory (?P<way>exposure|overwrite) attempt detected (?:to|from) (?P<what>.{1,120}?) "
    r"\(offset (?P<offset>\d{1,20}), size (?P<size>\d{1,20})\)"
)
_HEAP_FRAMES = ("__check_heap_object", "check_heap_object")


@cause(
    id="usercopy-overflow",
    title="a copy to or from user space reached beyond what may be copied",
    kinds=frozenset({Kind.USERCOPY}),
    specificity=6,
)
def usercopy_overflow(case: CaseView) -> Statements:
    """Yield the check's words and the piece of memory."""
    line, refutation = checker_line(case), check_did_not_fire(case)
    if line is None:
        return
    if refutation is not None:
        yield refutation
        return
    told = next((h for h in case.all(Headline) if "attempt detected" in h.source.text), line)
    place = f" at {told.file}:{told.line}" if told.file else ""
    yield stated(f"the kernel says: {told.message}{place}", told)
    yield from _piece(told)
    heap = next((f for f in case.all(Frame) if f.ref and f.ref.symbol in _HEAP_FRAMES), None)
    if heap is not None:
        yield consistent(
            "the memory is a slab object: the copy leaves it, or the part that its cache lets user "
            "space see (kmem_cache_create_usercopy)",
            heap,
        )


def _piece(told: Headline) -> Iterator[Claim]:
    piece = compiled(_WHAT).match(told.source.text)
    if piece is None:
        return
    way = "to user space" if piece["way"] == "exposure" else "from user space"
    yield consistent(
        f"{piece['size']} bytes {way}, at offset {piece['offset']} of {piece['what']}", told
    )
