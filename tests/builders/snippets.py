"""Planted code that dies at EL2, one snippet for each crash signature that code can show.

The layout is that of one kernel image seen from EL2: differences between addresses are those of the image, the text
of the hypervisor, its stack and the kernel's rodata are mapped, all else of the image is not.
"""

from collections.abc import Mapping
from typing import NamedTuple

from builders import a64
from builders.listings import PARANGE_SWITCH
from whypanic.replay.protocol import Job, Permission, Region

LINK = 0xFFFF_8000_0901_0000
"""Link address of the snippet's first word."""
RUN = 0x0000_BE56_0181_0000
"""Where EL2 runs it."""
HYP_OFFSET = LINK - RUN
RODATA = RUN + 0x10_0000
KERNEL_DATA = RUN + 0x14_0000
"""The kernel's .data: under the same level 3 table, not mapped."""
KERNEL_TEXT = RUN - 0x25_0000
"""The kernel's .text: under another level 3 table, which EL2 lacks."""
STACK = RUN + 0x100_0000
RETURN = RUN + 0x180_0000
MASK_64 = (1 << 64) - 1
CPTR_EL2_TFP = 0x33FF | 1 << 10
"""RES1 bits of CPTR_EL2 (E2H = 0) and TFP: DDI 0487 L, CPTR_EL2."""


class Snippet(NamedTuple):
    """Code, and the death it dies."""

    name: str
    words: tuple[int, ...]
    esr: int
    pc: int
    """ELR_EL2."""
    cause: str | None
    """The first cause that the panic lines lead to; None: no cause knows this death at EL2."""
    far: int | None = None
    """None: the exception class does not write it."""
    registers: Mapping[str, int] = {}
    rodata: bytes = bytes(16)
    place: str = ""
    """What the kernel prints for PC; empty: the lines of 4.14, which print none."""
    listing: tuple[int, ...] = ()
    """What a listing of the object file shows: the words before linking."""

    def job(self, cpu: str) -> Job:
        """Return the run of the snippet at its hyp VA."""
        return Job(
            id=self.name,
            cpu=cpu,
            entry=RUN,
            regions=(
                Region(RUN, a64.code(list(self.words)), Permission.EXECUTE, "hyp text"),
                Region(RODATA, self.rodata, Permission.READ, "kernel rodata"),
                Region(STACK, bytes(4096), Permission.READ_WRITE, "hyp stack"),
            ),
            registers={"sp": STACK + 0xF00, **self.registers},
            nzcv=0b0110,
            return_va=RETURN,
        )


def _table(base: int, *targets: int) -> bytes:
    return b"".join((base + target).to_bytes(8, "little") for target in targets)


def _linked(words: tuple[int, ...], first: int) -> tuple[int, ...]:
    """Return the words with the `adrp` at index `first` and the `add` two behind it filled for rodata."""
    patched = list(words)
    register = words[first] & 31
    patched[first] = a64.adrp(register, RUN + 4 * first, RODATA)
    patched[first + 2] = a64.add_immediate(register, register, RODATA & 0xFFF)
    return tuple(patched)


def _trap(immediate: int, name: str, cause: str | None) -> Snippet:
    return Snippet(
        name=name,
        words=(a64.cmp_immediate(0, 4), a64.b_cond(3, 8), a64.brk(immediate), a64.RET),
        registers={"x0": 9},
        esr=0xF2000000 | immediate,
        pc=RUN + 8,
        cause=cause,
        place="__kvm_nvhe_pick_slot+0x8/0x10",
    )


def linked_switch(base: int) -> Snippet:
    """Return a switch on PARange whose table holds the addresses that its blocks have if it lies at `base`."""
    return Snippet(
        name="switch through a table of absolute addresses",
        words=_linked(PARANGE_SWITCH, 4),
        listing=PARANGE_SWITCH,
        rodata=_table(base, 0x2C, 0x44, 0x3C, 0x34, 0x24),
        esr=0x86000004,
        pc=LINK + 0x3C,
        far=LINK + 0x3C,
        cause="absolute-jump-table-at-el2",
    )


SWITCH = linked_switch(LINK)
"""On a core with PARange 2."""

SNIPPETS: tuple[Snippet, ...] = (
    SWITCH,
    Snippet(
        name="call through a pointer that was not converted",
        words=(*a64.address(9, RUN, RODATA), a64.load(9, 9), a64.blr(9), a64.RET),
        listing=(0x90000009, 0x91000129, 0xF9400129, 0xD63F0120, a64.RET),
        rodata=_table(LINK, 0x2_0400),
        esr=0x86000004,
        pc=LINK + 0x2_0400,
        far=LINK + 0x2_0400,
        cause="absolute-pointer-at-el2",
    ),
    Snippet(
        name="call out of the hyp text",
        words=(a64.bl(KERNEL_TEXT - RUN), a64.RET),
        esr=0x86000006,
        pc=KERNEL_TEXT,
        far=KERNEL_TEXT,
        cause="call-left-hyp-text",
        place="refcount_warn_saturate+0x0/0x148",
    ),
    Snippet(
        name="call into the kernel next to the hyp text",
        words=(a64.bl(0x3000), a64.RET),
        esr=0x86000007,
        pc=RUN + 0x3000,
        far=RUN + 0x3000,
        cause="call-left-hyp-text",
        place="__sanitizer_cov_trace_pc+0x0/0x60",
    ),
    Snippet(
        name="branch into rodata",
        words=(a64.adr(16, 0), a64.b(RODATA - RUN - 4)),
        rodata=a64.code([a64.RET]),
        esr=0x8600000F,
        pc=RODATA,
        far=RODATA,
        cause="call-left-hyp-text",
        place="kvm_vector_slots+0x0/0x10",
    ),
    Snippet(
        name="dereference of a kernel pointer",
        words=(a64.load(1, 0, 16), a64.RET),
        registers={"x0": 0xFFFF_0008_4410_2000},
        esr=0x96000004,
        pc=RUN,
        far=0xFFFF_0008_4410_2010,
        cause="absolute-pointer-at-el2",
        place="__kvm_nvhe_read_slot+0x0/0x8",
    ),
    Snippet(
        name="store through a kernel pointer",
        words=(a64.movz(1, 1), a64.store(1, 0, 8), a64.RET),
        registers={"x0": 0xFFFF_8000_0A12_3000},
        esr=0x96000044,
        pc=RUN + 4,
        far=0xFFFF_8000_0A12_3008,
        cause="absolute-pointer-at-el2",
        place="__kvm_nvhe_mark_slot+0x4/0xc",
    ),
    Snippet(
        name="reference to the kernel's data",
        words=(*a64.address(8, RUN, KERNEL_DATA + 0x128), a64.load(0, 8), a64.RET),
        esr=0x96000007,
        pc=RUN + 8,
        far=KERNEL_DATA + 0x128,
        cause="data-left-hyp-mappings",
        place="__kvm_nvhe_read_limit+0x8/0x10",
    ),
    Snippet(
        name="reference to data under another table",
        words=(*a64.address(8, RUN, KERNEL_TEXT + 0x40), a64.load(0, 8), a64.RET),
        esr=0x96000006,
        pc=RUN + 8,
        far=KERNEL_TEXT + 0x40,
        cause="data-left-hyp-mappings",
        place="__kvm_nvhe_read_flag+0x8/0x10",
    ),
    Snippet(
        name="FP register in a copy",
        # msr cptr_el2, x2; isb; ldr q0, [x1]; str q0, [x0]; ret
        words=(a64.msr(2, 3, 4, 1, 1, 2), 0xD5033FDF, 0x3DC00020, 0x3D800000, a64.RET),
        registers={"x0": STACK, "x1": RODATA, "x2": CPTR_EL2_TFP},
        esr=0x1FE00000,
        pc=RUN + 8,
        cause="fp-trap-at-el2",
        place="__kvm_nvhe_copy_slot+0x8/0x14",
    ),
    _trap(0x800, "BUG", "hyp-assertion"),
    _trap(0x5512, "UBSAN trap", "undefined-behaviour"),
    _trap(0x8228, "kCFI trap", "cfi-type-mismatch"),
    _trap(0x920, "KASAN trap", "tag-mismatch"),
    Snippet(
        name="undefined instruction",
        words=(a64.NOP, a64.udf(0), a64.RET),
        esr=0x02000000,
        pc=RUN + 4,
        cause="undefined-instruction",
        place="__kvm_nvhe_pick_slot+0x4/0xc",
    ),
    Snippet(
        name="NULL pointer",
        words=(a64.load(1, 0, 0x18), a64.RET),
        registers={"x0": 0},
        esr=0x96000004,
        pc=RUN,
        far=0x18,
        cause="null-pointer-dereference",
        place="__kvm_nvhe_read_slot+0x0/0x8",
    ),
    Snippet(
        name="store to rodata",
        words=(*a64.address(8, RUN, RODATA), a64.store(0, 8), a64.RET),
        registers={"x0": 1},
        esr=0x9600004F,
        pc=RUN + 8,
        far=RODATA,
        cause="write-to-read-only",
        place="__kvm_nvhe_mark_slot+0x8/0x10",
    ),
    Snippet(
        name="exclusive that is not aligned",
        # ldxr x1, [x0]
        words=(0xC85F7C01, a64.RET),
        registers={"x0": STACK + 0x104},
        esr=0x96000021,
        pc=RUN,
        far=STACK + 0x104,
        cause="unaligned-atomic",
        place="__kvm_nvhe_lock_slot+0x0/0x8",
    ),
    Snippet(
        name="return address overwritten in its frame",
        # stp x29, x30, [sp, #-16]!; str x0, [sp, #8]; ldp x29, x30, [sp], #16; ret
        words=(0xA9BF7BFD, a64.store(0, a64.SP, 8), 0xA8C17BFD, a64.RET),
        registers={"x0": 0x4141_4141_4141_4140, "x29": 0},
        esr=0x86000004,
        pc=0x4141_4141_4141_4140,
        far=0x4141_4141_4141_4140,
        cause="text-as-pointer",
    ),
)
"""In the order of the table of signatures; then the classes that it leaves to the cause at hand."""

SIGNED_RETURN = Snippet(
    name="signed return address overwritten in its frame",
    # paciasp; stp x29, x30, [sp, #-16]!; str x0, [sp, #8]; ldp x29, x30, [sp], #16; autiasp; ret
    words=(0xD503233F, 0xA9BF7BFD, a64.store(0, a64.SP, 8), 0xA8C17BFD, 0xD50323BF, a64.RET),
    registers={"x0": RUN + 8, "x29": 0},
    esr=0,
    pc=0,
    cause=None,
)
"""Apart: with pointer authentication no engine knows how it ends."""
