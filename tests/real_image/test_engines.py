"""drgn, llvm-symbolizer and GNU addr2line over random addresses of the kernel and of its modules."""

import posixpath
import random

import pytest

from builders.debug_engines import addr2line, addr2line_errs, drgn, llvm, without_columns
from builders.image_truth import ImageTruth
from builders.line_fixtures import instructions
from builders.real_image import RealImage
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage

COUNT = 300
SEEDS = [1, 2, 3]


@pytest.fixture(scope="module")
def kernel(image: RealImage) -> KernelImage:
    return open_image(image.vmlinux)


def _addresses(kernel: KernelImage, seed: int) -> list[int]:
    """Return random addresses of code, of large sections and small ones alike for the last third."""
    choose = random.Random(seed)
    sections = [s for s in kernel.executable_sections() if s.size >= 4]
    sizes = [s.size for s in sections]
    chosen = choose.choices(sections, sizes, k=COUNT * 2 // 3) + choose.choices(
        sections, k=COUNT // 3
    )
    return [s.address + choose.randrange(s.size // 4) * 4 for s in chosen]


@pytest.mark.parametrize("seed", SEEDS)
def test_drgn_and_llvm_agree(kernel: KernelImage, seed: int) -> None:
    addresses = _addresses(kernel, seed)
    found = drgn(kernel).locate(addresses)
    assert sum(bool(chain) for chain in found) > COUNT * 3 // 4
    assert any(len(chain) > 3 for chain in found)
    assert found == llvm(kernel).locate(addresses)


@pytest.mark.parametrize("seed", SEEDS)
def test_addr2line_errs_only_as_it_is_known_to(
    kernel: KernelImage, truth: ImageTruth, seed: int
) -> None:
    addresses = _addresses(kernel, seed)
    found = zip(
        addresses, llvm(kernel).locate(addresses), addr2line(kernel).locate(addresses), strict=True
    )
    wrong = [(a, true, said) for a, true, said in found if without_columns(true) != said]
    assert len(wrong) < COUNT // 5

    def unit_name(address: int) -> str:
        return posixpath.normpath(truth.unit_name(address))

    assert [w for w in wrong if not addr2line_errs(kernel, unit_name, *w)] == []


def test_files_are_named_below_the_tree(kernel: KernelImage) -> None:
    chains = drgn(kernel).locate(_addresses(kernel, 4))
    files = {p.file for chain in chains for p in chain if p.file is not None}
    assert len(files) > 100
    assert [f for f in files if f.startswith(("/", "."))] == []


def test_modules(image: RealImage, kernel: KernelImage) -> None:
    roots = tuple(dict.fromkeys((*drgn(kernel).roots, *addr2line(kernel).roots)))
    small = [p for p in image.debug_modules if p.stat().st_size < 4 << 20]
    assert small
    for path in random.Random(5).sample(small, min(len(small), 12)):
        module = open_image(path)
        code = instructions(module)
        addresses = random.Random(6).sample(code, min(len(code), COUNT))
        found = drgn(module, roots).locate(addresses)
        assert found == llvm(module, roots).locate(addresses), path.name
        said = addr2line(module, roots).locate(addresses)
        known = [(true, chain) for true, chain in zip(found, said, strict=True) if true]
        right = sum(without_columns(true) == chain for true, chain in known)
        assert right >= len(known) * 9 // 10, path.name
