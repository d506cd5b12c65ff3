import pytest

from whypanic.formats.kernel_image import ImageKind
from whypanic.formats.system_map import read_system_map
from whypanic.model.errors import InputError

MAP = b"""\
ffff800010080000 T _text
ffff800010081000 T _stext
ffff800010081040 t first_one
ffff800010081080 W other
ffff800010081080 t alias
ffff800010090000 D _etext
ffff800010090000 d table
ffff800010090010 t __kvm_nvhe_$d
ffff8000100a0000 B __bss_start
ffff8000100b0000 B __bss_stop
"""


def test_symbols_and_sections() -> None:
    image = read_system_map(MAP, name="System.map")
    assert image.kind is ImageKind.SYSTEM_MAP
    assert image.missing == ("no code and no data: it holds symbols only",)
    assert [(s.name, s.size, s.kind, s.is_global) for s in image.symbols][1:6] == [
        ("_stext", 0x40, "function", True),
        ("first_one", 0x40, "function", False),
        ("other", 0xEF80, "function", True),
        ("alias", 0xEF80, "function", False),
        ("_etext", 0x10, "object", True),
    ]
    assert len(image.symbols) == 9
    assert [(s.name, s.address, s.has_bytes) for s in image.sections] == [
        (".head.text", 0xFFFF_8000_1008_0000, False),
        (".text", 0xFFFF_8000_1008_1000, False),
        (".bss", 0xFFFF_8000_100A_0000, False),
    ]
    assert image.read(0xFFFF_8000_1008_1000, 4) is None
    assert image.base == 0xFFFF_8000_1008_0000


def test_line_ends_and_large_digits() -> None:
    image = read_system_map(MAP.upper().replace(b"\n", b"\r\n"), name="x")
    assert image.symbols.find("FIRST_ONE")[0].address == 0xFFFF_8000_1008_1040
    assert len(image.missing) == 1


def test_damaged_lines_are_counted() -> None:
    damaged = b"""\
ffff800010080000 T good
ffff80001008100 T short
ffff800010082000 T
ffff800010083000 T two ffff800010083010 T lines
gfff800010084000 T digit
ffff800010085000 9 letter

                 U undefined
ffff800010086000 t last"""
    image = read_system_map(damaged, name="x")
    assert [s.name for s in image.symbols] == ["good", "last"]
    assert image.missing[1] == "6 of 9 lines are no symbols and are left out"


def test_proc_kallsyms() -> None:
    text = MAP + b"ffff800000aa0000 t probe\t[some_mod]\nffff800000aa0100 d data\t[bpf]\n"
    image = read_system_map(text, name="kallsyms")
    assert image.symbols.find("probe") == ()
    assert len(image.symbols) == 9
    assert image.missing[1] == (
        "2 symbols of modules are left out; addresses are those of one boot, KASLR included"
    )


def test_masked_addresses() -> None:
    image = read_system_map(b"0000000000000000 T _text\n0000000000000000 t other\n", name="x")
    assert len(image.symbols) == 0
    assert image.missing[1].startswith("no addresses: all are 0, as /proc/kallsyms shows them")


def test_constants_are_no_places() -> None:
    image = read_system_map(b"0000000000000040 A size\n" + MAP, name="x")
    assert image.symbols.find("size") == ()
    assert image.base == 0xFFFF_8000_1008_0000


@pytest.mark.parametrize("data", [b"", b"\n\n", b"hello", bytes(300), b"ffffffff T x\n"])
def test_no_map(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^x is no System.map: no line is"):
        read_system_map(data, name="x")


def test_last_line_without_its_end() -> None:
    assert len(read_system_map(MAP[:-1], name="x").symbols) == 9
    assert len(read_system_map(b"ffff800010080000 T a", name="x").symbols) == 1
