"""An indirect call went to a function of another type than the caller expected.

Stated by: `CFI failure at ...`, `CFI failure (target: ...)`.
Refuted by: the register with the hash found before the target holding no hash.
Sources: Linux kernel/cfi.c, arch/arm64/kernel/traps.c (cfi_brk_handler; cfi_handler in older kernels).
From memory: clang -fsanitize=kcfi: `ldur w16, [xN, #-4]`, the expected hash in w17, `brk #0x8000 | type << 5 |
target`.
"""

from whypanic.arch.brk import brk_meaning
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.checkers import doubt
from whypanic.causes.kcfi import hash_found, is_no_hash
from whypanic.crashlog.sections.rule import compiled
from whypanic.model.claims import Statements, consistent, refutes, stated, supports
from whypanic.model.fault import Headline
from whypanic.model.hyp import HypPanicAt
from whypanic.model.kinds import Kind


@cause(
    id="cfi-type-mismatch",
    title="an indirect call reached a function of another type",
    kinds=frozenset({Kind.CFI_FAILURE, Kind.HYP_PANIC}),
    needs=(Headline,),
    specificity=6,
)
def cfi_type_mismatch(case: CaseView) -> Statements:
    """Yield the kernel's words and the hashes in the registers."""
    if case.kind is Kind.HYP_PANIC:
        yield from _at_el2(case)
        return
    headline = case.one(Headline)
    target = f" on a call to {headline.target}" if headline.target else ""
    found = hash_found(case)
    if found is not None and is_no_hash(found.found):
        yield refutes(f"{found.found:#010x} in front of the target is no hash", *found.facts)
        return
    yield stated(f"the kernel says: CFI failure{target}", headline)
    yield from _old_clang(case, headline)
    if found is not None and found.found != found.expected:
        yield supports(
            f"hash {found.found:#010x} in front of the target, {found.expected:#010x} expected",
            *found.facts,
        )


def _old_clang(case: CaseView, headline: Headline) -> Statements:
    """Yield what the target of clang's CFI before KCFI tells: 4.19..6.0, checked through jump tables."""
    target = headline.target or ""
    if ".cfi_jt" in target:
        yield consistent(
            "the target is an entry of a jump table: its function has a type", headline
        )
    elif target and not compiled(r"[A-Za-z_]").match(target.removeprefix("0x")[:1] or "0"):
        yield doubt(
            "the target has no symbol: a jump table's entry without a name, or no function",
            headline,
        )
    warned = next((h for h in case.all(Headline) if h.kind is Kind.WARNING), None)
    if warned is not None:
        yield consistent("the kernel only warned (permissive): the call went on", warned)


def _at_el2(case: CaseView) -> Statements:
    """Yield what the line of the hypervisor and the BRK say (`nVHE hyp CFI failure at:`, 6.11 and later)."""
    at = case.get(HypPanicAt)
    immediate = case.esr.brk_immediate if case.esr is not None else None
    trap = immediate is not None and brk_meaning(immediate).kind == "cfi"
    if at is not None and at.what.startswith("CFI"):
        if case.esr is not None and case.syndrome is not None and not trap:
            yield refutes(
                f"the words say CFI, but the syndrome is {case.esr.ec_name}", case.syndrome, at
            )
            return
        yield stated("the kernel says: CFI failure at EL2", at)
    elif trap and case.syndrome is not None:
        yield supports(f"BRK #{immediate:#x} is the trap of a CFI check", case.syndrome)
