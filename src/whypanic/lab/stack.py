"""The calls of a stopped CPU across exception levels: what an nVHE hypervisor runs, then the kernel that called it.

Source: Linux arch/arm64/kvm/hyp/nvhe/host.S (6.1, and master of 2025): __host_exit saves the host's registers and keeps
the pointer to them in x29 while it calls handle_trap; arch/arm64/include/asm/kvm_host.h, struct kvm_cpu_context.
"""

from collections.abc import Mapping, Sequence

from whypanic.lab.frame_chain import Frame, before_exception, frame_chain
from whypanic.lab.gdb_registers import CpuRegisters
from whypanic.lab.kernel_memory import KernelMemory
from whypanic.lab.places import Namer
from whypanic.symbolize.debug_info import Chain

_UPPER = 1 << 55
_CALLED = "__kvm_nvhe_handle_trap"
_X29, _X30 = 8 * 29, 8 * 30
"""Offsets in `struct kvm_cpu_context`, which begins with `struct user_pt_regs`."""


def calls_of(cpu: CpuRegisters, memory: KernelMemory, name_of: Namer) -> tuple[Frame, ...]:
    """Return the calls of a CPU by frame records, innermost first: those of EL2 before those of EL1.

    :param name_of: names physical addresses.
    """
    registers = before_exception({**cpu.system, **cpu.general}, cpu.el)
    if "pc" not in registers:
        return ()
    here = frame_chain(memory.here, registers, name_of, memory.va_bits)
    # With VHE the kernel itself is at EL2, in the upper half of addresses; nVHE and hVHE code is in the lower one.
    if cpu.el != 2 or registers["pc"] & _UPPER:
        return here
    # By what it calls: labels in it, of which a kernel with PTR_AUTH_KERNEL has more, have names of their own.
    called = next((i for i, frame in enumerate(here) if frame.function == _CALLED), len(here))
    if called + 1 < len(here):
        hyp = here[: called + 2]
        context = hyp[-1].frame_pointer
        fp = memory.here.read_u64(context + _X29) or 0
        link = memory.here.read_u64(context + _X30) or 0
    else:
        # It has saved nothing: its x29 is the host's, and x30 too before its first call.
        n_hyp = next((i for i, frame in enumerate(here) if frame.address & _UPPER), len(here))
        hyp = here[: max(n_hyp, 1)]
        fp, link = hyp[-1].frame_pointer, registers.get("x30", 0)
    host = _host(registers, fp, link, memory, name_of)
    if host is None:
        return hyp
    return (*hyp, *frame_chain(memory.kernel, host, name_of, memory.va_bits))


def _host(
    registers: Mapping[str, int], fp: int, link: int, memory: KernelMemory, name_of: Namer
) -> dict[str, int] | None:
    """Return the kernel's registers at its HVC; None where they are gone.

    An exception that EL2 took since, from itself or from a guest, has left its own ELR_EL2. x30 then shows the
    function, or the caller of one that calls nothing.
    """
    if not fp & _UPPER:
        return None
    pc = registers.get("ELR_EL2", 0)
    pa = memory.kernel.physical(pc) if pc & _UPPER else None
    if pa is not None and name_of(pa) is not None:
        return {"pc": pc, "x29": fp, "x30": link if link & _UPPER else 0}
    return {"pc": link, "x29": fp, "x30": 0} if link & _UPPER else None


def call_texts(frames: Sequence[Frame], chains: Sequence[Chain]) -> tuple[str, ...]:
    """Return the lines of a stack trace, functions that were inlined among them.

    :param chains: what debug information has for each frame, innermost first; () for nothing.
    """
    lines = []
    for frame, chain in zip(frames, chains, strict=True):
        for i, place in enumerate(chain):
            is_last = i == len(chain) - 1
            name = frame.text if is_last else place.function or "?"
            where = f" at {place.file}:{place.line}" if place.file and place.line else ""
            lines.append(f"{name}{where}{'' if is_last else ' (inlined)'}")
        if not chain:
            lines.append(frame.text)
    return tuple(lines)
