"""Whether moved code may hold an absolute kernel address, judged by what it does with it.

Names count only where the code cannot tell: what hyp code up to 5.11 hands to the code that makes the kernel panic.
Source: mailed patches to arch/arm64/kvm/hyp/hyp-entry.S, switch.c and nvhe/host.S (5.2 to 5.12): `ldr lr, =panic`,
`=__hyp_panic_string`, `=__kvm_handle_stub_hvc` made physical with kimage_voffset.
"""

from collections.abc import Sequence

from whypanic.audit.naming import NVHE_PREFIX
from whypanic.audit.value_uses import Use, Used
from whypanic.code.execution_domains import Domain

_EL2 = ("hyp", "hyp-idmap", "hyp-stub")
_FOR_EL1 = ("panic", "__hyp_panic_string", "nvhe_hyp_panic_handler")
_FOLLOWED = (Use.BRANCHED, Use.DEREFERENCED)
_VECTORS = ("vbar_el1", "vbar_el2", "elr_el1")
_OF_EL1 = ("vbar_el1", "elr_el1")
"""Without VHE these are EL1's own at EL2; an address of EL1 is right in them."""


def is_meant_for_el1(domain: Domain, uses: Sequence[Used], symbols: Sequence[str]) -> bool:
    """Tell whether an absolute address at EL2 is one that EL1 is to use, or is made into another first."""
    if domain.name not in _EL2:
        return False
    kinds = {use.kind for use in uses}
    if kinds and kinds <= {Use.ERET, Use.CONVERTED}:
        return True
    named = any(symbol.removeprefix(NVHE_PREFIX) in _FOR_EL1 for symbol in symbols)
    return named and not any(is_followed(use, domain) for use in uses)


def is_followed(use: Used, domain: Domain) -> bool:
    """Tell whether a use in a domain goes to the address."""
    if use.kind is not Use.SYSTEM:
        return use.kind in _FOLLOWED
    return use.register in _VECTORS and not (domain.name in _EL2 and use.register in _OF_EL1)
