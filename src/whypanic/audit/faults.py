"""The exception that following an absolute kernel address raises, by domain.

From memory: Arm ARM DDI 0487, translation of addresses above the size set by TCR_EL2.T0SZ (a level 0 translation fault
where EL2 has TTBR0_EL2 only), and with the MMU off (an address size fault at level 0).
"""

from typing import NamedTuple

from whypanic.audit.naming import NVHE_OBJECTS
from whypanic.audit.view import AuditView
from whypanic.code.execution_domains import Domain
from whypanic.model.audit import Evidence, PredictedFault
from whypanic.model.regions import Region

MOVED = (
    *("hyp-idmap", "hyp-stub", "hyp", "idmap", "trampoline", "kexec", "hibernate"),
    *("efi-stub", "early", "own"),
)
"""Domains that do not run at their link address."""
_FETCH, _ACCESS = 0x21, 0x25
_TRANSLATION_0, _SIZE_0 = 0x04, 0x00
_FSC = {"hyp": _TRANSLATION_0, "hyp-stub": _SIZE_0}
_EL2 = ("hyp", "hyp-idmap")


class _Cause(NamedTuple):
    branch: str
    access: str


_CAUSES = {
    "hyp": _Cause("absolute-pointer-at-el2", "absolute-pointer-at-el2"),
    "hyp-idmap": _Cause("absolute-pointer-at-el2", "absolute-pointer-at-el2"),
    "hyp-stub": _Cause("stuck-at-el2", "stuck-at-el2"),
    "idmap": _Cause("early-hang", "early-hang"),
    "early": _Cause("early-hang", "early-hang"),
    "efi-stub": _Cause("early-hang", "early-hang"),
    "kexec": _Cause("early-hang", "early-hang"),
    "hibernate": _Cause("early-hang", "early-hang"),
}
_OTHER = _Cause("wild-branch", "wild-pointer")


def fetch_fault(domain: Domain) -> PredictedFault:
    """Return what a branch to an address of the kernel image raises in a domain."""
    return PredictedFault(ec=_FETCH, fsc=_FSC.get(domain.name), far_region=Region.IMAGE)


def access_fault(domain: Domain) -> PredictedFault:
    """Return what a load or store at an address of the kernel image raises in a domain."""
    return PredictedFault(ec=_ACCESS, fsc=_FSC.get(domain.name), far_region=Region.IMAGE)


def cause_of(domain: Domain, *, branch: bool) -> str:
    """Return the cause that `explain` would name, or a lab where the domain runs before there is any text."""
    causes = _CAUSES.get(domain.name, _OTHER)
    return causes.branch if branch else causes.access


def serves_vhe(view: AuditView, domain: Domain) -> bool:
    """Tell whether hyp code runs with VHE too: until 5.8 there was one copy of it."""
    if domain.name != "hyp":
        return False
    if domain.era.startswith("4.9 to 5.8"):
        return True
    if domain.era.startswith(NVHE_OBJECTS):
        return False
    return (
        view.is_object
        and view.hyp_relocations is None
        and view.image.section(".hyp.rodata") is None
    )


def runs_where(view: AuditView, domain: Domain) -> Evidence:
    """Return the sentence that says why a link address is wrong in a domain."""
    if serves_vhe(view, domain):
        return Evidence(
            text="hyp code of this kernel serves both modes: with VHE it runs at its link address plus the KASLR "
            "offset and the address is right, without VHE it runs at a hyp VA and the address is not mapped"
        )
    if domain.name in _EL2 and view.hyp_relocations is None:
        return Evidence(
            text="this kernel has no .hyp.reloc: nothing turns absolute addresses into hyp VAs"
        )
    return Evidence(text=f"{domain.title} runs at: {domain.runs_at}")
