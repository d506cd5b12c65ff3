"""Whether the kernel's own addresses are valid where some code of a moved domain runs.

The idmap turns the MMU on with the kernel's page tables in TTBR1, and from then on may follow link addresses; so may
the KPTI trampoline between its two switches of TTBR1.

Source: Linux 6.1 arch/arm64/kernel/head.S and sleep.S (__enable_mmu, then `ldr x8, =...` and `br x8`), kernel/entry.S
(tramp_map_kernel, tramp_unmap_kernel, tramp_exit).
"""

from whypanic.audit.function_code import FunctionCode, codes_of, span_of
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.code.masks import MASKS
from whypanic.code.register_values import RegisterValues

_MAX_BACK = 256
_MAX_CHAIN = 8
_MAX_CALLEE = 64
_TURNS_ON = "__enable_mmu"
_LINKED = ("__primary_switched", "__secondary_switched")
"""Functions of head.S that run at their link address, after relocation."""
_TTBR1 = 0xD5182020
_SCTLR = 0xD5181000
_RT = 0x1F


def runs_linked(domain: Domain, name: str) -> bool:
    """Tell whether a function of a domain runs at its link address after all."""
    return domain.name in ("early", "idmap") and name in _LINKED


def kernel_is_mapped(view: AuditView, domain: Domain, code: FunctionCode, place: int) -> bool:
    """Tell whether a word runs when the kernel's page tables are in force, by the straight line that leads to it."""
    if runs_linked(domain, code.span.name):
        return True
    if domain.name == "trampoline":
        for at, word in _line(code, place, -1):
            if word & ~_RT == _TTBR1:
                return not _unmaps(code, at, word & _RT)
        # On the way out the kernel is still mapped, up to the switch.
        after = next((x for x in _line(code, place, 1) if x[1] & ~_RT == _TTBR1), None)
        return after is not None and _unmaps(code, after[0], after[1] & _RT)
    if domain.name not in ("idmap", "early"):
        return False
    for at, word in _line(code, place, -1):
        if word & ~_RT == _SCTLR:
            return _turns_on(code.values, at, word & _RT)
        if MASKS["bl"].fits(word) and _enables(view, domain, code, at):
            return True
    return False


def _line(code: FunctionCode, place: int, step: int) -> list[tuple[int, int]]:
    """Return (number, word) before (step -1) or behind (1) a word, nearest first, up to what does not go on."""
    found: list[tuple[int, int]] = []
    last = place + step * (_MAX_BACK + 1)
    for at in range(place + step, min(max(last, -1), len(code.flow)), step):
        word = code.flow.words[at]
        leaves = MASKS["any register"].fits(word) and not MASKS["blr"].fits(word)
        if not code.flow.is_code(at) or leaves or MASKS["b"].fits(word):
            break
        found.append((at, word))
    return found


def _unmaps(code: FunctionCode, place: int, number: int) -> bool:
    """Tell whether what is written to TTBR1_EL1 has the ASID of user mode: a bit is set in it, not cleared.

    USER_ASID_FLAG: tramp_map_kernel clears it by BIC, tramp_unmap_kernel sets it by ORR.
    """
    flow = code.flow
    for at in range(place - 1, max(place - _MAX_CHAIN, 0) - 1, -1):
        insn = flow.insn(at)
        if f"x{number}" in insn.writes and insn.immediate is not None:
            if insn.mnemonic == "orr":
                return True
            if insn.mnemonic in ("and", "bic"):
                return False
    return False


def _turns_on(values: RegisterValues, place: int, number: int) -> bool:
    """Tell whether what is written to SCTLR_EL1 has M set, or is not known."""
    if number == _RT:
        return False
    register = f"x{number}"
    value = values.before(register, place)
    if not value.terms:
        return bool(value.constant & 1)
    for definition in values.flow.definitions(register, place):
        insn = values.flow.insn(definition) if definition >= 0 else None
        if insn is not None and insn.mnemonic in ("bic", "and"):
            mask = insn.immediate
            if mask is None or not mask & 1:
                return False
    return True


def _enables(view: AuditView, domain: Domain, code: FunctionCode, place: int) -> bool:
    """Tell whether a call leads to a function of the domain that turns the MMU on."""
    address = code.address(place)
    for entry in view.image.relocations_within(address, address + 1):
        if entry.symbol == _TURNS_ON:
            return True
    branch = code.flow.insn(place).branch
    target = address + (branch.offset or 0) if branch is not None else address
    if not domain.holds(target):
        return False
    span = span_of(view, domain, target)
    if span is None:
        return False
    if any(symbol.name == _TURNS_ON for symbol in view.image.symbols.all_at(target)):
        return True
    codes = codes_of(view, span)
    if not codes:
        return False
    callee, first = codes[0], (target - span.first) // 4
    words = enumerate(callee.flow.words[first : first + _MAX_CALLEE], first)
    written = [(at, word & _RT) for at, word in words if word & ~_RT == _SCTLR]
    return bool(written) and _turns_on(callee.values, *written[-1])
