"""`whypanic lab boot` as a person runs it, without QEMU."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from builders.boots import BANNER, FINE, OOPS, boot_result, fake_booter
from builders.fake_qemu import KVM, LINUX, raw_image
from whypanic.app import lab_boot
from whypanic.cli.main import main
from whypanic.model.errors import HostError
from whypanic.model.lab import BootResult, LabVerdict
from whypanic.report.lab_document import lab_schemas

PANIC = boot_result(LabVerdict.PANIC, reason="NULL pointer dereference")
DIED = boot_result(LabVerdict.INFRASTRUCTURE, reason="QEMU ended: killed")


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("WHYPANIC_CACHE", str(tmp_path / "cache"))
    (tmp_path / "Image").write_bytes(raw_image(KVM, LINUX))
    return str(tmp_path / "Image")


def boots(monkeypatch: pytest.MonkeyPatch, **results: BootResult) -> None:
    booter = fake_booter(results, {"vhe": BANNER + OOPS})
    defaults: Any = lab_boot.boot_kernel.__kwdefaults__
    monkeypatch.setitem(defaults, "booter", booter)


def run(image: str, *words: str) -> int:
    return main(["lab", "boot", image, "--initramfs", "i", *words])


def test_text(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boots(monkeypatch, nvhe=FINE, vhe=PANIC)
    assert run(image, "--modes", "nvhe,vhe") == 0
    said = capsys.readouterr()
    assert "nvhe  ok" in said.out
    assert "cause: null-pointer-dereference" in said.out
    assert said.err == ""


def test_json(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boots(monkeypatch, nvhe=FINE, vhe=PANIC)
    assert run(image, "--modes", "nvhe,vhe", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, lab_schemas()["lab-boot"])
    assert document["schema"] == "whypanic.lab-boot/1"
    assert [cell["verdict"] for cell in document["cells"]] == ["ok", "panic"]
    assert document["cells"][1]["diagnosis"]["kind"] == "null-dereference"


@pytest.mark.parametrize(
    ("fail_on", "results", "code"),
    [
        ("never", {"vhe": PANIC}, 0),
        ("fail", {"vhe": PANIC}, 1),
        ("fail", {"nvhe": FINE}, 0),
        ("panic", {"vhe": PANIC}, 1),
        ("oops", {"vhe": PANIC}, 0),
        ("never", {"vhe": DIED}, 3),
        ("fail", {"vhe": DIED}, 3),
        ("infrastructure", {"vhe": DIED}, 1),
    ],
)
def test_exit_codes(
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    fail_on: str,
    results: dict[str, BootResult],
    code: int,
) -> None:
    boots(monkeypatch, **results)
    assert run(image, "--fail-on", fail_on) == code


def test_usage(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(image, "--fail-on", "quux") == 2
    assert "`quux` is no verdict" in capsys.readouterr().err
    assert run(image, "--modes", "quux") == 2
    assert "no mode `quux`" in capsys.readouterr().err
    assert run(image + ".missing") == 2
    assert capsys.readouterr().err.startswith("error: cannot read")


def test_no_qemu(
    image: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def booter(*_: Any, **__: Any) -> BootResult:
        message = "no program `qemu`"
        raise HostError(message, hints=("install it",))

    defaults: Any = lab_boot.boot_kernel.__kwdefaults__
    monkeypatch.setitem(defaults, "booter", booter)
    assert run(image) == 3
    assert capsys.readouterr().err == "error: no program `qemu`\nhint: install it\n"
