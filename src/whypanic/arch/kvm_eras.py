"""What KVM's own source says about code at EL2, per kernel version, and which compilers made which jump tables.

Facts that the argument about a hyp panic rests on. Every row says what was read to write it. "Stored" files are copies
of public trees: torvalds/linux 00a44cdaba09 (hyp-entry.S of 4.6), microsoft/surface-duo-oss-kernel 7379956d36d1 and
MiCode/Xiaomi_Kernel_OpenSource 02891fdbfd1e (4.9 and its stable series), multipath-tcp/mptcp a3b05029de9d (4.14.y),
VeriGu/usenix-ae-linux 75e3591e6639 (4.18), raspberrypi/linux 1744237ca047 (5.4 to 5.8), each
arch/arm64/kvm/hyp/hyp-entry.S.
"""

import re
from functools import cache
from typing import NamedTuple

from whypanic.arch.release import parse_release

Pair = tuple[int, int]


def _pair(version: str | None) -> Pair | None:
    release = parse_release(version)
    return release.pair if release else None


class HypCallEra(NamedTuple):
    """How the nVHE host calls a function at EL2 by its address (`kvm_call_hyp`)."""

    first: Pair
    last: Pair
    entry_nzcv: int
    """Condition flags N Z C V, most significant first, with which the called function begins."""
    last_compare: str
    """The instruction of `el1_sync` that set them."""
    source: str


# Between that comparison and `blr lr` (macro do_el2_call) only mov, str, ldp and kern_hyp_va run. kern_hyp_va is `and`
# up to 4.16, from 4.17 on `and, ror, add, add, ror`: none of them sets flags. The comparisons of SMCCC identifiers
# (eor, cbz) are on the guest's path only. x0 is a linear-map address: bit 63 set, so x0 - 3 has N = 1, Z = 0, C = 1
# (no borrow) and V = 0.
HYP_CALL_ERAS: tuple[HypCallEra, ...] = (
    HypCallEra(
        (4, 6), (4, 6), 0b0110, "cmp x2, #ESR_ELx_EC_HVC64 (equal; then cbnz x0)",
        "torvalds/linux 00a44cdaba09 hyp-entry.S; that 4.7 differs: from memory",
    ),
    HypCallEra(
        (4, 7), (4, 11), 0b1010, "cmp x0, #HVC_GET_VECTORS",
        "surface-duo-oss-kernel 7379956d36d1 and Xiaomi_Kernel_OpenSource 02891fdbfd1e hyp-entry.S",
    ),
    HypCallEra(
        (4, 12), (5, 8), 0b1010, "cmp x0, #HVC_STUB_HCALL_NR",
        "mptcp a3b05029de9d (4.14.y), usenix-ae-linux 75e3591e6639 (4.18), raspberrypi 1744237ca047"
        " (5.4..5.8) hyp-entry.S",
    ),
)  # fmt: skip


def hyp_call_era(version: str | None) -> HypCallEra | None:
    """Return how nVHE hyp functions were called in a version, or None where not by address or not known."""
    pair = _pair(version)
    if pair is None:
        return None
    return next((era for era in HYP_CALL_ERAS if era.first <= pair <= era.last), None)


def entry_nzcv(version: str | None) -> int | None:
    """Return the flags NZCV (4 bits, N first) that a function entered by `kvm_call_hyp` sees, or None.

    Only for a host without VHE. Source: `HYP_CALL_ERAS`.
    """
    era = hyp_call_era(version)
    return era.entry_nzcv if era else None


class PanicPath(NamedTuple):
    """How a panic at EL2 becomes a panic of the host."""

    first: Pair
    last: Pair | None
    text: str
    genuine_top_frame: str | None
    """Top frame that is printed because LR was set by hand, not because of a call."""
    source: str


PANIC_PATHS: tuple[PanicPath, ...] = (
    PanicPath(
        (4, 6), (5, 8),
        "__hyp_call_panic_nvhe passes the string by a literal (a kernel address) to __hyp_do_panic, which loads LR with"
        " panic, writes it to ELR_EL2 and does ERET to EL1h",
        "panic+0x0",
        "torvalds/linux 00a44cdaba09 hyp-entry.S, 005781be127f switch.c; the same in mptcp a3b05029de9d and"
        " raspberrypi/linux 1744237ca047",
    ),
    PanicPath(
        (5, 13), None,
        "hyp_panic enters nvhe_hyp_panic_handler at EL1, which prints `nVHE hyp panic at:` and `Hyp Offset:`, then"
        " calls panic",
        None,
        "arch/arm64/kvm/handle_exit.c of Debian 6.1.192-2; the patch that added it, read; 5.13 from the audit facts",
    ),
)  # fmt: skip


def panic_path(version: str | None) -> PanicPath | None:
    """Return the way from a panic at EL2 to the host's panic, or None where it was not looked up (5.9..5.12)."""
    pair = _pair(version)
    if pair is None:
        return None
    return next(
        (p for p in PANIC_PATHS if p.first <= pair and (p.last is None or pair <= p.last)), None
    )


_S2_SETUP = "arch/arm64/kvm/hyp/s2-setup.c"
_TLB = "arch/arm64/kvm/hyp/tlb.c"

_TLB_ERA = tuple((4, minor) for minor in range(14, 20))

FUNCTION_LINES: dict[tuple[str, str], dict[Pair, tuple[int, int]]] = {
    (_S2_SETUP, "__init_stage2_translation"): {(4, 14): (23, 88), (4, 15): (23, 88)},
    (_TLB, "__kvm_tlb_flush_vmid_ipa"): dict.fromkeys(_TLB_ERA, (70, 120)),
    (_TLB, "__kvm_tlb_flush_vmid"): dict.fromkeys(_TLB_ERA, (122, 135)),
    (_TLB, "__kvm_tlb_flush_local_vmid"): dict.fromkeys(_TLB_ERA, (137, 149)),
    (_TLB, "__kvm_flush_vm_context"): dict.fromkeys(_TLB_ERA, (151, 157)),
}
"""First and last line of functions reached by kvm_call_hyp, by version.

s2-setup.c: torvalds/linux, stored as 04768f964298 (the text before 4.16 clamps PARange; `switch (parange)` stands in
line 38). tlb.c: torvalds/linux, stored as 00ed905ab8e5; the hunk headers of the patch that changed it after 4.19 agree.
Neither copy is dated to 4.14 itself; that the files did not change in between is from memory."""


def function_opening_line(file: str, function: str, version: str | None) -> int | None:
    """Return the line on which a function begins in that version's file, or None if not known.

    :param file: path as a debugger prints it; its end must be the path in the kernel tree.
    """
    pair = _pair(version)
    if pair is None:
        return None
    normal = file.strip().replace("\\", "/")
    for (path, name), lines in FUNCTION_LINES.items():
        if name == function and (normal == path or normal.endswith("/" + path)):
            span = lines.get(pair)
            return span[0] if span else None
    return None


class CompilerIdentity(NamedTuple):
    """A compiler as named by a banner or a writer."""

    family: str
    """clang | gcc"""
    major: int | None
    """None: named without a version."""
    text: str


LAST_ABSOLUTE_LLVM = 7


def llvm_absolute_tables(major: int) -> bool:
    """Return whether that LLVM makes jump tables of absolute addresses for AArch64 without -fpie.

    7 and older: 64-bit entries with R_AARCH64_ABS64; 8 and newer: offsets from a label inside the function
    (measured facts on switch code generation; LLVM 8 compresses jump tables, AArch64CompressJumpTables).
    """
    return major <= LAST_ABSOLUTE_LLVM


@cache
def _compiler_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Patterns in order of authority; group 1, where it took part, is the major version."""

    def compiled(text: str) -> re.Pattern[str]:
        return re.compile(text, re.ASCII | re.IGNORECASE)

    return (
        ("clang", compiled(r"\bclang version (\d{1,2})(?!\d)")),
        ("gcc", compiled(r"\bgcc version (\d{1,2})(?!\d)")),
        ("gcc", compiled(r"\bgcc(?:-\d{1,2}){0,1}(?:\.exe){0,1} \([^()]{0,120}\) (\d{1,2})\.\d")),
    )


@cache
def _loose_patterns() -> dict[str, re.Pattern[str]]:
    number = r"(?:[-_ ]?v?(\d{1,2})(?![\d]))?"
    flags = re.ASCII | re.IGNORECASE
    return {
        "clang": re.compile(r"\b(?:clang|llvm)(?: compiler)?(?: version)?" + number, flags),
        "gcc": re.compile(r"\bgcc(?: compiler)?(?: version)?(?:-linaro)?" + number, flags),
    }


def parse_compiler(words: str) -> CompilerIdentity | None:
    """Return family and major version of the compiler that words name; None if none or two different ones.

    :param words: a `Linux version` banner's compiler part, `--version` output, or loose wording (`clang-5`).
    """
    text = words.strip()[:1000]
    for family, pattern in _compiler_patterns():
        match = pattern.search(text)
        if match:
            return CompilerIdentity(family, int(match[1]), text)
    named: set[tuple[str, int | None]] = set()
    for family, pattern in _loose_patterns().items():
        found = {int(m[1]) if m[1] else None for m in pattern.finditer(text)}
        with_number = found - {None}
        named |= {(family, major) for major in with_number or found}
    if len(named) != 1:
        return None
    family, major = named.pop()
    return CompilerIdentity(family, major, text)
