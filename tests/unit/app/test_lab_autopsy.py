"""The autopsy sees a vmlinux only where it is that of the Image."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from builders.boots import boot_result
from builders.fake_qemu import LINUX, raw_image
from whypanic.app.lab_autopsy import autopsy_of
from whypanic.app.lab_kernel import find_kernel
from whypanic.model.lab import BootResult, LabVerdict


def test_what_the_autopsy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Image").write_bytes(raw_image(LINUX))
    (tmp_path / "vmlinux").write_bytes(b"of another kernel")
    kernel = find_kernel(str(tmp_path), None, lambda _: None)
    seen: list[BootResult] = []

    def look(machine: object, result: BootResult) -> BootResult:
        seen.append(result)
        return replace(result, last_words="words")

    monkeypatch.setattr("whypanic.lab.autopsy.autopsy", look)
    given = boot_result(LabVerdict.PANIC)
    given = replace(given, spec=replace(given.spec, vmlinux=str(tmp_path / "vmlinux")))
    machine: Any = object()
    found = autopsy_of(kernel)(machine, given)
    assert seen[0].spec.vmlinux is None
    assert found.spec == given.spec
    assert found.last_words == "words"
