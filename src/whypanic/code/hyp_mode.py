"""In which mode KVM ran on the host of a crash, as far as its text tells."""

from collections.abc import Iterable

from whypanic.arch.cpucaps import decode_features
from whypanic.arch.pstate import decode_pstate
from whypanic.model.context import CommandLine, CpuFeatures, KernelVersion
from whypanic.model.hyp import HypOffset, HypPanic, HypPanicAt, HypVaRange, KvmModeLine
from whypanic.model.lab_facts import BootedOn
from whypanic.model.provenance import Derived, Fact, Origin

_VHE_CAPABILITY = "HAS_VIRT_HOST_EXTN"
_KVM_MODE = "kvm-arm.mode="
_NO_HYP = ("el1", "kvm-off")
_TOLD = ("nvhe-on-vhe", "hvhe", "protected")
"""Modes of the lab without a hypervisor, and those that the command line asks for on a CPU with VHE."""


class HypMode(Derived, frozen=True, kw_only=True):
    """How EL2 was used: nvhe (its own page tables), vhe (the kernel itself runs there), protected."""

    mode: str
    hvhe: bool | None
    sentence: str
    certain: bool = True

    @property
    def statement(self) -> str:
        return self.sentence


def has_virt_host_extension(features: CpuFeatures, release: str | None) -> bool | None:
    """Return whether the capability bitmap holds VIRT_HOST_EXTN; None where no table for the kernel names it."""
    return decode_features(features.raw, release).has(_VHE_CAPABILITY)


def infer_hyp_mode(facts: Iterable[Fact]) -> HypMode | None:
    """Return the KVM mode of the host kernel; None where nothing in the text says.

    What KVM prints of itself comes first, then the lab's machine, what only one mode prints, the capability that makes
    the kernel run at EL2 (VIRT_HOST_EXTN), then the address that PC held.
    """
    known = tuple(facts)
    return (
        _printed(known)
        or _booted(known)
        or _implied(known)
        or _from_capability(known)
        or _from_pc(known)
    )


def _printed(facts: tuple[Fact, ...]) -> HypMode | None:
    lines = [f for f in facts if isinstance(f, KvmModeLine) and f.mode]
    if not lines:
        return None
    line = next((f for f in lines if f.mode == "protected"), lines[-1])
    return HypMode(
        source=line.source,
        because=(line,),
        mode=line.mode or "nvhe",
        hvhe=line.hvhe,
        sentence=f"KVM says so itself: `{line.source.text.strip()}`",
    )


def _implied(facts: tuple[Fact, ...]) -> HypMode | None:
    command = next((f for f in facts if isinstance(f, CommandLine) and _KVM_MODE in f.text), None)
    protected = command is not None and f"{_KVM_MODE}protected" in command.text
    for cls, words in (
        (HypPanicAt, "the kernel calls it an nVHE hyp panic"),
        (HypOffset, "`Hyp Offset` is printed for nVHE only"),
        (HypVaRange, "a HYP VA range is set up for nVHE only"),
    ):
        fact = next(
            (f for f in facts if isinstance(f, cls) and f.source.origin is not Origin.IMAGE), None
        )
        if fact is not None:
            mode = "protected" if protected else "nvhe"
            return HypMode(
                source=fact.source, because=(fact,), mode=mode, hvhe=None, sentence=words
            )
    return None


def _booted(facts: tuple[Fact, ...]) -> HypMode | None:
    booted = next((f for f in facts if isinstance(f, BootedOn)), None)
    if booted is None or booted.mode in _NO_HYP or (booted.vhe and booted.mode not in _TOLD):
        return None
    return HypMode(
        source=booted.source,
        because=(booted,),
        mode="protected" if booted.mode == "protected" else "nvhe",
        hvhe=True if booted.mode == "hvhe" else None if booted.vhe else False,
        sentence=booted.statement,
        certain=booted.vhe is False,
    )


def _from_capability(facts: tuple[Fact, ...]) -> HypMode | None:
    features = next((f for f in facts if isinstance(f, CpuFeatures)), None)
    if features is None:
        return None
    kernel = next((f for f in facts if isinstance(f, KernelVersion)), None)
    present = has_virt_host_extension(features, kernel.release if kernel else None)
    if present is None:
        return None
    words = "holds" if present else "lacks"
    return HypMode(
        source=features.source,
        because=(features,),
        mode="vhe" if present else "nvhe",
        hvhe=None,
        sentence=f"the capability bitmap {features.raw} {words} {_VHE_CAPABILITY}",
    )


def _from_pc(facts: tuple[Fact, ...]) -> HypMode | None:
    panic = next((f for f in facts if isinstance(f, HypPanic)), None)
    if panic is None or panic.pc is None:
        return None
    if panic.ps is not None and decode_pstate(panic.ps).el != 2:
        return None
    if panic.pc >> 55 & 1 or panic.pc == 0:
        return None
    return HypMode(
        source=panic.source,
        because=(panic,),
        mode="nvhe",
        hvhe=None,
        sentence=f"PC {panic.pc:#018x} is in the lower address range, where only nVHE places EL2 code",
        certain=False,
    )
