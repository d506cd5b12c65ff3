"""Kernels with larger pages, in every mode: `scripts/lab.sh --pages`."""

import pytest
from msgspec.structs import replace

from builders.built_kernels import BuiltKernel, built_kernels
from whypanic.lab.boot import boot
from whypanic.lab.modes import all_modes
from whypanic.model.lab import BootSpec, LabVerdict

KERNELS = built_kernels("pages")


def test_both_are_there() -> None:
    assert [kernel.name for kernel in KERNELS] == ["gcc-16k", "gcc-64k"]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
@pytest.mark.parametrize("mode", [mode.id for mode in all_modes()])
def test_every_mode(spec: BootSpec, kernel: BuiltKernel, mode: str) -> None:
    page = kernel.name.rpartition("-")[2]
    result = boot(replace(spec, mode=mode, page=page))
    if result.verdict is LabVerdict.NOT_APPLICABLE:
        assert mode == "hvhe", result.reason
        return
    assert result.verdict is LabVerdict.OK, result.reason
    assert result.proved_mode is True
