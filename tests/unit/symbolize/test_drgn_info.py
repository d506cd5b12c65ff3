import logging
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders.images import link
from builders.line_fixtures import FOLDER, TREE, image, shown
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import symbol_table
from whypanic.model.errors import HostError
from whypanic.model.image import SourcePosition
from whypanic.symbolize.debug_info import Chain
from whypanic.symbolize.drgn_info import DrgnInfo, OpenOther, open_drgn

TEXT = 0xFFFF800008000000
GET, READ, ENTRY = 0xFFFF800008010000, 0xFFFF80000801000C, 0xFFFF80000801001C


def _open(name: str, other: OpenOther | None = None) -> DrgnInfo:
    found = open_drgn(image(name), roots=TREE, other=other)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "address", "expected"),
    [
        ("sections-clang5.o", 0x10000, ["in_text sections.c:15:None"]),
        (
            "sections-clang5.o",
            0x1001C,
            [
                "twice sections.c:5:2",
                "twice_more sections.c:11:9",
                "in_text sections.c:16:9",
                "in_init sections.c:21:20",
            ],
        ),
        ("sections-gcc4.o", 0x10024, ["twice sections.c:6:11", "in_init sections.c:21:9"]),
        ("moved-clang.elf", 0xFFFF80000801000C, ["None moved.S:13:None"]),
        ("moved-clang.elf", 0xFFFF800008010018, ["None moved.S:22:None"]),
    ],
)
def test_chains(name: str, address: int, expected: list[str]) -> None:
    (chain,) = _open(name).locate([address])
    assert shown(chain) == expected


def test_answers_come_in_the_order_of_the_addresses() -> None:
    info = _open("sections-clang5.o")
    chains = info.locate([0x10014, 0x10000, 0x10014])
    assert [chain[-1].function for chain in chains] == ["in_init", "in_text", "in_init"]


@pytest.mark.parametrize("address", [0, -4, 1 << 64, (1 << 64) - 4, 0xFFFF80000801002C])
def test_addresses_without_information(address: int) -> None:
    assert _open("moved-clang.elf").locate([address]) == [()]


class Other:
    engine = "other"
    caution = None
    roots = ()

    def __init__(self) -> None:
        self.asked: list[int] = []

    def locate(self, addresses: Sequence[int]) -> list[Chain]:
        self.asked += addresses
        return [
            () if a == READ else (SourcePosition("a::get", "a.rs", a & 0xFF, 1),) for a in addresses
        ]

    def variables(self, *_: object, **__: object) -> None:
        return None


def test_another_engine_is_asked_for_rust() -> None:
    other = Other()
    chains = _open("locks.elf", lambda: other).locate([GET, READ, ENTRY])
    assert other.asked == [GET, READ, ENTRY]
    assert [shown(chain) for chain in chains] == [
        ["a::get a.rs:0:1"],
        ["None locks.rs:46:22"],
        ["a::get a.rs:28:1"],
    ]


def test_another_engine_is_asked_for_nothing_else() -> None:
    def fail() -> None:
        raise AssertionError

    assert _open("moved-clang.elf", fail).locate([TEXT + 0x10000]) != [()]


def _no_program() -> None:
    message = "none"
    raise HostError(message)


@pytest.mark.parametrize("other", [None, lambda: None, _no_program])
def test_without_another_engine_functions_of_rust_stay_unknown(other: OpenOther | None) -> None:
    get, read = _open("locks.elf", other).locate([GET, READ])
    assert [p.function for p in get] == ["pause", "inner<u32>", "get<u32>"]
    assert shown(read) == ["None locks.rs:46:22"]


def test_the_path_of_the_tree_is_learnt() -> None:
    source = """
    .file 1 "/a tree/arch/arm64/kernel/head.S"
    .text
    .global _text
    _text:
    .loc 1 61
    nop
    """
    info = open_drgn(open_image(link(source)))
    assert info is not None
    assert shown(info.locate([TEXT])[0]) == ["None arch/arm64/kernel/head.S:61:None"]
    assert info.roots == ("/a tree/",)


def test_mapping_symbols_are_no_functions() -> None:
    source = """
    .text
    .global _text
    _text: nop
    .word 0
    nop
    """
    info = open_drgn(open_image(link(source, assembler=("-gdwarf-4",))))
    assert info is not None
    chains = info.locate([TEXT, TEXT + 8])
    assert [p.function for chain in chains for p in chain] == [None, None]


def test_variables_come_from_drgn() -> None:
    found = _open("sections-gcc4.o").variables(0x10010, {"x0": 5})
    assert found is not None
    assert {v.function for v in found} <= {"in_text"}


@pytest.mark.parametrize("how", ["no path", "no debug information"])
def test_images_without_debug_information(how: str) -> None:
    path = None if how == "no path" else FOLDER / "locks.elf"
    made = KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table([]),
        path=path,
        has_debug_info=path is None,
    )
    assert open_drgn(made) is None


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"not an ELF file" * 100])
def test_a_file_that_drgn_cannot_read(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(data)
    made = KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table([]),
        path=path,
        has_debug_info=True,
    )
    with caplog.at_level(logging.DEBUG, logger="root"):
        assert open_drgn(made) is None
    assert caplog.records == []


def test_damaged_debug_information_is_no_error(tmp_path: Path) -> None:
    data = bytearray((FOLDER / "sections-gcc4.o").read_bytes())
    for i in range(0x100, len(data) - 0x500, 7):
        data[i] ^= 0x5A
    path = tmp_path / "damaged.o"
    path.write_bytes(data)
    made = image("sections-gcc4.o")
    damaged = KernelImage(
        name="damaged",
        kind=made.kind,
        symbols=made.symbols,
        sections=made.sections,
        path=path,
        has_debug_info=True,
    )
    info = open_drgn(damaged)
    if info is not None:
        assert len(info.locate(range(0x10000, 0x10040, 4))) == 16


def test_drgn_is_imported_where_it_is_used() -> None:
    code = "import sys, whypanic.symbolize.open_debug_info; print('drgn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
