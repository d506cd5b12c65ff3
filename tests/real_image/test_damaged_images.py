"""Images with something missing: each is named, and what there is is used."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from builders.composed_crash import ComposedCrash, Composer
from builders.image_truth import ImageTruth
from builders.real_image import RealImage, Run, explain

_PREFIX = "aarch64-linux-gnu-"


@pytest.fixture(scope="module")
def crash(composer: Composer) -> ComposedCrash:
    return composer.crash(62, 0)


@contextmanager
def _copy(image: RealImage, folder: Path, damage: Callable[[Path], object]) -> Iterator[Path]:
    """Yield a damaged copy of vmlinux, and remove it: it has 273 MB."""
    path = folder / "vmlinux"
    shutil.copyfile(image.vmlinux, path)
    try:
        damage(path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _binutils(*words: str) -> Callable[[Path], object]:
    return lambda path: subprocess.run(
        [f"{_PREFIX}{words[0]}", *words[1:], str(path)], check=True, timeout=120
    )


def _poke(offset: int, data: bytes) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        with path.open("r+b") as opened:
            opened.seek(offset)
            opened.write(data)

    return damage


def _truncate(n_bytes: int) -> Callable[[Path], object]:
    def damage(path: Path) -> None:
        with path.open("r+b") as opened:
            opened.truncate(n_bytes)

    return damage


def _said(run: Run) -> str:
    """Return all that is said about the image."""
    shown = run.report["image"]
    return " ".join([run.stderr, *(shown["missing"] if shown else ())]).lower()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(_truncate(200_000_000), ("truncated", "section"), id="cut off"),
        pytest.param(_truncate(5_000), ("truncated", "section"), id="almost nothing left"),
        pytest.param(_poke(5, b"\2"), ("big-endian",), id="big-endian"),
        pytest.param(_poke(18, b"\x3e\0"), ("machine", "x86"), id="wrong machine"),
        pytest.param(_poke(0, b"\0" * 16), ("elf", "image"), id="no ELF"),
        pytest.param(_poke(40, b"\xff" * 7), ("section",), id="hostile section offset"),
    ],
)
def test_what_is_wrong_is_said_and_the_text_explained(
    damage: Callable[[Path], object],
    words: tuple[str, ...],
    image: RealImage,
    crash: ComposedCrash,
    tmp_path: Path,
) -> None:
    with _copy(image, tmp_path, damage) as path:
        run = explain(crash.text, "--vmlinux", path)
    assert any(w in _said(run) for w in words), _said(run)
    assert run.code in {0, 2}
    assert len(run.report["frames"]) == len(crash.frames)
    assert run.report["causes"][0]["id"] == "null-pointer-dereference"
    assert "internal error" not in run.stderr


@pytest.mark.parametrize(
    ("how", "word"), [("--strip-all", "symbol"), ("--strip-debug", "debug information")]
)
def test_a_stripped_image_confirms_what_it_can(
    how: str, word: str, image: RealImage, crash: ComposedCrash, tmp_path: Path
) -> None:
    with _copy(image, tmp_path, _binutils("strip", how)) as path:
        run = explain(crash.text, "--vmlinux", path)
    assert run.code == 0
    assert word in _said(run)
    report = run.report
    # Its symbols, or kallsyms in its data, still tell that it is the right one.
    assert report["image"]["match"] == "matches"
    assert report["image"]["engine"] is None
    assert report["image"]["kaslr_offset"] == hex(crash.slide)
    assert all(f["line"] is None for f in report["frames"])


def test_compressed_debug_sections_give_the_same_lines(
    image: RealImage, truth: ImageTruth, crash: ComposedCrash, tmp_path: Path
) -> None:
    with _copy(image, tmp_path, _binutils("objcopy", "--compress-debug-sections=zlib")) as path:
        run = explain(crash.text, "--vmlinux", path)
    assert run.code == 0
    lines = [[p.line for p in c] for c in truth.positions([f.lookup for f in crash.frames])]
    shown = [[p["line"] for p in [*f["inlined"], f]] for f in run.report["frames"]]
    assert shown == lines
