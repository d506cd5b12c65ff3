"""An indirect call went to a function without a type hash in front of it: assembler, or code built without CFI.

Supported by: the register with the value found before the target holding zero or an instruction.
Refuted by: any other value there.
Sources: Linux include/linux/cfi_types.h (SYM_TYPED_FUNC_START).
From memory: clang -fsanitize=kcfi (hash word before the entry).
"""

from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.kcfi import hash_found, is_no_hash
from whypanic.model.claims import Remedy, Statements, refutes, supports
from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind


@cause(
    id="cfi-hash-missing",
    title="the function called carries no CFI type hash",
    kinds=frozenset({Kind.CFI_FAILURE}),
    needs=(Headline,),
    specificity=7,
)
def cfi_hash_missing(case: CaseView) -> Statements:
    """Yield what was found where the hash should be."""
    found = hash_found(case)
    if found is None:
        return
    if not is_no_hash(found.found):
        yield refutes(f"{found.found:#010x} stands in front of the target: a hash", *found.facts)
        return
    yield supports(f"{found.found:#010x} stands in front of the target", *found.facts)
    yield Remedy(text="start the assembler function with SYM_TYPED_FUNC_START")
