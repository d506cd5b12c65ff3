"""Sections, symbols and relocations as GNU readelf lists them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from builders.elf_files import kernel, module
from builders.images import PREFIX
from whypanic.formats.elf import ElfFile, relocation_name
from whypanic.formats.elf_symbols import read_symbols
from whypanic.formats.images import open_image

NAMES = ("kernel", "pie", "module")


def _path(name: str) -> Path:
    return {"kernel": kernel, "pie": lambda: kernel("-pie"), "module": module}[name]()


def _readelf(option: str, path: Path) -> list[list[str]]:
    done = subprocess.run(
        [f"{PREFIX}readelf", option, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_symbols(name: str) -> None:
    path = _path(name)
    rows = [r for r in _readelf("-sW", path) if len(r) > 6 and r[0].rstrip(":").isdigit()]
    listed = [(int(r[1], 16), int(r[2], 0)) for r in rows]
    symbols = read_symbols(ElfFile(memoryview(path.read_bytes()), name))
    assert symbols is not None
    ours = list(zip(symbols.rows["value"].tolist(), symbols.rows["size"].tolist(), strict=True))
    assert ours == listed[-len(ours) :]
    names = [r[7] if len(r) > 7 else "" for r in rows][-len(ours) :]
    types = [r[3] for r in rows][-len(ours) :]
    for i, (shown, kind) in enumerate(zip(names, types, strict=True)):
        if kind != "SECTION":
            assert symbols.name(i) == shown


@pytest.mark.parametrize("name", NAMES)
def test_sections(name: str) -> None:
    path = _path(name)
    rows = [
        r[-10:] for r in _readelf("-SW", path) if r and r[0].startswith("[") and "NULL" not in r
    ]
    elf = ElfFile(memoryview(path.read_bytes()), name)
    ours = [(f"{s.address:016x}", f"{s.offset:06x}", f"{s.size:06x}") for s in elf.sections[1:]]
    shown = [" ".join(row) for row in rows if "Nr]" not in row and row[-1].isdigit()]
    assert len(shown) == len(ours)
    for row, (address, offset, size) in zip(shown, ours, strict=True):
        assert f"{address} {offset} {size}" in row


@pytest.mark.parametrize("name", ["pie", "module"])
def test_relocations(name: str) -> None:
    path = _path(name)
    rows = [r for r in _readelf("-rW", path) if len(r) > 3 and r[2].startswith("R_AARCH64")]
    image = open_image(path)
    if name == "pie":
        listed = {
            (int(r[0], 16), int(r[3], 16) % (1 << 64)) for r in rows if r[2] == "R_AARCH64_RELATIVE"
        }
        relative = image.relative
        assert set(zip(relative.slots.tolist(), relative.values.tolist(), strict=True)) == listed
        assert np.all(np.diff(relative.slots.astype(np.int64)) > 0)
    else:
        assert sorted(relocation_name(r.type) for r in image.relocations) == sorted(
            r[2] for r in rows
        )
