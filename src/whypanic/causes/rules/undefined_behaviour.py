"""A UBSAN check fired.

Stated by: the report's own words (`UBSAN: kind in file:line:col`, `nVHE hyp UBSAN: kind at:`).
Supported by: BRK #0x55xx, the trap of a UBSAN check.
Refuted by: words that say UBSAN with a syndrome that is another BRK.
Sources: Linux arch/arm64/include/asm/brk-imm.h (UBSAN_BRK_IMM 0x5500), lib/ubsan.c, arch/arm64/kvm/handle_exit.c.
"""

from whypanic.arch.brk import brk_meaning
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import doubt
from whypanic.crashlog.sections.rule import compiled
from whypanic.model.claims import NextStep, Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Detail
from whypanic.model.hyp import HypPanicAt
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact

_WORD = "UBSAN"
_SMALL_ARRAY = r"index .{1,60} is out of range for type '.{1,100} ?\[[01]?\]'"


@cause(
    id="undefined-behaviour",
    title="a UBSAN check fired: the code did what C leaves undefined",
    kinds=frozenset({Kind.HYP_PANIC, Kind.UBSAN, Kind.BRK}),
    specificity=7,
)
def undefined_behaviour(case: CaseView) -> Statements:
    """Yield what the words of the report and the immediate of the BRK say."""
    words = _words(case)
    immediate = case.esr.brk_immediate if case.esr is not None else None
    meaning = None if immediate is None else brk_meaning(immediate)
    trap = meaning is not None and meaning.kind == "ubsan"
    if words is None:
        if trap and meaning is not None and case.syndrome is not None:
            yield supports(f"BRK #{immediate:#x}: {meaning.text}", case.syndrome)
            yield NextStep("the function at PC holds the check; its line names the expression")
        return
    if meaning is not None and not trap and case.syndrome is not None:
        yield refutes(f"the words say UBSAN, but the BRK is {meaning.text}", case.syndrome, words)
        return
    facts = (words, case.syndrome) if trap and case.syndrome is not None else (words,)
    yield stated(f"the kernel says so: {words.statement.strip()}", facts[0], *facts[1:])
    for detail in case.all(Detail):
        if detail.name != "ubsan":
            continue
        yield consistent(detail.value, detail)
        if compiled(_SMALL_ARRAY).match(detail.value):
            yield doubt("an array declared so small may be an old-style flexible one", detail)


def _words(case: CaseView) -> Fact | None:
    at = case.get(HypPanicAt)
    if at is not None and at.what.startswith(_WORD):
        return at
    headline = case.headline
    return headline if headline is not None and headline.kind is Kind.UBSAN else None
