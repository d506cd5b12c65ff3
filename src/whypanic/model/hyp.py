"""EL2 panics as the host printed them."""

from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef


class HypPanic(Fact, frozen=True, kw_only=True):
    """The three lines `PS: PC: ESR: / FAR: HPFAR: PAR: / VCPU:`. None: missing or damaged in the text."""

    ps: int | None
    """SPSR_EL2 at the panic."""
    pc: int | None
    """ELR_EL2 as the CPU held it: a hyp VA (nVHE) or a kernel VA (VHE)."""
    esr: int | None
    far: int | None
    hpfar: int | None
    par: int | None
    vcpu: int | None
    esr_digits: int = 8


class HypPanicAt(Fact, frozen=True, kw_only=True):
    """`kvm [N]: nVHE hyp WHAT at: [<addr>] symbol!` (5.13 and later, nVHE only)."""

    what: str
    """panic | BUG | CFI failure | UBSAN: ... as printed between `hyp` and `at:`."""
    address: int | None = None
    """PC + Hyp Offset as the kernel added them: means something only if PC was a hyp VA."""
    ref: SymbolRef | None = None
    """Symbol printed; the `__kvm_nvhe_` prefix is kept."""
    file: str | None = None
    line: int | None = None


class HypOffset(Fact, frozen=True, kw_only=True):
    """`Hyp Offset: 0x..`: link VA = hyp VA + offset, modulo 2^64."""

    offset: int


class HypVaRange(Fact, frozen=True, kw_only=True):
    """`HYP VA range: first:last`."""

    first: int
    last: int


class IdmapPage(Fact, frozen=True, kw_only=True):
    """`IDMAP page: pa`: physical address of the page of __hyp_idmap_text."""

    pa: int


class VmidBits(Fact, frozen=True, kw_only=True):
    """`8-bit VMID` | `16-bit VMID`."""

    bits: int


class KvmModeLine(Fact, frozen=True, kw_only=True):
    """The line with which KVM says in which mode it runs."""

    mode: str | None
    """nvhe | vhe | protected; None where the line does not tell (`Hyp mode initialized successfully` is nvhe)."""
    hvhe: bool | None = None
    available: bool = True
    """False: `HYP mode not available`, `KVM disabled from command line`."""
