from whypanic.crashlog.lines import read_lines
from whypanic.crashlog.listing import listing_gaps, read_listings
from whypanic.model.code import Listing, ListingTool, Relocation
from whypanic.model.provenance import Origin


def listings(text: str) -> tuple[Listing, ...]:
    return read_listings(read_lines(text.encode()).lines)[0]


def words(listing: Listing) -> list[tuple[int, int | None, str]]:
    return [(line.address, line.word, line.text) for line in listing.lines]


GNU = """
0000000000000000 <frob_mode>:
   0:\td5380709 \tmrs\tx9, id_aa64mmfr0_el1
   4:\t9000000a \tadrp\tx10, 0 <frob_mode>
\t\t\t4: R_AARCH64_ADR_PREL_PG_HI21\t.rodata+0x10
   8:\t52800509 \tmov\tw9, #0x28                  \t// #40
   c:\td65f03c0 \tret

"""


def test_gnu_objdump() -> None:
    (listing,) = listings(GNU)
    assert (listing.function, listing.tool) == ("frob_mode", ListingTool.GNU_OBJDUMP)
    assert words(listing) == [
        (0, 0xD5380709, "mrs x9, id_aa64mmfr0_el1"),
        (4, 0x9000000A, "adrp x10, 0 <frob_mode>"),
        (8, 0x52800509, "mov w9, #0x28 // #40"),
        (12, 0xD65F03C0, "ret"),
    ]
    assert listing.lines[1].relocations == (
        Relocation(type="R_AARCH64_ADR_PREL_PG_HI21", symbol=".rodata", addend=0x10),
    )
    source = listing.lines[0].source
    assert (source.origin, source.line, source.address) == (Origin.LISTING, 3, 0)


def test_mail_lost_tabs_and_indentation() -> None:
    text = "> 0000000000000000 <frob>:\n> 0: d5380709 mrs x9, id_aa64mmfr0_el1\n> 4: d65f03c0 ret\n"
    (listing,) = listings(text)
    assert words(listing)[1] == (4, 0xD65F03C0, "ret")


def test_lines_used() -> None:
    lines = read_lines(("before\n" + GNU + "behind\n").encode()).lines
    _, used = read_listings(lines)
    assert sorted(used) == [2, 3, 4, 5, 6, 7]


def test_llvm_bytes_are_in_memory_order() -> None:
    text = (
        "0000000000000000 <frob>:\n"
        "       0: 09 07 38 d5  \tmrs\tx9, ID_AA64MMFR0_EL1\n"
        "       4: 0a 00 00 90  \tadrp\tx10, 0x0 <frob>\n"
        "\t\t0000000000000004:  R_AARCH64_ADR_PREL_PG_HI21\t.rodata\n"
        "       8: c0 03 5f d6  \tret\n"
    )
    (listing,) = listings(text)
    assert listing.tool is ListingTool.LLVM_OBJDUMP
    assert [line.word for line in listing.lines] == [0xD5380709, 0x9000000A, 0xD65F03C0]
    assert listing.lines[1].relocations[0].symbol == ".rodata"


def test_newer_llvm_prints_words() -> None:
    text = "0000000000000000 <frob>:\n       0: d5380709     \tmrs\tx9, ID\n       4: d65f03c0     \tret\n"
    (listing,) = listings(text)
    assert listing.tool is ListingTool.LLVM_OBJDUMP
    assert listing.lines[0].word == 0xD5380709


def test_gdb_with_and_without_encodings() -> None:
    text = (
        "Dump of assembler code for function frob:\n"
        "   0xffff800010123450 <+0>:\t09 07 38 d5\tmrs\tx9, id_aa64mmfr0_el1\n"
        "=> 0xffff800010123454 <+4>:\tc0 03 5f d6\tret\n"
        "End of assembler dump.\n\n"
        "   0xffff800010123460 <baz>:\tmov\tx0, x1\n"
        "   0xffff800010123464 <baz+4>:\tret\n"
    )
    first, second = listings(text)
    assert (first.function, first.tool) == ("frob", ListingTool.GDB)
    assert words(first)[1] == (0xFFFF800010123454, 0xD65F03C0, "ret")
    assert second.function == "baz"
    assert words(second)[0] == (0xFFFF800010123460, None, "mov x0, x1")


def test_decodecode() -> None:
    text = (
        "All code\n========\n"
        "   0:\td5384102 \tmrs\tx2, sp_el0\n"
        "   4:*\tf9400014 \tldr\tx20, [x0]\t\t<-- trapping instruction\n"
    )
    (listing,) = listings(text)
    assert words(listing)[1] == (4, 0xF9400014, "ldr x20, [x0] <-- trapping instruction")


def test_source_between_instructions() -> None:
    text = (
        "ffff800010123450 <frob>:\n"
        "frob():\n"
        "ffff800010123450:\td5384102 \tmrs\tx2, sp_el0\n"
        "        if (!x)\n"
        "                return;\n"
        "ffff800010123454:\td65f03c0 \tret\n"
    )
    (listing,) = listings(text)
    assert len(listing.lines) == 2
    _, used = read_listings(read_lines(text.encode()).lines)
    assert used == {0, 1, 2, 3, 4, 5}


def test_missing_words_are_damage() -> None:
    (listing,) = listings("<frob>:\n0: d503201f nop\n4: d503201f nop\n10: d65f03c0 ret\n")
    (damage,) = listing_gaps(listing)
    assert damage.reason == "2 words missing in a listing"
    assert (damage.span.first_line, damage.span.last_line) == (3, 4)


def test_quoted_again_is_one_listing() -> None:
    text = "<frob>:\n0: d503201f nop\n4: d65f03c0 ret\n\n"
    assert len(listings(text + "".join(f"> {line}\n" for line in text.splitlines()))) == 1


def test_two_functions() -> None:
    text = "<frob>:\n0: d503201f nop\n4: d65f03c0 ret\n<baz>:\n8: d503201f nop\nc: d65f03c0 ret\n"
    assert [listing.function for listing in listings(text)] == ["frob", "baz"]


def test_no_listing() -> None:
    for text in (
        "Code: d5384102 910003fd a90153f3 aa0003f3 (f9400014)\n",
        "x1 : 0000000000000000 x0 : 0000000000000000\nx3 : 0 x2 : 0\n",
        "ffff0000c1234500: fa fa fa fa fb fb fb fb\nffff0000c1234580: fb fb fb fb fa fa fa fa\n",
        "3b60: 00000000d4202000 ffff8000058f8d80\n3b80: 0000000000000000 0000000000000000\n",
        "00000000: 12345678 deadbeef 00000000\n00000010: 12345678 deadbeef 00000000\n",
        "[<ffff000008123450>] frob+0x10/0x20\n[<ffff000008123460>] baz+0x10/0x20\n",
        "   0:\t00 04 00 91 \tadd    %al,(%rax)\n   4:\t91 91 91 91 \txchg   %eax,%ecx\n",
        "4: d503201f nop\n",
    ):
        assert listings(text) == (), text


def test_section_of_an_object() -> None:
    (listing,) = listings("Disassembly of section .hyp.text:\n" + GNU)
    assert listing.section == ".hyp.text"
    other = GNU + "\nother.o:     file format elf64-littleaarch64\n" + GNU.replace("frob", "twist")
    first, second = listings("Disassembly of section .hyp.text:\n" + other)
    assert (first.section, second.section) == (".hyp.text", None)
