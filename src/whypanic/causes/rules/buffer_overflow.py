"""A string or memory function was asked for more than its buffer holds.

Stated by: `detected buffer overflow in ...`, `memcpy: detected buffer overflow: N byte ...`, `field-spanning write`.
Refuted by: an ESR of an abort: the report is of a fault.
Sources: Linux lib/string_helpers.c (__fortify_report), include/linux/fortify-string.h (fortify_memcpy_chk).
From memory: fortify_panic() was in lib/string.c before 5.15.
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import check_did_not_fire, checker_line, doubt
from whypanic.crashlog.sections.rule import compiled
from whypanic.model.claims import Statements, consistent, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.registers import SymbolRef

_SIZES = (
    r".*detected buffer overflow: (?P<asked>\d{1,20}) byte (?P<way>read|write) of buffer size (?P<size>\d{1,20})",
    r".*detected field-spanning (?P<way>write) \(size (?P<asked>\d{1,20})\) of single .{1,200} "
    r"\(size (?P<size>\d{1,20})\)",
)
_FLEXIBLE = 1
"""Arrays of 0 or 1 elements at the end of a structure often stand for one of any length."""


@cause(
    id="buffer-overflow",
    title="a string or memory function was asked for more than its buffer holds",
    kinds=frozenset({Kind.FORTIFY}),
    specificity=6,
)
def buffer_overflow(case: CaseView) -> Statements:
    """Yield the check's words and both sizes."""
    line, refutation = checker_line(case), check_did_not_fire(case)
    if line is None:
        return
    if refutation is not None:
        yield refutation
        return
    told = next((h for h in case.all(Headline) if "detected" in h.source.text), line)
    text = told.source.text
    place = f" at {told.file}:{told.line}" if told.file else ""
    is_fortify = "detected" in text or _is_fortify(told.ref or case.pc_ref)
    say = stated if is_fortify else supports
    yield say(f"the kernel says: {told.message}{place}", told)
    for pattern in _SIZES:
        found = compiled(pattern).match(text)
        if found is not None:
            yield consistent(
                f"{found['way']} of {found['asked']} bytes, the buffer has {found['size']}", told
            )
    if "field-spanning" in text:
        yield doubt("the write may be meant for the fields behind it too: struct_group()", told)
        if compiled(rf".*\(size [0-{_FLEXIBLE}]\)").match(text):
            yield doubt("a field so small may be an old-style flexible array", told)


def _is_fortify(ref: SymbolRef | None) -> bool:
    return ref is not None and "fortify" in ref.symbol
