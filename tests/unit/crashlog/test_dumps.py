"""Hex dumps and relocation tables in all four forms."""

from whypanic.crashlog.dumps import read_dumps
from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.read import read_log
from whypanic.model.provenance import Origin
from whypanic.model.sections import SectionBytes, SectionRelocation


def dumps(text: str) -> list[tuple[str, int, str]]:
    facts, _ = read_dumps(read_lines(text.encode()).lines, set())
    return [(f.section, f.address, f.data.hex()) for f in facts if isinstance(f, SectionBytes)]


def relocations(text: str) -> list[tuple[str, int, str, str, int]]:
    facts, _ = read_dumps(read_lines(text.encode()).lines, set())
    return [
        (f.section, f.offset, f.type.removeprefix("R_AARCH64_"), f.symbol, f.addend)
        for f in facts
        if isinstance(f, SectionRelocation)
    ]


OBJDUMP = """Contents of section .rodata:
 0000 00010203 04050607 08090a0b 0c0d0e0f  ................
 0010 30313233 3435                        012345
"""
BYTES = "000102030405060708090a0b0c0d0e0f303132333435"


def test_objdump_s() -> None:
    assert dumps(OBJDUMP) == [(".rodata", 0, BYTES)]


def test_readelf_x() -> None:
    text = (
        "Hex dump of section '.data.rel.ro.local':\n"
        " NOTE: This section has relocations against it, but these have NOT been applied to this dump.\n"
        "  0x00000000 00010203 04050607 08090a0b 0c0d0e0f ................\n"
        "  0x00000010 30313233 3435                       012345\n\n"
    )
    assert dumps(text) == [(".data.rel.ro.local", 0, BYTES)]


def test_mail_that_lost_blanks_and_quotes() -> None:
    rows = [" ".join(row.split()) for row in OBJDUMP.splitlines()]
    assert dumps("".join(f"> {row}\n" for row in rows)) == [(".rodata", 0, BYTES)]


def test_characters_that_look_like_a_group() -> None:
    assert dumps("Contents of section .rodata:\n 0000 61626364 abcd\n") == [
        (".rodata", 0, "61626364")
    ]
    full = (
        "Contents of section .rodata:\n 0000 61626364 65666162 63646566 61626364 abcdefabcdefabcd\n"
    )
    assert dumps(full) == [(".rodata", 0, "61626364656661626364656661626364")]


def test_a_missing_row_parts_the_dump() -> None:
    text = (
        "Contents of section .rodata:\n"
        " 0000 00010203 04050607 08090a0b 0c0d0e0f  ................\n"
        "[...]\n"
        " 0030 10111213                             ....\n"
    )
    assert dumps(text) == [
        (".rodata", 0, "000102030405060708090a0b0c0d0e0f"),
        (".rodata", 0x30, "10111213"),
    ]


def test_addresses_of_an_image() -> None:
    text = "Contents of section .rodata:\n ffff000008a01230 e06f9e08 0000ffff  .o......\n"
    assert dumps(text) == [(".rodata", 0xFFFF000008A01230, "e06f9e080000ffff")]


def test_objdump_r() -> None:
    text = (
        "RELOCATION RECORDS FOR [.rodata]:\n"
        "OFFSET           TYPE              VALUE\n"
        "0000000000000000 R_AARCH64_ABS64   .text+0x0000000000000020\n"
        "0000000000000008 R_AARCH64_ABS64   handler\n"
        "0000000000000010 R_AARCH64_PREL32  .text-0x4\n"
    )
    assert relocations(text) == [
        (".rodata", 0, "ABS64", ".text", 0x20),
        (".rodata", 8, "ABS64", "handler", 0),
        (".rodata", 16, "PREL32", ".text", -4),
    ]


def test_readelf_r_names_come_from_numbers() -> None:
    text = (
        "Relocation section '.rela.text' at offset 0x238 contains 2 entries:\n"
        "  Offset          Info           Type           Sym. Value    Sym. Name + Addend\n"
        "000000000004  000500000113 R_AARCH64_ADR_PRE 0000000000000000 .rodata + 0\n"
        "000000000008  000500000115 R_AARCH64_ADD_ABS 0000000000000000 .rodata - 10\n"
        "00000000000c  00050000ffff R_AARCH64_WHATEVE 0000000000000000 frob + 0\n"
        "\n"
        "Relocation section '.rela.dyn' at offset 0x900 contains 1 entry:\n"
        "    Offset             Info             Type               Symbol's Value  Symbol's Name + Addend\n"
        "ffff800008a01230  0000000000000403 R_AARCH64_RELATIVE                ffff8000089e6fd8\n"
    )
    assert relocations(text) == [
        (".text", 4, "ADR_PREL_PG_HI21", ".rodata", 0),
        (".text", 8, "ADD_ABS_LO12_NC", ".rodata", -0x10),
        (".text", 12, "#65535", "frob", 0),
        (".rela.dyn", 0xFFFF800008A01230, "RELATIVE", "", 0xFFFF8000089E6FD8),
    ]


def test_readelf_row_that_a_mailer_cut() -> None:
    text = (
        "Relocation section '.rela.rodata' at offset 0x268 contains 2 entries:\n"
        "0000000000000000  0000000200000101 R_AARCH64_ABS64        0000000000000000\n"
        ".text + a4\n"
        "0000000000000008  0000000200000101 R_AARCH64_ABS64        0000000000000000 .text\n"
        "+ 14\n"
    )
    assert relocations(text) == [
        (".rodata", 0, "ABS64", ".text", 0xA4),
        (".rodata", 8, "ABS64", ".text", 0x14),
    ]


def test_words_behind_a_dump_are_not_part_of_it() -> None:
    text = OBJDUMP + "\nSo the table is all there.\n" + "0020 is where it ends.\n"
    lines = read_lines(text.encode()).lines
    facts, used = read_dumps(lines, set())
    assert (len(facts), sorted(used)) == (1, [0, 1, 2])
    assert (facts[0].source.origin, facts[0].source.line) == (Origin.LISTING, 2)
    assert facts[0].statement == "22 bytes of .rodata from 0x0"


def test_a_dump_that_is_quoted_again_counts_once() -> None:
    quoted = "".join(f"> {line}\n" for line in OBJDUMP.splitlines())
    assert len(dumps(OBJDUMP + "\n" + quoted)) == 1


def test_they_are_context_of_the_log() -> None:
    text = read_log(b"Contents of section .rodata:\n 0000 00000000  ....\n")
    assert [type(fact) for fact in text.context] == [SectionBytes]
    assert text.n_understood == 2


def test_stamped_lines_and_stray_headers() -> None:
    assert dumps("Contents of section .rodata:\n[    1.000000] 0000 00000000\n") == []
    assert dumps("Contents of section .rodata:\n") == []
    assert relocations("RELOCATION RECORDS FOR [.rodata]: see below\n") == []
