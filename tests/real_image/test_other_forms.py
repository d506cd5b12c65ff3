"""The same kernel as a raw Image, as System.map, and its modules."""

import random
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from builders.composed_crash import ComposedCrash, Composer
from builders.image_truth import ImageTruth, Position
from builders.real_image import RealImage, explain

SEED = 61
_PRINTED_OFFSET = 3 * 5
"""Number of a crash whose text prints the KASLR offset, and whose base register is NULL."""


class ModuleFrame(NamedTuple):
    module: str
    file: Path
    symbol: str
    offset: int
    size: int
    section_offset: int
    """Of the call."""

    def __str__(self) -> str:
        return f"{self.symbol}+{self.offset:#x}/{self.size:#x} [{self.module}]"


@pytest.fixture(scope="module")
def crash(composer: Composer) -> ComposedCrash:
    return composer.crash(SEED, _PRINTED_OFFSET)


def _without_names(crash: ComposedCrash) -> str:
    """Return the text as a kernel without kallsyms prints it."""
    text = crash.text
    for frame in crash.frames:
        text = text.replace(f" {frame.printed}\n", f" {frame.address + crash.slide:#x}\n")
    return text


@pytest.mark.parametrize("form", ["vmlinux", "vmlinuz", "system_map"])
def test_each_form_names_the_addresses(form: str, image: RealImage, crash: ComposedCrash) -> None:
    report = explain(_without_names(crash), "--vmlinux", getattr(image, form)).report
    assert [f["function"] and re.sub(r"\..*", "", f["function"]) for f in report["frames"]] == [
        re.sub(r"\..*", "", f.printed.name) for f in crash.frames
    ]


@pytest.mark.parametrize("form", ["vmlinuz", "system_map"])
def test_each_form_is_known_to_be_the_crashed_kernels(
    form: str, image: RealImage, crash: ComposedCrash
) -> None:
    report = explain(crash.text, "--vmlinux", getattr(image, form)).report
    assert report["image"]["match"] == "matches"
    assert report["image"]["kaslr_offset"] == hex(crash.slide)
    assert [f["symbol"] for f in report["frames"]] == [f.printed.name for f in crash.frames]
    assert report["image"]["missing"]


def test_kallsyms_of_the_raw_image_agree_with_system_map(
    image: RealImage, truth: ImageTruth
) -> None:
    from whypanic.formats.images import open_image

    raw, listed = open_image(image.vmlinuz), open_image(image.system_map)
    names = {(s.address, s.name) for s in raw.symbols}
    everything = {(s.address, s.name) for s in listed.symbols}
    assert names <= everything
    assert len(names) > 40_000
    wrong = [
        (hex(start), truth.printed(start).name)
        for start in truth.function_starts
        if (start, truth.printed(start).name) not in names
    ]
    assert wrong == []


def test_the_raw_image_has_the_bytes_of_vmlinux(image: RealImage, truth: ImageTruth) -> None:
    from whypanic.formats.images import open_image

    raw = open_image(image.vmlinuz)
    words = raw.words(truth.text, truth.text_end)
    assert words is not None
    relocated = {slot + i for slot in raw.relative.slots.tolist() for i in (0, 4)}
    differing = [truth.text + 4 * int(i) for i in np.flatnonzero(words != truth.words)]
    assert [hex(a) for a in differing if a not in relocated] == []
    assert len(raw.relative.slots) > 100_000


def _module_frames(file: Path, rng: random.Random) -> list[ModuleFrame]:
    """Return return addresses behind calls in functions of a module's .text."""
    with file.open("rb") as opened:
        elf = ELFFile(opened)
        text, table = elf.get_section_by_name(".text"), elf.get_section_by_name(".symtab")
        assert text is not None
        assert isinstance(table, SymbolTableSection)
        index = elf.get_section_index(".text")
        rows = sorted(
            (int(s["st_value"]), s["st_info"]["type"] == "STT_FUNC", s.name)
            for s in table.iter_symbols()
            if s["st_shndx"] == index and s.name and not s.name.startswith("$")
        )
        data = text.data()
    found = []
    for (start, is_function, name), (end, _, _) in pairwise(rows):
        alone = sum(r[0] == start for r in rows) == 1
        sites = [
            at
            for at in range(start, end - 4, 4)
            if int.from_bytes(data[at : at + 4], "little") >> 26 == 0x25
        ]
        if is_function and alone and sites:
            site = rng.choice(sites)
            module = file.stem.replace("-", "_")
            found.append(ModuleFrame(module, file, name, site + 4 - start, end - start, site))
    return rng.sample(found, min(4, len(found)))


def _with_modules(crash: ComposedCrash, frames: list[ModuleFrame]) -> str:
    """Return the text with calls from modules behind its trace."""
    names = " ".join(sorted({f.module for f in frames}))
    text = crash.text.replace("Modules linked in:", f"Modules linked in: {names}")
    before, mark, after = text.partition("Code: ")
    stamp = re.findall(r"\[[ \d.]+\] ", before)[-1]
    return before + "".join(f" {f}\n{stamp}" for f in frames) + mark + after


@pytest.fixture(scope="module")
def module_frames(image: RealImage) -> list[ModuleFrame]:
    rng = random.Random(SEED)
    return [f for file in image.debug_modules for f in _module_frames(file, rng)]


def test_frames_of_modules_have_lines(
    image: RealImage, crash: ComposedCrash, module_frames: list[ModuleFrame], truth: ImageTruth
) -> None:
    assert len(module_frames) >= 12
    text = _with_modules(crash, module_frames)
    report = explain(text, "--vmlinux", image.vmlinux, "--modules", image.debug).report
    shown = report["frames"][len(crash.frames) :]
    assert [f["symbol"] for f in shown] == [f.symbol for f in module_frames]
    wrong, n_compared = [], 0
    for frame, true in zip(shown, module_frames, strict=True):
        chain: tuple[Position, ...] = truth.positions([true.section_offset], true.file)[0]
        if not chain[-1].line:
            continue  # llvm-symbolizer 14 finds no unit for functions of several ranges in a relocatable file
        n_compared += 1
        places = [*frame["inlined"], frame]
        if [(p["line"], p["column"]) for p in places] != [(p.line, p.column) for p in chain]:
            wrong.append((str(true), places, chain))
    assert wrong == []
    assert n_compared >= 12


def test_modules_without_debug_information_confirm_their_frames(
    image: RealImage, crash: ComposedCrash, module_frames: list[ModuleFrame]
) -> None:
    text = _with_modules(crash, module_frames)
    report = explain(text, "--vmlinux", image.vmlinux, "--modules", image.modules).report
    assert report["image"]["match"] == "matches"
    wrong = text.replace(
        str(module_frames[0]), f"{module_frames[0].symbol}+0x4/0x9990 [{module_frames[0].module}]"
    )
    assert wrong != text
    again = explain(wrong, "--vmlinux", image.vmlinux, "--modules", image.modules).report
    # The kernel is still the right one; the module is not.
    assert again["frames"][0]["line"] is not None
    assert again["frames"][len(crash.frames)]["line"] is None
