"""Panic lines and endings."""

import pytest

from builders.log_lines import fact, recognised
from whypanic.crashlog.sections.rule import Part
from whypanic.model.context import CpuFeatures, KernelOffset, PhysOffset
from whypanic.model.fault import Detail, PanicMessage


@pytest.mark.parametrize("dash", ["-", "--", "\u2013", "\u2014"])
def test_panic_with_any_dash(dash: str) -> None:
    message = fact(f"Kernel panic {dash} not syncing: Fatal exception", PanicMessage)
    assert message.message == "Fatal exception"


def test_end_mark_is_no_panic() -> None:
    text = "---[ end Kernel panic - not syncing: Fatal exception ]---"
    assert recognised(text).part is Part.END_PANIC
    detail = fact(text, Detail)
    assert (detail.name, detail.value) == ("end-panic", "Fatal exception")


def test_kernel_offset() -> None:
    enabled = fact("Kernel Offset: 0x435917bf0000 from 0xffff800010000000", KernelOffset)
    assert (enabled.offset, enabled.base) == (0x435917BF0000, 0xFFFF800010000000)
    assert not fact("Kernel Offset: disabled", KernelOffset).enabled
    assert fact("PHYS_OFFSET: 0x40000000", PhysOffset).pa == 0x40000000


@pytest.mark.parametrize(
    ("raw", "bitmap", "n_groups"),
    [
        ("0x002086", 0x2086, 1),
        ("0x08240022,2aa0a830", 0x08240022_2AA0A830, 2),
        ("0x0,00000001,70028143", 0x00000001_70028143, 3),
    ],
)
def test_features(raw: str, bitmap: int, n_groups: int) -> None:
    features = fact(f"CPU features: {raw}", CpuFeatures)
    assert (features.raw, features.bitmap, features.n_groups) == (raw, bitmap, n_groups)


def test_details() -> None:
    smp = fact("SMP: failed to stop secondary CPUs 0-3,5", Detail)
    assert (smp.name, smp.value) == ("smp", "failed to stop secondary CPUs 0-3,5")
    assert fact("Memory Limit: none", Detail).value == "none"
    assert fact("---[ end trace 67e6d544e65b5145 ]---", Detail).value == "67e6d544e65b5145"
    assert fact("note: foo[12] exited with irqs disabled", Detail).name == "exited"


def test_cut_here() -> None:
    assert recognised("------------[ cut here ]------------").part is Part.CUT
