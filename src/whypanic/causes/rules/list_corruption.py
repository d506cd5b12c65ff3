"""The neighbours of a list element do not point back at it.

Stated by: `list_add corruption.`, `list_del corruption`, `list_add double add`; a BUG or WARN in lib/list_debug.c.
Refuted by: an ESR of an abort: the report is of a fault.
Sources: Linux lib/list_debug.c.
From memory: Linux include/linux/poison.h for the poison values.
"""

from collections.abc import Iterator

from whypanic.arch.values import find_poison
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import check_did_not_fire, checker_line
from whypanic.crashlog.sections.rule import compiled
from whypanic.model.claims import Claim, Statements, consistent, stated
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind

_LINK = r"(?P<list>list_\w+) corruption[.,] (?:(?P<link>\w+->\w+) should be|[0-9a-f]{8,16}->(?P<end>next|prev) is)"
_WAS = r".*\bbut was (?P<was>[0-9a-f]{8,16})\b"
_STORIES = (
    ("LIST_POISON", "the element was deleted before: it is on no list"),
    ("is NULL", "the element was never on a list, or its memory was cleared"),
    ("double add", "the element is on this list already"),
)


@cause(
    id="list-corruption",
    title="the neighbours of a list element do not point back at it",
    kinds=frozenset({Kind.LIST_CORRUPTION}),
    specificity=6,
)
def list_corruption(case: CaseView) -> Statements:
    """Yield the check's words, which link is wrong, and what stands there."""
    line, refutation = checker_line(case), check_did_not_fire(case)
    if line is None:
        return
    if refutation is not None:
        yield refutation
        return
    told = next((h for h in case.all(Headline) if "list_" in h.source.text), line)
    place = f" at {told.file}:{told.line}" if told.file else ""
    yield stated(f"the kernel says: {told.message}{place}", told)
    yield from _details(told)


def _details(told: Headline) -> Iterator[Claim]:
    text = told.source.text
    link = compiled(f".*?{_LINK}").match(text)
    if link is not None:
        yield consistent(f"the wrong link is {link['link'] or link['end']}", told)
    for words, story in _STORIES:
        if words in text:
            yield consistent(story, told)
    was = compiled(_WAS).match(text)
    if was is None:
        return
    value = int(was["was"], 16)
    poison = find_poison(value)
    if poison is not None:
        yield consistent(f"{value:#x} stands there: {poison.name}, {poison.story}", told)
    elif value == 0:
        yield consistent("NULL stands there: memory that was cleared, or never initialised", told)
