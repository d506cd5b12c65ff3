"""One kernel in every mode, without QEMU."""

from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from builders.boots import BANNER, FINE, OOPS, OWN_FAULT, boot_result, fake_booter, stuck
from builders.fake_qemu import KVM, LINUX, raw_image
from whypanic.app.lab_boot import (
    BootOptions,
    boot_kernel,
    chosen_modes,
    without_large_files,
)
from whypanic.model.errors import InputError, UsageError
from whypanic.model.lab import BootResult, BootSpec, LabVerdict
from whypanic.report.lab_document import BootDocument, lab_schemas
from whypanic.report.lab_events import BootFinished, BootStarted, decode_event


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def image(tmp_path: Path) -> str:
    (tmp_path / "Image").write_bytes(raw_image(KVM, LINUX))
    return str(tmp_path / "Image")


RESULTS = {
    "nvhe": FINE,
    "vhe": boot_result(LabVerdict.PANIC, reason="NULL pointer dereference", seconds=0.5),
    "protected": boot_result(
        LabVerdict.SILENT_HANG,
        reason="no output",
        samples=(stuck("__kvm_nvhe___invalid", registers={"x0": 1}),),
        exceptions=(OWN_FAULT,),
        system_registers={"ESR_EL2": 0x96000004},
    ),
}
CONSOLES = {"vhe": BANNER + OOPS}


def run(image: str, modes: str = "all", **options: Any) -> BootDocument:
    chosen = BootOptions(modes=modes, initramfs="initramfs.cpio", **options)
    return boot_kernel(
        image,
        chosen,
        say=lambda _: None,
        progress=lambda _: None,
        command=["lab"],
        booter=fake_booter(RESULTS, CONSOLES),
    )


def test_every_mode_is_a_cell(image: str) -> None:
    document = run(image)
    modes = ["el1", "nvhe", "vhe", "nvhe-on-vhe", "hvhe", "protected", "kvm-off"]
    assert [cell.cell.mode for cell in document.cells] == modes
    verdicts = {cell.cell.mode: cell.verdict for cell in document.cells}
    assert verdicts["nvhe"] == "ok"
    assert verdicts["el1"] == "not-applicable"
    jsonschema.validate(msgspec.to_builtins(document), lab_schemas()["lab-boot"])
    assert [given.name for given in document.inputs] == [image]
    assert document.inputs[0].sha256 == document.cells[0].image_hash


def test_failures_are_diagnosed(image: str) -> None:
    cells = {cell.cell.mode: cell for cell in run(image).cells}
    assert cells["nvhe"].diagnosis is None
    panic, hang = cells["vhe"].diagnosis, cells["protected"].diagnosis
    assert panic is not None
    assert panic.kind == "null-dereference"
    assert hang is not None
    assert hang.causes[0].id == "absolute-pointer-at-el2"
    assert cells["protected"].samples[0].pc == "0x40451784"
    assert cells["protected"].samples[0].registers == {"x0": "0x1"}
    assert cells["protected"].exceptions[0].esr == "0x96000004"
    assert cells["protected"].system_registers == {"ESR_EL2": "0x96000004"}
    assert cells["protected"].cell.cpu == "max"


def test_events_of_a_run(image: str, tmp_path: Path) -> None:
    run(image, "nvhe, vhe,nvhe", keep=str(tmp_path / "kept"))
    lines = (tmp_path / "kept" / "run.jsonl").read_bytes().splitlines()
    events = [decode_event(line) for line in lines]
    assert [type(event).__name__ for event in events] == [
        "RunStarted",
        "BootStarted",
        "BootFinished",
        "BootStarted",
        "BootFinished",
        "RunFinished",
    ]
    started = [e.cell.mode for e in events if isinstance(e, BootStarted)]
    assert started == ["nvhe", "vhe"]
    ended = [e.result.verdict for e in events if isinstance(e, BootFinished)]
    assert ended == ["ok", "panic"]
    assert (tmp_path / "kept" / "vhe" / "console.log").read_text() == BANNER + OOPS


def test_what_a_boot_is_told(image: str) -> None:
    specs: list[BootSpec] = []

    def booter(spec: BootSpec, **given: Any) -> BootResult:
        specs.append(spec)
        given["progress"]("a line")
        return fake_booter(RESULTS)(spec)

    said: list[str] = []
    options = BootOptions(
        modes="nvhe",
        kaslr="7",
        n_cpus=2,
        deterministic=True,
        append="quiet",
        initramfs="mine.cpio",
    )
    boot_kernel(image, options, say=said.append, progress=said.append, booter=booter)
    (spec,) = specs
    assert (spec.kaslr, spec.n_cpus, spec.deterministic, spec.append) == ("7", 2, True, "quiet")
    assert (spec.initramfs, spec.page) == ("mine.cpio", "4k")
    assert said == ["nvhe (1 of 1)", "nvhe (1 of 1): a line"]


def test_words_that_are_wrong(image: str, tmp_path: Path) -> None:
    for modes in ("nvhe,quux", "", " , "):
        with pytest.raises(UsageError):
            run(image, modes)
    with pytest.raises(UsageError, match="KASLR"):
        run(image, kaslr="maybe")
    with pytest.raises(InputError):
        run(str(tmp_path / "missing"))
    assert not (tmp_path / "cache").exists()


def test_chosen_modes() -> None:
    assert chosen_modes("vhe,nvhe") == ("vhe", "nvhe")
    assert len(chosen_modes("all")) == 7


def test_large_files_do_not_stay_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whypanic.app.lab_boot._LARGE_BYTES", 10)
    (tmp_path / "vmcore").write_bytes(bytes(11))
    (tmp_path / "console.log").write_bytes(bytes(9))
    named = {name: str(tmp_path / name) for name in ("vmcore", "console.log", "missing")}
    result = without_large_files(replace(FINE, artifacts={**named, "folder": str(tmp_path)}))
    assert set(result.artifacts) == {"console.log", "missing", "folder"}
    assert not (tmp_path / "vmcore").exists()
    assert (tmp_path / "console.log").exists()
