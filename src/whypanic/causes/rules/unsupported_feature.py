"""A defined instruction that this CPU does not implement, or has disabled, was executed.

Supported by: an undefined-instruction exception at a word that the architecture defines for CPUs with some feature.
Refuted by: a word that no CPU defines.
From memory: Arm ARM DDI 0487 L, ESR_EL1 (EC 0b000000, EC 0b011000) and the instructions' own pages.
"""

from whypanic.arch.esr import decode_esr
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.undefined import (
    EC_SYSTEM,
    feature_of,
    is_code,
    is_told_apart,
    is_undefined,
    undefined_word,
)
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.kinds import Kind


@cause(
    id="unsupported-feature",
    title="the instruction is valid on other CPUs; this one lacks it or has it disabled",
    kinds=frozenset({Kind.UNDEFINED_INSTRUCTION, Kind.HYP_PANIC}),
    specificity=6,
)
def unsupported_feature(case: CaseView) -> Statements:
    """Yield what the word at PC needs."""
    syndrome = case.syndrome
    if not is_undefined(case):
        return
    if case.esr is not None and case.esr.ec == EC_SYSTEM and syndrome is not None:
        fields = {f.name: f.meaning for f in decode_esr(syndrome.esr).fields}
        words = next((m for m in fields.values() if m.startswith("s3_") or "_el" in m), "")
        yield supports(
            f"EC 0x18: access to a system register was trapped{': ' + words if words else ''}",
            syndrome,
        )
    found = undefined_word(case)
    if found is None:
        return
    shown = f"the word at PC is {found.insn.word:08x}"
    if not is_code(found.insn):
        yield refutes(f"{shown}, which no CPU defines", found.fact)
        return
    feature = feature_of(found.insn)
    if feature is None:
        return
    if not is_told_apart(found.insn):
        yield consistent(f"{shown}, of the encodings of {feature}; it may be of no CPU", found.fact)
        return
    yield supports(f"{shown}, `{found.insn.mnemonic}`: it needs {feature}", found.fact)
    if syndrome is not None and case.esr is not None and case.esr.ec == 0:
        yield consistent("EC 0x00 is what a CPU without it reports", syndrome)
    yield NextStep(
        "compare the ID registers that the boot log prints with what the code checks before it"
    )
