"""The lines that a kernel prints for a panic at EL2, made from what an engine observed."""

from collections.abc import Sequence

from whypanic.arch.insn.text import render
from whypanic.replay.protocol import Observation

_STAMP = "[    9.100000] "


def early_panic(seen: Observation) -> str:
    """Return the lines of 4.6 to 5.8: no offset, no symbol."""
    return _lines(
        "kvm [1]: 8-bit VMID",
        "kvm [1]: IDMAP page: 40a2e000",
        "kvm [1]: HYP VA range: 800000000000:ffffffffffff",
        "kvm [1]: Hyp mode initialized successfully",
        *_panic(seen, esr_digits=8),
        "CPU: 1 PID: 1 Comm: swapper/0 Not tainted 4.14.0 #1",
        "Hardware name: Example board (DT)",
    )


def late_panic(seen: Observation, hyp_offset: int, place: str) -> str:
    """Return the lines of 5.13 and later; `place` is what `%pB` prints for PC, e.g. `__kvm_nvhe_f+0x8/0x20`."""
    assert seen.pc is not None
    link = seen.pc + hyp_offset & (1 << 64) - 1
    said = "BUG" if seen.esr == 0xF2000800 else "panic"
    return _lines(
        f"kvm [61]: nVHE hyp {said} at: [<{link:016x}>] {place}!",
        f"kvm [61]: Hyp Offset: {hyp_offset:#x}",
        *_panic(seen, esr_digits=16),
        "CPU: 1 PID: 61 Comm: runner Not tainted 6.1.70 #1",
        "Hardware name: Example board (DT)",
    )


def _panic(seen: Observation, *, esr_digits: int) -> tuple[str, ...]:
    assert seen.pc is not None
    return (
        "Kernel panic - not syncing: HYP panic:",
        f"PS:{seen.pstate or 0:08x} PC:{seen.pc:016x} ESR:{seen.esr or 0:0{esr_digits}x}",
        f"FAR:{seen.far or 0:016x} HPFAR:{seen.hpfar or 0:016x} PAR:{0:016x}",
        f"VCPU:{0:016x}",
    )


def _lines(*lines: str) -> str:
    return "".join(f"{_STAMP}{line}\n" for line in lines)


def listing_text(function: str, words: Sequence[int]) -> str:
    """Return the words as objdump prints a function of an object file."""
    lines = [f"{0:016x} <{function}>:"]
    lines += [f"{4 * n:4x}:\t{word:08x} \t{render(word, 4 * n)}" for n, word in enumerate(words)]
    return "\n" + "\n".join(lines) + "\n"
