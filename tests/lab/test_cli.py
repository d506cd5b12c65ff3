"""`whypanic lab` as a person runs it: real kernels, real QEMU, whole process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from builders.built_kernels import BuiltKernel
from builders.repository import ROOT
from whypanic.lab.modes import all_modes
from whypanic.report.lab_document import lab_schemas
from whypanic.report.lab_events import BootFinished, decode_event

SPIN = 0x14000000
LOAD_X9 = 0xF9400129
HIGH_X9 = 0xD2FFFFE9
"""mov x9, #0xffff000000000000"""
HYP_INIT = "__kvm_nvhe___do_hyp_init"
Patch = Callable[..., str]


def whypanic(*words: str | Path) -> tuple[int, str, str]:
    """Run the program in a process of its own, and return exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "whypanic", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def cells_of(*words: str | Path) -> dict[str, dict[str, Any]]:
    code, out, err = whypanic("lab", "boot", *words, "--format", "json")
    assert code == 0, err
    document = json.loads(out)
    jsonschema.validate(document, lab_schemas()["lab-boot"])
    return {cell["cell"]["mode"]: cell for cell in document["cells"]}


def causes(cell: dict[str, Any]) -> dict[str, str]:
    return {cause["id"]: cause["verdict"] for cause in cell["diagnosis"]["causes"]}


def test_every_mode_of_a_kernel_that_is_fine(kernel: BuiltKernel, tmp_path: Path) -> None:
    code, out, err = whypanic(
        "lab", "boot", kernel.image, "--keep", tmp_path / "kept", "--fail-on", "fail"
    )
    assert code == 0, out + err
    for mode in all_modes():
        assert f"\n{mode.id} " in out
    assert "cause:" not in out
    lines = (tmp_path / "kept" / "run.jsonl").read_bytes().splitlines()
    ended = [e.result for e in map(decode_event, lines) if isinstance(e, BootFinished)]
    assert [cell.cell.mode for cell in ended] == [mode.id for mode in all_modes()]
    booted = [cell for cell in ended if cell.verdict == "ok"]
    assert len(booted) >= 5
    assert all(cell.proved_mode for cell in booted)
    assert all(cell.image_hash == ended[0].image_hash for cell in ended)


def test_stuck_at_el2(kernel: BuiltKernel, patched: Patch) -> None:
    image = patched((HYP_INIT, 4, SPIN))
    cell = cells_of(image, "--vmlinux", kernel.vmlinux, "--modes", "nvhe")["nvhe"]
    assert cell["verdict"] == "silent-hang"
    assert cell["diagnosis"]["kind"] == "boot-hang"
    assert cell["diagnosis"]["causes"][0]["id"] == "stuck-at-el2"
    assert causes(cell)["stuck-at-el2"] == "proven"
    assert HYP_INIT in cell["diagnosis"]["title"]
    assert cell["seconds"] < 30


def test_an_absolute_pointer_on_the_way_into_the_hypervisor(
    kernel: BuiltKernel, patched: Patch
) -> None:
    image = patched((HYP_INIT, 0, HIGH_X9), (HYP_INIT, 4, LOAD_X9))
    cells = cells_of(image, "--vmlinux", kernel.vmlinux, "--modes", "nvhe,vhe")
    assert cells["vhe"]["verdict"] == "ok"
    assert cells["nvhe"]["diagnosis"]["causes"][0]["id"] == "absolute-pointer-at-el2"
    assert cells["nvhe"]["diagnosis"]["far"]["value"] == "0xffff000000000000"
    assert cells["nvhe"]["diagnosis"]["el"] == 2
    assert causes(cells["nvhe"])["stuck-at-el2"] == "supported"


def test_nothing_is_printed(kernel: BuiltKernel, patched: Patch) -> None:
    image = patched(("primary_entry", 0, SPIN))
    cell = cells_of(image, "--vmlinux", kernel.vmlinux, "--modes", "el1")["el1"]
    assert cell["verdict"] == "no-early-output"
    assert cell["diagnosis"]["causes"][0]["id"] == "early-hang"


def test_two_deterministic_runs_are_equal(kernel: BuiltKernel, tmp_path: Path) -> None:
    for name in ("a", "b"):
        words = ("--deterministic", "--modes", "el1,nvhe", "--keep", tmp_path / name)
        assert whypanic("lab", "boot", kernel.image, *words)[0] == 0
    code, out, _ = whypanic(
        "lab", "diff", tmp_path / "a", tmp_path / "b", "--fail-on", "difference"
    )
    assert (code, out) == (0, "el1: equal\nnvhe: equal\n")


@pytest.mark.parametrize("word", ["--modes=quux", "--kaslr=maybe", "--vmlinux=/missing"])
def test_words_that_are_wrong(kernel: BuiltKernel, word: str) -> None:
    code, out, err = whypanic("lab", "boot", kernel.image, word)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
