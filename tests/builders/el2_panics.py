"""Panics at EL2 of the small images in `builders.hyp_images`: the text a kernel of theirs prints, explained with them."""

from pathlib import Path

from whypanic.app.analysis import Explained, explain_text
from whypanic.app.images import Images
from whypanic.causes.engine import Assessment

BANNER_4_14 = "Linux version 4.14.0 (a@b) (clang version 5.0.0) #7 SMP Mon Jan 1 00:00:00 UTC 2018"
BANNER_6_1 = (
    "Linux version 6.1.70 (a@b) (gcc 12.2.0, GNU ld 2.40) #3 SMP Mon Jan 1 00:00:00 UTC 2024"
)


def panic_4_14(
    pc: int, *, ps: int = 0x800003C9, esr: int = 0x86000004, far: int | None = None, kaslr: int = 0
) -> str:
    """Return the console of a 4.14 kernel; PC, FAR at run addresses."""
    far = pc if far is None else far
    offset = f"0x{kaslr:x} from 0xffff000008000000" if kaslr else "disabled"
    return f"""\
[    0.000000] Booting Linux on physical CPU 0x0
[    0.000000] {BANNER_4_14}
[    0.500000] kvm [1]: 8-bit VMID
[    0.510000] kvm [1]: HYP VA range: 800000000000:ffffffffffff
[    0.520000] kvm [1]: Hyp mode initialized successfully
[    0.600000] Kernel panic - not syncing: HYP panic:
[    0.600000] PS:{ps:08x} PC:{pc:016x} ESR:{esr:08x}
[    0.600000] FAR:{far:016x} HPFAR:0000000000000000 PAR:0000000000000000
[    0.600000] VCPU:0000000000000000
[    0.610000] CPU: 2 PID: 1 Comm: swapper/0 Not tainted 4.14.0 #7
[    0.620000] Hardware name: Example board (DT)
[    0.630000] SMP: stopping secondary CPUs
[    0.640000] Kernel Offset: {offset}
[    0.650000] CPU features: 0x002086
[    0.660000] Memory Limit: none
[    0.670000] ---[ end Kernel panic - not syncing: HYP panic:
"""


def panic_6_1(
    pc: int, *, hyp_offset: int, ps: int = 0x600003C9, esr: int, far: int, place: str
) -> str:
    """Return the console of a 6.1 kernel without KASLR whose nVHE code panicked at a hyp VA."""
    link = pc + hyp_offset & (1 << 64) - 1
    return f"""\
[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd034]
[    0.000000] {BANNER_6_1}
[    0.520000] kvm [1]: Hyp mode initialized successfully
[    9.100000] kvm [61]: nVHE hyp panic at: [<{link:016x}>] {place}!
[    9.100000] kvm [61]: Hyp Offset: {hyp_offset:#x}
[    9.100000] Kernel panic - not syncing: HYP panic:
[    9.100000] PS:{ps:08x} PC:{pc:016x} ESR:{esr:016x}
[    9.100000] FAR:{far:016x} HPFAR:0000000000000000 PAR:0000000000000000
[    9.100000] VCPU:0000000000000000
[    9.110000] CPU: 1 PID: 61 Comm: runner Not tainted 6.1.70 #3
[    9.120000] Hardware name: Example board (DT)
[    9.130000] Kernel Offset: disabled
"""


def explained(text: str, *images: Path, allow_mismatch: bool = False) -> Explained:
    """Return the only report of a text, explained with images."""
    said: list[str] = []
    given = Images([str(i) for i in images], allow_mismatch=allow_mismatch, say=said.append)
    (report,) = explain_text(text.encode())[1]
    return given.refine(report)


def assessment(found: Explained, cause: str) -> Assessment:
    """Return what one cause was judged."""
    return next(a for a in found.assessments if a.id == cause)


def verdict(found: Explained, cause: str) -> str:
    """Return the verdict of one cause."""
    return assessment(found, cause).verdict.value


def claims(found: Explained, cause: str) -> str:
    """Return the sentences of one cause, a line each."""
    return "\n".join(f"{c.sense}: {c.text}" for c in assessment(found, cause).claims)
