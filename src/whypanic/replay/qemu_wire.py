"""What Python and the harness write into the machine's memory for each other.

The same structures stand in harness/harness.S; tests/unit/replay/test_harness.py holds the two against each other.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

RAM_BASE = 0x4000_0000
"""Of QEMU's `virt` machine (hw/arm/virt.c). QEMU puts its device tree there."""
CONTROL = RAM_BASE + (2 << 20)
HARNESS_MAGIC = b"WHYP"
HARNESS_VERSION = 1
VECTOR_BYTES = 0x80
VECTORS_BYTES = 16 * VECTOR_BYTES

DESCRIPTOR_BYTES = 1024
RESULT_BYTES = 1408
ANSWER_BYTES = 32

ANSWER_IMMEDIATE = 0x4000
"""`smc #ANSWER_IMMEDIATE + index` asks the harness for the answer of that index."""
MAX_ANSWERS = 0x4000
ANSWER_CALL = 32
RETURN_IMMEDIATE = 0x5000
UNKNOWN_IMMEDIATE = 0x5001
"""Of the SMC instructions that stand where code is mapped and not known."""

REASON_SYNC = 1
REASON_STOPPED = 2

_MARK = None
# Registers of the harness' table, in its order, and what they hold before a job: a value as KVM's nVHE hypervisor sets
# it (Linux arch/arm64/kvm/hyp-init.S, and CPTR_EL2 as __activate_traps leaves it while a guest's FP state is not
# loaded: FP instructions trap), or None: nothing is known of it.
# fmt: off
SYSTEM: tuple[tuple[str, int | None], ...] = (
    ("sctlr_el2",      0x30C5_183D),  # RES1, I, SA, C, M; A clear
    ("tcr_el2",        0x8082_3510),  # RES1, 40-bit PA, 4 KiB granule, inner shareable, write-back, 48-bit VA
    ("ttbr0_el2",      _MARK),
    ("mair_el2",       0xFF),         # Attr0: normal, write-back
    ("vbar_el2",       _MARK),
    ("hcr_el2",        1 << 31 | 3 << 40),  # RW, APK, API
    ("cptr_el2",       0x37FF),       # RES1, TZ, TFP
    ("esr_el2",        _MARK),
    ("elr_el2",        _MARK),
    ("far_el2",        _MARK),
    ("hpfar_el2",      _MARK),
    ("spsr_el2",       _MARK),
    ("sp_el2",         _MARK),
    ("vtcr_el2",       _MARK),
    ("vttbr_el2",      _MARK),
    ("mdcr_el2",       0),
    ("hstr_el2",       0),
    ("cnthctl_el2",    3),            # EL1 may use the physical counter and timer
    ("cntvoff_el2",    _MARK),
    ("vpidr_el2",      _MARK),
    ("vmpidr_el2",     _MARK),
    ("tpidr_el2",      _MARK),
    ("amair_el2",      0),
    ("sctlr_el1",      _MARK),
    ("cpacr_el1",      _MARK),
    ("tcr_el1",        _MARK),
    ("ttbr0_el1",      _MARK),
    ("ttbr1_el1",      _MARK),
    ("mair_el1",       _MARK),
    ("amair_el1",      _MARK),
    ("vbar_el1",       _MARK),
    ("esr_el1",        _MARK),
    ("far_el1",        _MARK),
    ("elr_el1",        _MARK),
    ("spsr_el1",       _MARK),
    ("sp_el1",         _MARK),
    ("contextidr_el1", _MARK),
    ("tpidr_el1",      _MARK),
    ("par_el1",        _MARK),
    ("mdscr_el1",      0),
    ("csselr_el1",     _MARK),
    ("cntkctl_el1",    _MARK),
    ("tpidr_el0",      _MARK),
    ("tpidrro_el0",    _MARK),
    ("sp_el0",         _MARK),
)
# fmt: on
SYSTEM_NAMES = tuple(name for name, _ in SYSTEM)
OWNED = frozenset({"ttbr0_el2", "tcr_el2", "mair_el2", "vbar_el2", "hcr_el2", "sp_el2"})
"""Registers of the table whose value is the harness' own, whatever a job asks for."""
TAKEN_BY_EXCEPTION = frozenset({"esr_el2", "elr_el2", "far_el2", "hpfar_el2", "spsr_el2", "sp_el2"})

_CONTROL = struct.Struct("<5Q")
_N_SYSTEM = len(SYSTEM)
_DESCRIPTOR = struct.Struct(f"<5Q24x31Q8x{_N_SYSTEM}Q")
_AFTER = 832
_RESULT = struct.Struct(f"<4Q32x31Q8x{_N_SYSTEM}Q{_AFTER - 320 - 8 * _N_SYSTEM}x{_N_SYSTEM}Q")
_ANSWER = struct.Struct("<4Q")
assert _DESCRIPTOR.size <= DESCRIPTOR_BYTES
assert _RESULT.size <= RESULT_BYTES


class Answer(NamedTuple):
    """What the harness does about an SMC that stands in for something else."""

    va: int
    """Of the SMC."""
    kind: int
    """0..30, 31: `value` goes to that register; ANSWER_CALL: to x0, and a function returns."""
    value: int
    clobber: int = 0
    """x1..x17 after a call; its bits 31..28 are the flags."""


class Descriptor(NamedTuple):
    """A job as the harness takes it."""

    entry: int
    spsr: int
    steps: int
    answers_pa: int
    n_answers: int
    x: Sequence[int]
    """31 values."""
    system: Sequence[int]
    """In the order of SYSTEM."""


class RawResult(NamedTuple):
    """What the harness saw at the end of a job. Code that was run may have forged all of it."""

    reason: int
    esr_el3: int
    elr_el3: int
    spsr_el3: int
    x: tuple[int, ...]
    before: Mapping[str, int]
    """System registers before the first instruction, as they read back."""
    after: Mapping[str, int]


def smc(immediate: int) -> int:
    """Return the word of SMC #immediate."""
    return 0xD4000003 | immediate << 5


def pack_answer(answer: Answer) -> bytes:
    """Return the bytes of one answer."""
    return _ANSWER.pack(*answer)


def pack_descriptor(job: Descriptor) -> bytes:
    """Return the bytes of one descriptor, without what follows the last register."""
    return _DESCRIPTOR.pack(
        job.entry, job.spsr, job.steps, job.answers_pa, job.n_answers, *job.x, *job.system
    )


def pack_control(n_jobs: int, descriptors_pa: int, results_pa: int) -> bytes:
    """Return the bytes at CONTROL before a start."""
    return _CONTROL.pack(n_jobs, 0, 0, descriptors_pa, results_pa)


def unpack_progress(control: bytes) -> tuple[int, int]:
    """Return how many jobs were started and how many have a result."""
    _, n_started, n_done, _, _ = _CONTROL.unpack_from(control)
    return n_started, n_done


def unpack_result(result: bytes) -> RawResult:
    """Return one result."""
    values = _RESULT.unpack_from(result)
    reason, esr, elr, spsr = values[:4]
    x, system = values[4:35], values[35:]
    return RawResult(
        reason,
        esr,
        elr,
        spsr,
        x,
        dict(zip(SYSTEM_NAMES, system[:_N_SYSTEM], strict=True)),
        dict(zip(SYSTEM_NAMES, system[_N_SYSTEM:], strict=True)),
    )


def vectors_of(harness: bytes) -> bytes:
    """Return the page of SMC instructions inside the built harness.

    :raises ValueError: if these bytes are not a harness of this layout.
    """
    _, magic, version, offset = struct.unpack_from("<I4sII", harness)
    vectors = harness[offset : offset + VECTORS_BYTES]
    if magic != HARNESS_MAGIC or version != HARNESS_VERSION or len(vectors) != VECTORS_BYTES:
        message = "harness.bin is not of the layout that this program speaks"
        raise ValueError(message)
    return vectors
