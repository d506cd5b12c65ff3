"""What an undefined instruction was: the word at PC, and whether memory holds what the image has.

Sources: Arm ARM DDI 0487 L, ESR_EL1 (EC 0x00, 0x18) and "A64 instruction set encoding"; Linux
arch/arm64/kernel/traps.c: do_undefinstr() ended in BUG_ON(!user_mode(regs)) in 4.19..6.0, whose dump is that of the
handler and not of the code that trapped.
"""

from functools import lru_cache
from typing import NamedTuple

from whypanic.arch.insn import Group, Insn, decode
from whypanic.causes.case import CaseView
from whypanic.code.faulting import find_listed
from whypanic.model.code import CodeLine, Listing, ListingLine
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact

EC_UNKNOWN = 0x00
EC_SYSTEM = 0x18
"""Trapped MSR, MRS or system instruction; at EL1 the kernel treats it like an undefined one."""
BUG_WORD = 0xD4210000
"""BRK #0x800: the `Code:` line is that of the handler which called BUG()."""
_NOT_CODE = frozenset({Group.UNALLOCATED, Group.UDF})
_FEATURES_OF_GROUP = {
    Group.FP_SIMD: "FP/SIMD",
    Group.SVE: "SVE",
    Group.SME: "SME",
    Group.POINTER_AUTH: "pointer authentication",
}
_NAMES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("ldadd", "ldclr", "ldeor", "ldset", "ldsm", "ldum", "swp", "cas"), "LSE atomics"),
    (("ldapr", "ldapur", "stlur"), "RCpc ordering"),
    (("cpy", "set"), "MOPS"),
    (("irg", "gmi", "subp", "stg", "st2g", "stzg", "stz2g", "ldg"), "MTE"),
    (("crc32",), "CRC32"),
    (("gcs",), "GCS"),
    (("wfet", "wfit"), "timed waits (WFxT)"),
    (("tstart", "tcommit", "tcancel", "ttest"), "TME"),
    (("sysp", "mrrs", "msrr"), "128-bit system instructions"),
    (("ldraa", "ldrab"), "pointer authentication"),
)
_DISABLED_HERE = {
    "hvc": "HVC is undefined without EL2, and where SCR_EL3.HCE is clear",
    "smc": "SMC is undefined without EL3",
}
_SPACES = ("fp-simd", "sve", "sme")
_SYSTEM = ("mrs", "msr", "sys", "sysl", "tlbi", "dc", "ic", "at")


class Undefined(NamedTuple):
    """The word at PC of an undefined-instruction exception."""

    insn: Insn
    fact: Fact
    words: tuple[int, ...]
    """The whole `Code:` line; only the word itself where a listing shows it."""


@lru_cache(maxsize=8)
def undefined_word(case: CaseView) -> Undefined | None:
    """Return what stood at PC; None where the text does not show it or the exception is another one."""
    if not is_undefined(case):
        return None
    code = next((c for c in case.all(CodeLine) if not case.at_el2 or c.hyp), None)
    if code is not None and code.faulting is not None:
        word = code.words[code.faulting]
        return None if word == BUG_WORD else Undefined(decode(word), code, code.words)
    faulting = case.faulting
    if code is not None or faulting is None:
        return None
    return Undefined(faulting.insn, faulting, (faulting.word,))


def is_undefined(case: CaseView) -> bool:
    """True where the report is one of an undefined instruction, at EL1 or EL2."""
    if case.kind is Kind.UNDEFINED_INSTRUCTION:
        return case.esr is None or case.esr.ec in (EC_UNKNOWN, EC_SYSTEM)
    return case.kind is Kind.HYP_PANIC and case.esr is not None and case.esr.ec == EC_UNKNOWN


def is_code(insn: Insn) -> bool:
    """True for a word that the architecture defines on some CPU."""
    return insn.group not in _NOT_CODE


def is_told_apart(insn: Insn) -> bool:
    """False for encodings of which only the space is known: some of them are of no CPU."""
    return insn.mnemonic not in _SPACES


def feature_of(insn: Insn) -> str | None:
    """Return what a CPU needs for a defined instruction, in words; None where every A64 CPU has it."""
    if insn.mnemonic in _DISABLED_HERE:
        return _DISABLED_HERE[insn.mnemonic]
    if insn.system_register is not None and insn.mnemonic in _SYSTEM:
        return f"the register {insn.system_register}"
    if insn.mnemonic.split()[0] in _SYSTEM:
        return f"the system instruction `{insn.mnemonic}`"
    found = next((words for names, words in _NAMES if insn.mnemonic.startswith(names)), None)
    if found is not None:
        return found
    if insn.group is Group.POINTER_AUTH and insn.word >> 12 == 0xD5032:
        return None  # a hint: a CPU without the feature executes it as NOP
    if insn.branch is not None and insn.branch.authenticated:
        return _FEATURES_OF_GROUP[Group.POINTER_AUTH]
    if insn.memory is not None and insn.memory.fp:
        return _FEATURES_OF_GROUP[Group.FP_SIMD]
    return _FEATURES_OF_GROUP.get(insn.group)


def listed_word(case: CaseView) -> ListingLine | None:
    """Return what a listing in the text shows at PC."""
    line = find_listed(case.all(Listing), case.registers.get("pc"), case.pc_ref)
    return line if line is not None and line.word is not None else None
