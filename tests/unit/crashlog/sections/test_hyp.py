"""Lines of EL2 panics and of KVM's start."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.hyp import (
    HypOffset,
    HypPanic,
    HypPanicAt,
    HypVaRange,
    IdmapPage,
    KvmModeLine,
    VmidBits,
)


def test_first_values() -> None:
    panic = fact("PS:800003c9 PC:ffff000008a11220 ESR:86000004", HypPanic)
    assert (panic.ps, panic.pc, panic.esr) == (0x800003C9, 0xFFFF000008A11220, 0x86000004)
    assert panic.esr_digits == 8
    assert panic.far is None
    assert panic.vcpu is None


def test_sixteen_digits_of_esr() -> None:
    assert fact("PS:600003c9 PC:0000aa0081203abc ESR:00000000f2000800", HypPanic).esr_digits == 16


def test_far_is_not_taken_from_hpfar() -> None:
    panic = fact("HPFAR:0000000000010000 PAR:0000000000000007", HypPanic)
    assert (panic.far, panic.hpfar, panic.par) == (None, 0x10000, 7)


def test_all_joined_on_one_line() -> None:
    text = (
        "Kernel panic - not syncing: HYP panic: PS:800003c9 PC:0000aa0081203abc ESR:86000006 "
        "FAR:0000aa0081203abc HPFAR:0000000000010000 PAR:0000000000000000 VCPU:0000aa0090000000"
    )
    panic = fact(text, HypPanic)
    assert panic.far == panic.pc == 0xAA0081203ABC
    assert panic.vcpu == 0xAA0090000000


@pytest.mark.parametrize(
    ("where", "address", "symbol", "file", "line"),
    [
        ("ffff8000090a6570!", 0xFFFF8000090A6570, None, None, None),
        ("[<ffff8000090a6570>] __kvm_nvhe_foo+0x10/0x34!", 0xFFFF8000090A6570, "__kvm_nvhe_foo", None, None),
        ("arch/arm64/kvm/hyp/nvhe/foo.c:77!", None, None, "arch/arm64/kvm/hyp/nvhe/foo.c", 77),
    ],
)  # fmt: skip
def test_panic_at(
    where: str, address: int | None, symbol: str | None, file: str | None, line: int | None
) -> None:
    at = fact(f"kvm [12]: nVHE hyp panic at: {where}", HypPanicAt)
    assert at.what == "panic"
    assert (at.address, at.file, at.line) == (address, file, line)
    assert (at.ref.symbol if at.ref else None) == symbol


def test_ubsan_and_cfi_at_el2() -> None:
    text = "kvm [3]: nVHE hyp UBSAN: array index out of bounds at: [<ffff800008000010>] a+0x4/0x8!"
    assert fact(text, HypPanicAt).what == "UBSAN: array index out of bounds"
    assert fact("kvm: nVHE hyp CFI failure at: [<ffff800008000010>] a+0x4/0x8!", HypPanicAt).ref


def test_hyp_offset() -> None:
    assert fact("kvm [9]: Hyp Offset: 0xfffe8be807e00000", HypOffset).offset == 0xFFFE8BE807E00000


def test_trace_head_and_end_are_of_the_hyp() -> None:
    assert recognised("kvm [9]: nVHE call trace:").part is Part.HYP
    assert recognised("kvm [9]: ---[ end nVHE call trace ]---").part is Part.HYP


def test_boot_lines() -> None:
    assert fact("kvm [1]: 16-bit VMID", VmidBits).bits == 16
    assert fact("kvm [1]: IDMAP page: 40a81000", IdmapPage).pa == 0x40A81000
    span = fact("kvm [1]: HYP VA range: 400000000000:7fffffffffff", HypVaRange)
    assert (span.first, span.last) == (0x400000000000, 0x7FFFFFFFFFFF)


@pytest.mark.parametrize(
    ("words", "mode", "hvhe"),
    [
        ("Hyp mode initialized successfully", "nvhe", None),
        ("VHE mode initialized successfully", "vhe", None),
        ("Hyp nVHE mode initialized successfully", "nvhe", False),
        ("Hyp hVHE mode initialized successfully", "nvhe", True),
        ("Protected nVHE mode initialized successfully", "protected", False),
        ("Protected hVHE mode initialized successfully", "protected", True),
    ],
)
def test_modes(words: str, mode: str, hvhe: bool | None) -> None:
    found = fact(f"kvm [1]: {words}", KvmModeLine)
    assert (found.mode, found.hvhe, found.available) == (mode, hvhe, True)


def test_no_hyp_mode() -> None:
    assert not fact("kvm [1]: HYP mode not available", KvmModeLine).available
    assert facts("kvm [1]: IPA Size Limit: 40 bits", KvmModeLine) == []
