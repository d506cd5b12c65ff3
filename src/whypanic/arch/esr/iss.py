"""Layouts of the syndrome fields ISS, bits [24:0], and ISS2, bits [55:32], by exception class.

Source: Arm ARM DDI 0487 L, ESR_EL1, ESR_EL2 and ESR_EL3, one ISS description per class, from
memory; held against Linux arch/arm64/include/asm/esr.h for the MOPS, GCS, OTHER, SME, System
instruction and ISS2 fields. A layout may depend on other bits of the same value (ISV, the status
code); positions are those in the whole ESR.
"""

from collections.abc import Callable

from whypanic.arch.esr.fault_status import fault_status
from whypanic.arch.esr.sysregs import sysreg_name
from whypanic.arch.fields import FieldSpec, bits

Layout = tuple[FieldSpec, ...]

_F = FieldSpec
_YES_NO = {0: "no", 1: "yes"}
_DIRECTION = {0: "write (MSR, MCR, STC)", 1: "read (MRS, MRC, LDC)"}
# fmt: off
_CONDITIONS = ("EQ", "NE", "CS", "CC", "MI", "PL", "VS", "VC",
               "HI", "LS", "GE", "LT", "GT", "LE", "AL", "NV")
# fmt: on


def register_name(number: int) -> str:
    """Return the name of a general-purpose register field."""
    return "xzr" if number == 31 else f"x{number}"


def _status(code: int) -> str:
    return fault_status(code).name


def _condition(code: int) -> str:
    return f"condition {_CONDITIONS[code]}"


_CONDITIONAL: Layout = (
    _F("CV", 24, 1, {0: "COND is not valid", 1: "COND is valid"}),
    _F("COND", 20, 4, _condition),
)
_IMM16 = _F("imm16", 0, 16, lambda imm: f"#{imm:#x}")

_WFX: Layout = (
    *_CONDITIONAL,
    _F("RN", 5, 5, lambda n: f"register of the timeout, if RV: {register_name(n)}"),
    _F("RV", 2, 1, {0: "RN is not valid", 1: "RN is valid"}),
    _F("TI", 0, 2, {0: "WFI", 1: "WFE", 2: "WFIT", 3: "WFET"}),
)
_MCR: Layout = (
    *_CONDITIONAL,
    _F("Opc2", 17, 3),
    _F("Opc1", 14, 3),
    _F("CRn", 10, 4),
    _F("Rt", 5, 5),
    _F("CRm", 1, 4),
    _F("Direction", 0, 1, _DIRECTION),
)
_MCRR: Layout = (
    *_CONDITIONAL,
    _F("Opc1", 16, 4),
    _F("Rt2", 10, 5),
    _F("Rt", 5, 5),
    _F("CRm", 1, 4),
    _F("Direction", 0, 1, _DIRECTION),
)
_LDC: Layout = (
    *_CONDITIONAL,
    _F("imm8", 12, 8),
    _F("Rn", 5, 5),
    _F("Offset", 4, 1, {0: "subtract offset", 1: "add offset"}),
    _F("AM", 1, 3, {0: "immediate unindexed", 1: "immediate post-indexed", 2: "immediate offset",
                    3: "immediate pre-indexed", 4: "literal unindexed", 6: "literal offset"}),
    _F("Direction", 0, 1, _DIRECTION),
)  # fmt: skip
_OTHER: Layout = (
    _F("ISS", 0, 25, {0: "ST64BV", 1: "ST64BV0", 2: "LD64B or ST64B", 3: "TSB CSYNC",
                      4: "PSB CSYNC"}),
)  # fmt: skip
_BTI: Layout = (
    _F("BTYPE", 0, 2, {0: "--", 1: "jc: BR by x16 or x17, or from an unguarded page",
                       2: "c: BLR", 3: "j: BR by another register from a guarded page"}),
)  # fmt: skip
_SMC32: Layout = (*_CONDITIONAL, _F("CCKNOWNPASS", 19, 1, {0: "unconditional", 1: "conditional"}))
_ERET: Layout = (
    _F("ERET", 1, 1, {0: "ERET", 1: "ERETAA or ERETAB"}),
    _F("ERETA", 0, 1, {0: "ERETAA, if ERET is 1", 1: "ERETAB, if ERET is 1"}),
)
_TSTART: Layout = (_F("Rd", 5, 5, register_name),)
_FPAC: Layout = (
    _F("Key", 1, 1, {0: "instruction key", 1: "data key"}),
    _F("KeyAB", 0, 1, {0: "A key", 1: "B key"}),
)
_SME: Layout = (
    _F("SMTC", 0, 3, {0: "SME is disabled", 1: "instruction is illegal in streaming SVE mode",
                      2: "PSTATE.SM is 0", 3: "PSTATE.ZA is 0", 4: "access to ZT0 is disabled"}),
)  # fmt: skip
_GPC: Layout = (
    _F("S2PTW", 21, 1, _YES_NO),
    _F("InD", 20, 1, {0: "data access", 1: "instruction access"}),
    _F("GPCSC", 14, 6, {
        0x00: "GPT address size fault at level 0", 0x01: "GPT address size fault at level 1",
        0x04: "GPT walk fault at level 0", 0x05: "GPT walk fault at level 1",
        0x0c: "granule protection fault at level 0", 0x0d: "granule protection fault at level 1",
        0x14: "external abort on GPT fetch at level 0",
        0x15: "external abort on GPT fetch at level 1",
    }),
    _F("VNCR", 13, 1, _YES_NO),
    _F("CM", 8, 1, _YES_NO),
    _F("S1PTW", 7, 1, _YES_NO),
    _F("WnR", 6, 1, {0: "read", 1: "write"}),
    _F("xFSC", 0, 6, _status),
)  # fmt: skip
_MOPS: Layout = (
    _F("MemInst", 24, 1, {0: "CPY*", 1: "SET*"}),
    _F("isSETG", 23, 1, {0: "not SETG*", 1: "SETG*"}),
    _F("Options", 19, 4),
    _F("FromEpilogue", 18, 1, {0: "main", 1: "epilogue"}),
    _F("WrongOption", 17, 1, _YES_NO),
    _F("OptionA", 16, 1, {0: "option B", 1: "option A"}),
    _F("destreg", 10, 5, register_name),
    _F("srcreg", 5, 5, register_name),
    _F("sizereg", 0, 5, register_name),
)
_FP: Layout = (
    _F("TFV", 23, 1, {0: "the exception bits are UNKNOWN", 1: "the exception bits are valid"}),
    _F("VECITR", 8, 3),
    _F("IDF", 7, 1, {0: "", 1: "input denormal"}),
    _F("IXF", 4, 1, {0: "", 1: "inexact"}),
    _F("UFF", 3, 1, {0: "", 1: "underflow"}),
    _F("OFF", 2, 1, {0: "", 1: "overflow"}),
    _F("DZF", 1, 1, {0: "", 1: "divide by zero"}),
    _F("IOF", 0, 1, {0: "", 1: "invalid operation"}),
)
_GCS: Layout = (
    _F("ExType", 20, 4, {0: "data check", 1: "EXLOCK", 2: "GCSSTR or GCSSTTR trap"}),
    _F("Raddr", 10, 5, register_name),
    _F("Rvalue_or_Rn", 5, 5, register_name),
    _F("IT", 0, 5, {0: "RET", 1: "GCSPOPM", 2: "RETAA", 3: "RETAB", 4: "GCSSS1", 5: "GCSSS2",
                    6: "GCSPOPCX", 7: "GCSPOPX"}),
)  # fmt: skip
_STEP: Layout = (
    _F("ISV", 24, 1, {0: "EX is not valid", 1: "EX is valid"}),
    _F("EX", 6, 1, {0: "not a load-exclusive", 1: "a load-exclusive was stepped"}),
    _F("IFSC", 0, 6, {0x22: "debug exception"}),
)
_BREAKPOINT: Layout = (_F("IFSC", 0, 6, {0x22: "debug exception"}),)
_WATCHPOINT: Layout = (
    _F("WPT", 18, 6, lambda n: f"watchpoint {n}, if WPTV"),
    _F("WPTV", 17, 1, {0: "WPT is not valid", 1: "WPT is valid"}),
    _F("WPF", 16, 1, {0: "", 1: "may be a false positive"}),
    _F("FnP", 15, 1, {0: "FAR is precise", 1: "FAR is not precise"}),
    _F("VNCR", 13, 1, _YES_NO),
    _F("FnV", 10, 1, {0: "FAR is valid", 1: "FAR is not valid"}),
    _F("CM", 8, 1, {0: "", 1: "cache maintenance or address translation instruction"}),
    _F("WnR", 6, 1, {0: "read", 1: "write"}),
    _F("DFSC", 0, 6, {0x22: "debug exception"}),
)
_BRK: Layout = (_F("Comment", 0, 16, lambda imm: f"BRK #{imm:#x}"),)
_UNALLOCATED: Layout = (_F("ISS", 0, 25, "layout not known for this class"),)
_IMPDEF: Layout = (_F("ISS", 0, 25, "IMPLEMENTATION DEFINED"),)

# Fields shared by aborts and SError ------------------------------------------------------------

_WRITE_UPDATE = {0: "not a store, or not known", 2: "a store that did not update the location",
                 3: "a store that updated the location"}  # fmt: skip
_SYNCHRONOUS_ERROR_TYPE = {0: "recoverable (UER)", 2: "uncontainable (UC)", 3: "restartable (UEO)"}
_ASYNCHRONOUS_ERROR_TYPE = {0: "uncontainable (UC)", 1: "unrecoverable (UEU)",
                            2: "restartable (UEO)", 3: "recoverable (UER)",
                            6: "corrected (CE)"}  # fmt: skip
_EXTERNAL = _F("EA", 9, 1, "IMPLEMENTATION DEFINED classification of external aborts")
_S1PTW = _F("S1PTW", 7, 1, {0: "not on a stage 2 fault of a stage 1 walk",
                            1: "stage 2 fault on an access made for a stage 1 walk"})  # fmt: skip
_WNR = {0: "read", 1: "write"}
_PFV = _F("PFV", 14, 1, {0: "PFAR is not valid", 1: "PFAR is valid"})
_WU = _F("WU", 16, 2, _WRITE_UPDATE)
_EXTERNAL_ABORT = 0x10


def _fnv(code: int) -> FieldSpec:
    if code == _EXTERNAL_ABORT:
        return _F("FnV", 10, 1, {0: "FAR is valid", 1: "FAR is not valid"})
    text = {0: "FAR is valid", 1: "res0_set: means nothing for this fault status"}
    return _F("FnV", 10, 1, text)


def _instruction_abort(esr: int) -> Layout:
    code = bits(esr, 0, 6)
    synchronous = code == _EXTERNAL_ABORT
    text = _SYNCHRONOUS_ERROR_TYPE if synchronous else "only for a synchronous external abort"
    return (
        _F("TopLevel", 21, 1, _YES_NO),
        _PFV,
        _F("SET", 11, 2, text),
        _fnv(code),
        _EXTERNAL,
        _S1PTW,
        _F("IFSC", 0, 6, _status),
    )


def _data_abort(esr: int) -> Layout:
    code = bits(esr, 0, 6)
    valid = bits(esr, 24)
    access: Layout
    if valid:
        access = (
            _F("SAS", 22, 2, {0: "1 byte", 1: "2 bytes", 2: "4 bytes", 3: "8 bytes"}),
            _F("SSE", 21, 1, {0: "zero-extended", 1: "sign-extended"}),
            _F("SRT", 16, 5, register_name),
            _F("SF", 15, 1, {0: "32-bit register", 1: "64-bit register"}),
            _F("AR", 14, 1, {0: "no acquire/release", 1: "acquire/release"}),
        )
    else:
        access = (
            _F("TopLevel", 21, 1, _YES_NO),
            _WU,
            _F("FnP", 15, 1, {0: "FAR is precise", 1: "FAR is not precise"}),
            _PFV,
        )
    return (
        _F("ISV", 24, 1, {0: "bits [23:14] do not describe the access",
                          1: "bits [23:14] describe the access"}),
        *access,
        _F("VNCR", 13, 1, {0: "", 1: "on an access by VNCR_EL2"}),
        _set_or_lst(code),
        _fnv(code),
        _EXTERNAL,
        _F("CM", 8, 1, {0: "not a cache maintenance instruction",
                        1: "cache maintenance or address translation instruction"}),
        _S1PTW,
        _F("WnR", 6, 1, _WNR),
        _F("DFSC", 0, 6, _status),
    )  # fmt: skip


def _set_or_lst(code: int) -> FieldSpec:
    if code == _EXTERNAL_ABORT:
        return _F("SET", 11, 2, _SYNCHRONOUS_ERROR_TYPE)
    if code == 0x35:
        return _F("LST", 11, 2, {0: "not given", 1: "ST64BV", 2: "LD64B or ST64B", 3: "ST64BV0"})
    return _F("SET", 11, 2, "only for a synchronous external abort")


def _serror(esr: int) -> Layout:
    ids = _F("IDS", 24, 1, {0: "architected syndrome", 1: "IMPLEMENTATION DEFINED syndrome"})
    if bits(esr, 24):
        return (ids, _F("ISS", 0, 24, "IMPLEMENTATION DEFINED"))
    categorised = bits(esr, 0, 6) == 0x11
    return (
        ids,
        _WU,
        _PFV,
        _F("IESB", 13, 1, {0: "not synchronised by an implicit error synchronisation event",
                           1: "synchronised by an implicit error synchronisation event"}),
        _F("AET", 10, 3, _ASYNCHRONOUS_ERROR_TYPE if categorised else "only with DFSC 0x11"),
        _EXTERNAL,
        _F("WnRV", 8, 1, {0: "WnR is not valid", 1: "WnR is valid"}),
        _F("WnR", 6, 1, _WNR),
        _F("DFSC", 0, 6, {0: "uncategorised", 0x11: "asynchronous SError exception"}),
    )  # fmt: skip


def _sysreg(esr: int) -> str:
    op0, op2, op1 = bits(esr, 20, 2), bits(esr, 17, 3), bits(esr, 14, 3)
    return sysreg_name((op0, op1, bits(esr, 10, 4), bits(esr, 1, 4), op2))


def _msr(esr: int) -> Layout:
    name = _sysreg(esr)
    return (
        _F("Op0", 20, 2, name),
        _F("Op2", 17, 3),
        _F("Op1", 14, 3),
        _F("CRn", 10, 4),
        _F("Rt", 5, 5, register_name),
        _F("CRm", 1, 4),
        _F("Direction", 0, 1, {0: f"write: MSR {name} or the instruction",
                               1: f"read: MRS of {name}"}),
    )  # fmt: skip


def _msrr(esr: int) -> Layout:
    return (
        _F("Op0", 20, 2, _sysreg(esr)),
        _F("Op2", 17, 3),
        _F("Op1", 14, 3),
        _F("CRn", 10, 4),
        _F("Rt", 6, 4, lambda n: f"x{2 * n} and x{2 * n + 1}"),
        _F("CRm", 1, 4),
        _F("Direction", 0, 1, {0: "write (MSRR)", 1: "read (MRRS)"}),
    )


_FIXED: dict[int, Layout] = {
    0x00: (),
    0x01: _WFX,
    0x03: _MCR,
    0x04: _MCRR,
    0x05: _MCR,
    0x06: _LDC,
    0x07: _CONDITIONAL,
    0x08: _MCR,
    0x09: (),
    0x0A: _OTHER,
    0x0C: _MCRR,
    0x0D: _BTI,
    0x0E: (),
    0x11: (_IMM16,),
    0x12: (_IMM16,),
    0x13: _SMC32,
    0x15: (_IMM16,),
    0x16: (_IMM16,),
    0x17: (_IMM16,),
    0x19: (),
    0x1A: _ERET,
    0x1B: _TSTART,
    0x1C: _FPAC,
    0x1D: _SME,
    0x1E: _GPC,
    0x1F: _IMPDEF,
    0x22: (),
    0x26: (),
    0x27: _MOPS,
    0x28: _FP,
    0x2C: _FP,
    0x2D: _GCS,
    0x30: _BREAKPOINT,
    0x31: _BREAKPOINT,
    0x32: _STEP,
    0x33: _STEP,
    0x34: _WATCHPOINT,
    0x35: _WATCHPOINT,
    0x38: _BRK,
    0x3A: _BREAKPOINT,
    0x3C: _BRK,
}
_COMPUTED: dict[int, Callable[[int], Layout]] = {
    0x14: _msrr,
    0x18: _msr,
    0x20: _instruction_abort,
    0x21: _instruction_abort,
    0x24: _data_abort,
    0x25: _data_abort,
    0x2F: _serror,
}

# ISS2 -------------------------------------------------------------------------------------------

_HDBSSF = _F("HDBSSF", 43, 1, {0: "", 1: "fault of the hardware dirty state structure"})
_ASSURED = _F("AssuredOnly", 39, 1, {0: "", 1: "AssuredOnly check of stage 2 failed"})
_OVERLAY = _F("Overlay", 38, 1, {0: "", 1: "permission overlay denied the access"})
_DATA_ISS2: Layout = (
    _HDBSSF,
    _F("TnD", 42, 1, {0: "", 1: "tag access by a NoTagAccess page"}),
    _F("TagAccess", 41, 1, {0: "", 1: "fault on an allocation tag access"}),
    _F("GCS", 40, 1, {0: "", 1: "Guarded Control Stack access"}),
    _ASSURED,
    _OVERLAY,
    _F("DirtyBit", 37, 1, {0: "", 1: "write to a page whose dirty state is clean"}),
    _F("Xs", 32, 5, lambda n: f"status register of ST64BV or ST64BV0: {register_name(n)}"
       if n else "only for ST64BV and ST64BV0"),
)  # fmt: skip
_INSTRUCTION_ISS2: Layout = (_HDBSSF, _ASSURED, _OVERLAY)


def layout_of(ec: int, esr: int) -> Layout:
    """Return the rows of ISS and ISS2 for one value; bits that no row names are reserved."""
    iss = _COMPUTED[ec](esr) if ec in _COMPUTED else _FIXED.get(ec, _UNALLOCATED)
    if ec in (0x24, 0x25):
        return (*_DATA_ISS2, *iss)
    if ec in (0x20, 0x21):
        return (*_INSTRUCTION_ISS2, *iss)
    if ec not in _FIXED and ec not in _COMPUTED:
        return (_F("ISS2", 32, 24, "layout not known for this class"), *iss)
    return iss
