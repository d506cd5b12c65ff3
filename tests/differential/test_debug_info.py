"""drgn, llvm-symbolizer and GNU addr2line over the same small files: every function, file, line and column.

The same over random addresses of a real kernel: tests/real_image/test_engines.py.
"""

import subprocess
from pathlib import Path

import pytest

from builders import line_fixtures, variables
from builders.debug_engines import addr2line, drgn, llvm, without_columns
from builders.images import PREFIX, link
from builders.line_fixtures import TREE, instructions, shown
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import KernelImage
from whypanic.symbolize.debug_info import Chain

LINES = ["sections-clang5.o", "sections-gcc4.o", "moved-clang.elf", "locks.elf"]
VARIABLES = ["variables-gcc.elf", "variables-clang.elf"]
ASSEMBLED = """
    .text
    .global _text
    .type _text, %function
_text:
    mov x0, #1
    adr x1, 1f
    .subsection 1
    mov x2, #2
    .previous
    ret
    .size _text, . - _text
    .section .text.cold, "ax"
    .type cold, %function
cold:
1:  brk #1
    .size cold, . - cold
"""
BY_HAND = """
    .text
    .file 1 "/src/tree/a folder: of mine/it's.c"
    .global _text
_text:
    .loc 1 7 3
    nop
    .loc 1 8 0
    nop
    .loc 1 9 1 discriminator 4
    nop
spanned:
    .loc 1 11 1
    nop
end:
    .section .debug_abbrev
    .uleb128 1, 0x11
    .byte 1
    .uleb128 0x10, 0x17, 0x11, 0x1, 0x12, 0x1, 0x3, 0x8, 0x1b, 0x8, 0, 0
    .uleb128 2, 0x2e
    .byte 0
    .uleb128 0x3, 0x8, 0x11, 0x1, 0x12, 0x1, 0, 0
    .byte 0
    .section .debug_info
    .long 2f - 1f
1:  .short 4
    .long .debug_abbrev
    .byte 8
    .uleb128 1
    .long .debug_line
    .quad _text, end
    .asciz "a folder: of mine/it's.c"
    .asciz "/src/tree"
    .uleb128 2
    .asciz "operator a: (b) ??"
    .quad _text, spanned
    .byte 0
2:
    .section .debug_line
"""


def _image(name: str) -> KernelImage:
    if name in VARIABLES:
        return open_image(variables.FOLDER / name)
    return line_fixtures.image(name)


@pytest.mark.parametrize("name", LINES + VARIABLES)
def test_drgn_and_llvm_agree(name: str) -> None:
    image = _image(name)
    addresses = instructions(image)
    _same(drgn(image, TREE).locate(addresses), llvm(image, TREE).locate(addresses))


@pytest.mark.parametrize("name", ["sections-gcc4.o", "moved-clang.elf", "locks.elf"])
def test_addr2line_agrees_but_for_columns(name: str) -> None:
    image = _image(name)
    addresses = instructions(image)
    true = llvm(image, TREE).locate(addresses)
    _same([without_columns(c) for c in true], addr2line(image, TREE).locate(addresses))


@pytest.mark.parametrize("name", ["sections-clang5.o", "variables-clang.elf"])
def test_addr2line_gives_file_and_line_of_clang(name: str) -> None:
    image = _image(name)
    addresses = instructions(image)
    true = llvm(image, TREE).locate(addresses)
    assert any(len(chain) > 1 for chain in true)
    said = addr2line(image, (*TREE, "/")).locate(addresses)
    assert [[p.function for p in chain] for chain in said] == [[None] * bool(c) for c in true]
    assert [[(p.file, p.line) for p in chain] for chain in said] == [
        [(p.file, p.line) for p in chain[:1]] for chain in true
    ]


@pytest.mark.parametrize("version", [3, 4, 5])
def test_assembler(version: int) -> None:
    image = open_image(link(ASSEMBLED, assembler=(f"-gdwarf-{version}",)))
    addresses = instructions(image)
    roots = (f"{Path.cwd()}/",)
    true = llvm(image, roots).locate(addresses)
    assert {p.line for chain in true for p in chain} == {6, 7, 9, 11, 16}
    _same(drgn(image, roots).locate(addresses), true)
    said = addr2line(image, roots).locate(addresses)
    assert [[(p.file, p.line) for p in chain] for chain in said] == [
        [(p.file, p.line) for p in chain] for chain in true
    ]


def test_names_and_paths_of_any_letters() -> None:
    image = open_image(link(BY_HAND))
    addresses = instructions(image)
    expected = [
        ["operator a: (b) ?? a folder: of mine/it's.c:7:3"],
        ["operator a: (b) ?? a folder: of mine/it's.c:8:None"],
        ["operator a: (b) ?? a folder: of mine/it's.c:9:1"],
        [],
    ]
    assert [shown(c) for c in drgn(image, TREE).locate(addresses)] == expected
    assert [shown(c) for c in llvm(image, TREE).locate(addresses)] == expected
    said = addr2line(image, TREE).locate(addresses)
    assert [(p.file, p.line) for chain in said[:3] for p in chain] == [
        ("a folder: of mine/it's.c", line) for line in (7, 8, 9)
    ]


@pytest.mark.parametrize("kind", ["zlib", "zlib-gnu"])
@pytest.mark.parametrize("name", ["variables-clang.elf", "moved-clang.elf"])
def test_compressed_sections(tmp_path: Path, name: str, kind: str) -> None:
    plain = _image(name)
    packed = tmp_path / name
    assert plain.path is not None
    argv = [f"{PREFIX}objcopy", f"--compress-debug-sections={kind}", str(plain.path), str(packed)]
    subprocess.run(argv, check=True, timeout=60)
    addresses = instructions(plain)
    true = drgn(plain, TREE).locate(addresses)
    assert any(true)
    image = open_image(packed)
    _same(drgn(image, TREE).locate(addresses), true)
    _same(llvm(image, TREE).locate(addresses), true)


def _same(one: list[Chain], other: list[Chain]) -> None:
    assert any(one)
    assert [shown(chain) for chain in one] == [shown(chain) for chain in other]
