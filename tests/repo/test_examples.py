"""The example image is what its folder says that it is."""

import subprocess
from pathlib import Path

from builders.images import need_binutils
from builders.repository import ROOT
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage

FOLDER = ROOT / "examples" / "image"
MAX_BYTES = 8 << 10


def held(image: KernelImage) -> list[tuple[str, int, bytes | None]]:
    """Return what a kernel would have in memory: sections with their bytes, but for the build id."""
    return [
        (s.name, s.address, image.read(s.address, s.size))
        for s in image.sections
        if "build-id" not in s.name
    ]


def test_the_image_is_made_of_its_source(tmp_path: Path) -> None:
    need_binutils()
    made = tmp_path / "vmlinux"
    command = ["bash", str(FOLDER / "build.sh"), str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    again, kept = open_image(made), open_image(FOLDER / "vmlinux")
    assert held(again) == held(kept)
    assert [*again.symbols] == [*kept.symbols]
    assert again.banner == kept.banner


def test_the_image_is_small_and_its_log_is_of_it() -> None:
    assert (FOLDER / "vmlinux").stat().st_size < MAX_BYTES
    banner = open_image(FOLDER / "vmlinux").banner
    assert banner is not None
    assert banner in (FOLDER / "panic.txt").read_text()
