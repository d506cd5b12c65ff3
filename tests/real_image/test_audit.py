"""The audit over a real image: clean it has no error, and what is planted in it is found, and nothing else."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from builders.planter import KINDS, RULES, planted_image
from builders.planting.decoys import DECOYS, data_in_code
from builders.planting.ground import PREFIX, Ground
from builders.planting.score import findings_of, score, score_object
from builders.planting.small import FORMS, hyp_object, small_image
from builders.real_image import RealImage

SEEDS = range(61, 66)
"""Five images: a defect of every kind in each."""
_SECONDS = 120
_NOT_IN_RAW = ("R03", "R05", "R30")
"""What needs to know where hyp data lies: a raw Image names functions only."""


@pytest.fixture(scope="module")
def ground(image: RealImage) -> Ground:
    return Ground(image.vmlinux)


@pytest.fixture(scope="module")
def known(ground: Ground) -> frozenset[tuple[str, int]]:
    return frozenset((f.rule, f.place) for f in findings_of(ground.path)[0])


def _audit(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Return what `whypanic audit --format json` exits with and says."""
    done = subprocess.run(
        [sys.executable, "-m", "whypanic", "audit", "--format", "json", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert done.returncode in (0, 1), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document


def _stripped(image: RealImage, folder: Path) -> Path:
    path = folder / "stripped"
    subprocess.run([f"{PREFIX}strip", "-o", str(path), str(image.vmlinux)], check=True)
    return path


@pytest.mark.parametrize("form", ["vmlinux", "vmlinuz", "stripped"])
def test_a_kernel_that_boots_has_no_error(form: str, image: RealImage, tmp_path: Path) -> None:
    path = _stripped(image, tmp_path) if form == "stripped" else getattr(image, form)
    code, document = _audit(path)
    errors = [f for f in document["findings"] if f["level"] == "error"]
    assert [(f["rule"], f["link_address"], f["title"]) for f in errors] == []
    assert code == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_is_planted_is_found_and_nothing_else(
    seed: int, ground: Ground, known: frozenset[tuple[str, int]], tmp_path: Path
) -> None:
    path = tmp_path / "vmlinux"
    plants = planted_image(ground, seed, path)
    assert {p.rule for p in plants} == {*RULES, None}
    one = score(path, plants, known)
    assert list(one.describe_missed()) == []
    assert [(f.rule, f.level, hex(f.place), f.title) for f in one.false] == []
    assert one.broken == ()


def test_legal_code_alone_raises_nothing(
    ground: Ground, known: frozenset[tuple[str, int]], tmp_path: Path
) -> None:
    path = tmp_path / "vmlinux"
    plants = planted_image(ground, 7, path, kinds=(), looks=DECOYS * 3)
    assert len(plants) > 2 * len(DECOYS)
    one = score(path, plants, known)
    assert [(f.rule, f.level, hex(f.place), f.title) for f in one.false] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_raw_image_shows_what_its_functions_do(seed: int, ground: Ground, tmp_path: Path) -> None:
    linked, raw = tmp_path / "vmlinux", tmp_path / "Image"
    # Nothing in a raw Image tells data between functions from code.
    looks = [d for d in DECOYS if d is not data_in_code]
    kinds = [k for k in KINDS if k.rule not in _NOT_IN_RAW]
    plants = planted_image(ground, seed, linked, kinds=kinds, looks=looks, elsewhere=False)
    subprocess.run([f"{PREFIX}objcopy", "-O", "binary", str(linked), str(raw)], check=True)
    one = score(raw, plants)
    assert list(one.describe_missed()) == []
    assert [(f.rule, f.level, hex(f.place), f.title) for f in one.false] == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("form", FORMS)
def test_small_images_and_objects_show_the_same(form: str, seed: int) -> None:
    path, plants = small_image(form, seed)
    one = score(path, plants)
    assert list(one.describe_missed()) == []
    assert [(f.rule, f.level, hex(f.place), f.title) for f in one.false] == []
    assert one.broken == ()


@pytest.mark.parametrize("orphan", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_section_more_than_hyp_code_may_have_is_found(seed: int, orphan: bool) -> None:
    path, section = hyp_object(seed, orphan=orphan)
    one = score_object(path, section, orphan=orphan)
    assert (list(one.describe_missed()), one.false, section) == ([], (), section)


def test_the_program_says_what_the_engine_finds(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "vmlinux"
    planted_image(ground, SEEDS[0], path)
    code, document = _audit(path)
    shown = Counter((f["rule"], int(f["link_address"], 16)) for f in document["findings"])
    assert shown == Counter((f.rule, f.place) for f in findings_of(path)[0])
    assert code == 1
