"""Tests over a real image, which `bash scripts/real-image.sh` fetches and names; without it they are not collected."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.composed_crash import Composer
from builders.image_truth import ImageTruth
from builders.real_image import FOLDER, RealImage

collect_ignore_glob = [] if os.environ.get(FOLDER) else ["test_*.py"]


@pytest.fixture(scope="session")
def image() -> RealImage:
    folder = os.environ.get(FOLDER)
    if not folder:
        pytest.fail(f"name the folder: {FOLDER}=$(bash scripts/fetch-image.sh)")
    return RealImage(Path(folder))


@pytest.fixture(scope="session")
def truth(image: RealImage) -> Iterator[ImageTruth]:
    opened = ImageTruth(image.vmlinux, image.system_map)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def composer(image: RealImage, truth: ImageTruth) -> Composer:
    return Composer(truth, release=image.release, package=image.version)
