from pathlib import Path

from builders.images import link
from whypanic.formats.kernel_image import ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.lab.places import image_namer, name_in

BASE = 0xFFFF800008000000


def _image() -> KernelImage:
    symbols = (
        Symbol("vectors", BASE + 0x800, 0x400, "function", False),
        Symbol("init", BASE + 0x900, 0, "other", False),
    )
    return KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table(symbols),
        sections=(Section(".head.text", BASE, 0x2000, True, False),),
    )


def test_the_last_symbol_before_it_names_a_place() -> None:
    image = _image()
    assert name_in(image, 0x800) == "vectors"
    assert name_in(image, 0x8FC) == "vectors+0xfc"
    assert name_in(image, 0x904) == "init+0x4"
    assert name_in(image, 0x10) is None


def test_a_vmlinux_is_opened_when_it_is_needed(tmp_path: Path) -> None:
    vmlinux = tmp_path / "vmlinux"
    name = image_namer(tmp_path / "Image", vmlinux)
    vmlinux.write_bytes(link(".text\n.globl start\nstart: nop\nnop\n").read_bytes())
    assert name(4) == "_text+0x4"


def test_no_image_no_names(tmp_path: Path) -> None:
    assert image_namer(tmp_path / "Image", None)(0) is None
