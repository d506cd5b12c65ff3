"""The access that the syndrome itself describes (ISV = 1), held against the instruction at PC.

EL1 reports ISV = 1 on some CPUs even for faults of stage 1. Source: Arm ARM DDI 0487 L, ESR_EL1, ISS of a Data Abort
(SAS, SSE, SRT, SF, AR, WnR).
"""

from typing import NamedTuple

from whypanic.arch.esr import EsrView
from whypanic.arch.insn import Insn

_ZERO = 31


class IsvCheck(NamedTuple):
    """What the syndrome says of the access; `agrees` is None where no instruction is known."""

    agrees: bool | None
    text: str


def check_isv(esr: EsrView, insn: Insn | None) -> IsvCheck | None:
    """Return the access of the syndrome, compared with the instruction; None where ISV is 0."""
    size, number = esr.sas_bytes, esr.srt
    if size is None or number is None:
        return None
    what = "store" if esr.wnr else "load"
    register = "xzr" if number == _ZERO else f"x{number}"
    said = f"ISV = 1: a {what} of {size} byte{'s' if size > 1 else ''}, register {register}"
    memory = insn.memory if insn is not None else None
    if insn is None:
        return IsvCheck(None, said)
    if memory is None:
        return IsvCheck(False, f"{said}; the instruction at PC accesses no memory")
    differs = [
        words
        for wrong, words in (
            (memory.n_bytes != size, f"{memory.n_bytes} bytes"),
            (memory.data[:1] != (register,), f"register {', '.join(memory.data[:1]) or 'none'}"),
            (not (memory.store if esr.wnr else memory.load), "the other direction"),
        )
        if wrong
    ]
    if differs:
        return IsvCheck(
            False,
            f"{said}; the instruction at PC says {', '.join(differs)}: syndrome and code are not of one event",
        )
    return IsvCheck(True, f"{said}, as the instruction at PC says")
