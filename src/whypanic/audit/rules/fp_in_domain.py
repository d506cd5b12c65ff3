"""Code uses floating-point, SIMD, SVE or SME registers where they are trapped or belong to somebody else.

Neighbouring instructions of one function are one finding.

Why it breaks: At EL2 without VHE, CPTR_EL2 traps FP until the hyp code has saved the guest's or the host's registers:
an exception of class 0x07 taken from EL2 to EL2, which is a panic. In the other domains nothing saves what the
instruction overwrites, and where FP is not enabled yet it traps with no vectors to take it. The kernel is built with
-mgeneral-regs-only; a file that loses the flag has its structures copied and cleared through Q registers, at -O2
already.

Example:
    .section .hyp.text, "ax"
    copy_context:
      ldp q0, q1, [x1]
      stp q0, q1, [x0]
      ret

False positives: The functions whose purpose it is, of arch/arm64/kvm/hyp/fpsimd.S: `__fpsimd_save_state`,
`__fpsimd_restore_state`, `__sve_save_state`, `__sve_restore_state`, `__sve_get_vl`, `__sme_save_state`,
`__sme_restore_state`, with the prefix `__kvm_nvhe_` too. Their callers only write system registers, which are no FP
instructions. CPY* and SET* share a bit with FP loads and stores and are left out. Literal pools and the exception
table between the functions are data. The vDSO is not looked at: it runs at EL0 by the procedure call standard, and
6.12 has a NEON function in it; nor is the EFI stub: UEFI enables FP.

Sources: Arm ARM DDI 0487, encoding index (masks held against two disassemblers); Linux 6.1.192 and mainline
arch/arm64/kvm/hyp/fpsimd.S.

From memory: `__sve_get_vl` and the SME functions are from posted patches; 6.12 arch/arm64/kernel/vdso/
vgetrandom-chacha.S.
"""

from collections.abc import Iterator

import numpy as np

from whypanic.audit.api import rule
from whypanic.audit.naming import function_name
from whypanic.audit.view import AuditView, Instructions
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import MASKS
from whypanic.model.audit import Evidence, Finding, Level, PredictedFault

_ID = "fp-in-domain"
_SAVERS = frozenset(
    f"__{unit}_{what}"
    for unit in ("fpsimd", "sve", "sme")
    for what in ("save_state", "restore_state", "get_vl")
)
_FP_TRAP = 0x07
_APART = 16
"""Bytes between two instructions of one finding at most."""
_MAX_SLICE = 12


@rule(
    number="R15",
    id=_ID,
    title="code uses FP, SIMD, SVE or SME registers where it must not",
    domains=("hyp", "hyp-idmap", "hyp-stub", "idmap", "early", "trampoline", "kexec", "hibernate"),
)
def fp_in_domain(view: AuditView) -> Iterator[Finding]:
    """Yield runs of FP instructions outside the functions that save and restore FP state."""
    for domain in view.named(fp_in_domain.domains):
        found = _fp(view.instructions(domain))
        runs: list[list[tuple[int, int, bool]]] = []
        last: tuple[int, str] | None = None
        for place, word, patched in found:
            name = function_name(view.image, place)
            if name in _SAVERS:
                continue
            if last is None or place - last[0] > _APART or name != last[1]:
                runs.append([])
            runs[-1].append((place, word, patched))
            last = (place, name)
        yield from (_finding(domain, run) for run in runs)


def _fp(code: Instructions) -> Instructions:
    hits = np.zeros(len(code.words), np.bool_)
    for name in ("fp data", "fp load-store", "sve", "sme"):
        hits |= MASKS[name].hits(code.words)
    return code.where(hits & ~MASKS["mops"].hits(code.words))


def _finding(domain: Domain, run: list[tuple[int, int, bool]]) -> Finding:
    place, word, patched = run[0]
    is_hyp = domain.name == "hyp"
    count = len(run)
    what = _unit(word)
    evidence = []
    if count > 1:
        span = f"{count} such instructions, up to {run[-1][0]:#x}"
        evidence.append(Evidence(text=span, address=run[-1][0]))
    if patched:
        evidence.append(Evidence(text="an alternative puts this instruction here", address=place))
    if not is_hyp:
        text = "nothing saves the registers that it changes; where FP is not enabled it traps"
        evidence.append(Evidence(text=text))
    shown = tuple(dict.fromkeys(p for p, _, _ in run))[:_MAX_SLICE]
    return Finding(
        rule=_ID,
        level=Level.ERROR if is_hyp else Level.WARNING,
        title=f"{what} instruction{'s' if count > 1 else ''} in the {domain.title}",
        domain=domain.name,
        place=place,
        slice=shown,
        word=word if patched else None,
        evidence=tuple(evidence),
        fault=PredictedFault(ec=_FP_TRAP, fsc=None, far_region=None),
        cause="fp-trap-at-el2" if domain.name.startswith("hyp") else "early-hang",
        remedy="build the file with -mgeneral-regs-only",
    )


def _unit(word: int) -> str:
    if MASKS["sve"].fits(word):
        return "SVE"
    return "SME" if MASKS["sme"].fits(word) else "FP or SIMD"
