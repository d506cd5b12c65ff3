"""A disassembly in the form of objdump, and what our own reader makes of it."""

import msgspec
import pytest

from whypanic.crashlog.read import read_log
from whypanic.model.code import Listing, ListingTool
from whypanic.model.provenance import Fact
from whypanic.model.sections import SectionBytes
from whypanic.report.disasm_document import (
    DISASM_SCHEMA,
    DisasmDocument,
    DocContents,
    DocFeatures,
    DocFunction,
    DocLine,
    DocReference,
)
from whypanic.report.disasm_text import render_disasm
from whypanic.report.document import DocTable, Input, Tool

FIRST = 0xFFFF800008010000
TABLE = 0xFFFF800008020010


def line(number: int, word: int, text: str, **more: object) -> DocLine:
    plain = DocLine(
        address=hex(FIRST + 4 * number),
        offset=4 * number,
        word=f"0x{word:08x}",
        built=f"0x{word:08x}",
        data=False,
        text=text,
        references=[],
        notes=[],
        possible=[],
        function=None,
        file=None,
        line=None,
        statement=None,
    )
    return msgspec.structs.replace(plain, **more)


def table(n_targets: int = 3) -> DocTable:
    return DocTable(
        function="f",
        branch=hex(FIRST + 8),
        call=False,
        table=hex(TABLE),
        section=".rodata",
        entry_bytes=8,
        entry_kind="absolute",
        base=None,
        targets=[hex(FIRST + 4 * n) for n in range(n_targets)],
        bound="cmp at 0x10",
        idiom="addresses",
        in_function=True,
        fixed_up=0,
    )


def document(*lines: DocLine, **more: object) -> DisasmDocument:
    plain = DisasmDocument(
        schema=DISASM_SCHEMA,
        tool=Tool(name="whypanic", version="0"),
        inputs=[Input(name="vmlinux", bytes=1, sha256="00")],
        kind="vmlinux",
        build_id=None,
        version="Linux version 6.1.70 (a@b) (gcc) #3 SMP Mon",
        function=DocFunction(
            name="f",
            address=hex(FIRST),
            size=4 * len(lines),
            section=".text",
            domain="hyp",
            aliases=["g"],
        ),
        features=None,
        lines=list(lines),
        tables=[],
        contents=[],
        notes=["no debug information: lines are not known"],
    )
    return msgspec.structs.replace(plain, **more)


def facts(text: str) -> tuple[Fact, ...]:
    return read_log(text.encode()).context


def listing(text: str) -> Listing:
    (found,) = (f for f in facts(text) if isinstance(f, Listing))
    return found


PLAIN = (
    line(0, 0xD503201F, "nop"),
    line(1, 0xF869794B, "ldr x11, [x10, x9, lsl #3]"),
    line(2, 0xD61F0160, "br x11", notes=["through 3 ABSOLUTE addresses at 0x10"]),
)


def test_the_form() -> None:
    assert render_disasm(document(*PLAIN)) == (
        "; vmlinux: Linux version 6.1.70 (a@b) (gcc) #3 SMP Mon\n"
        "; f: 12 bytes, hyp code, also g\n"
        "; no debug information: lines are not known\n"
        "\n"
        "Disassembly of section .text:\n"
        "\n"
        "ffff800008010000 <f>:\n"
        "ffff800008010000:\td503201f \tnop\n"
        "ffff800008010004:\tf869794b \tldr\tx11, [x10, x9, lsl #3]\n"
        "ffff800008010008:\td61f0160 \tbr\tx11      \t// through 3 ABSOLUTE addresses at 0x10\n"
    )


def test_our_reader_reads_it_as_objdumps() -> None:
    found = listing(render_disasm(document(*PLAIN)))
    assert (found.function, found.section, found.tool) == ("f", ".text", ListingTool.GNU_OBJDUMP)
    words = [(x.address - FIRST, x.word) for x in found.lines]
    assert words == [(0, 0xD503201F), (4, 0xF869794B), (8, 0xD61F0160)]


def test_source_lines_stand_once_above_their_code() -> None:
    lines = (
        line(0, 0xD503201F, "nop", file="a.c", line=7, function="f", statement="x = y % 3;"),
        line(1, 0xD503201F, "nop", file="a.c", line=7, function="f", statement="x = y % 3;"),
        line(2, 0xD503201F, "nop", file="b.h", line=1, function="inlined"),
        line(3, 0xD65F03C0, "ret", file="a.c", line=7, function="f", statement="x = y % 3;"),
    )
    unknown = line(4, 0xD503201F, "nop", file="a.c", line=None, function="f")
    text = render_disasm(document(*lines, unknown))
    assert "None" not in text
    assert text.count("; a.c:7 f\n;     x = y % 3;\n") == 2
    assert text.count("; b.h:1 inlined\n") == 1
    assert len(listing(text).lines) == 5


def test_references_notes_and_words_that_may_stand_there() -> None:
    def reference(kind: str, symbol: str | None, covered: bool | None) -> DocReference:
        return DocReference(
            kind=kind,
            target="0xffff800008020000",
            symbol=symbol,
            absolute=kind in ("literal", "slot"),
            covered=covered,
        )

    lines = (
        line(0, 0x94000002, "bl #0x8", references=[reference("call", "helper", None)]),
        line(1, 0x58000040, "ldr x0, #0x8", references=[reference("literal", "data", False)]),
        line(2, 0x58000040, "ldr x0, #0x8", references=[reference("slot", None, True)]),
        line(3, 0xD503201F, "nop", built="0xd65f03c0", notes=["alternative PAN"]),
        line(4, 0xD503201F, "nop", possible=["0xd503201f", "0xd65f03c0"]),
        line(5, 0x12345678, ".word 0x12345678", data=True),
    )
    shown = [x.partition("//")[2].strip() for x in render_disasm(document(*lines)).splitlines()]
    assert shown[-6:] == [
        "helper",
        "ABSOLUTE data, not in .hyp.reloc",
        "ABSOLUTE 0xffff800008020000, converted by .hyp.reloc",
        "alternative PAN; built as d65f03c0",
        "or d65f03c0",
        "",
    ]


def test_features_say_where_their_names_are_from() -> None:
    features = DocFeatures(given="0x10", present=["PAN"], unknown=["LSE"], names_from="image")
    text = render_disasm(document(*PLAIN, features=features))
    assert "; features: PAN (names from image)\n; not decided: LSE\n" in text
    none = msgspec.structs.replace(features, present=[], unknown=[])
    text = render_disasm(document(*PLAIN, features=none))
    assert "; features: none (names from image)\n" in text
    assert "not decided" not in text


def test_a_table_is_listed_and_dumped() -> None:
    data = b"".join((FIRST + 4 * n).to_bytes(8, "little") for n in range(3))
    contents = DocContents(section=".rodata", address=hex(TABLE), bytes=data.hex())
    text = render_disasm(document(*PLAIN, tables=[table()], contents=[contents]))
    assert "; table at 0xffff800008020010 in .rodata: 3 addresses (absolute) of 8 bytes" in text
    assert ";   [2] 0xffff800008010008\n" in text
    assert "\nContents of section .rodata:\n ffff800008020010 00000108 0080ffff 04000108" in text
    dumps = [f for f in facts(text) if isinstance(f, SectionBytes)]
    assert [(d.section, d.address) for d in dumps] == [(".rodata", TABLE)]
    assert dumps[0].data == data
    assert len(listing(text).lines) == 3


def test_a_long_table_is_cut() -> None:
    text = render_disasm(document(*PLAIN, tables=[table(100)]))
    assert ";   [63] " in text
    assert ";   [64] " not in text
    assert ";   ... 36 more\n" in text


@pytest.mark.parametrize(
    "note",
    ["\x1b[31mred\nnext: line", "100% of it", "y" * 100_000, "a\tb", "\u202egnp.exe"],
    ids=["controls", "per cent", "long", "tab", "order"],
)
def test_no_note_hides_its_instruction(note: str) -> None:
    function = DocFunction(
        name=note, address=hex(FIRST), size=12, section=note, domain=None, aliases=[note]
    )
    lines = (*PLAIN[:2], msgspec.structs.replace(PLAIN[2], notes=[note]))
    text = render_disasm(document(*lines, function=function, version=note, notes=[note]))
    assert all(c in "\n\t" or c.isprintable() for c in text)
    assert [x.word for x in listing(text).lines] == [0xD503201F, 0xF869794B, 0xD61F0160]
    body = text[text.index(" <") :]
    assert max(map(len, body.splitlines())) < 600


def test_nothing_of_it_is_taken_for_the_log() -> None:
    lines = (
        line(
            0, 0xD503201F, "nop", file="a.c", line=7, statement='panic("HYP panic:\\nPS:%08llx");'
        ),
        line(
            1, 0xD65F03C0, "ret", file="a.c", line=8, statement="BUG(); /* kernel BUG at a.c:8! */"
        ),
    )
    text = render_disasm(document(*lines, version="Linux version 6.1.70 (a@b) (gcc) #3 SMP Mon"))
    found = read_log(text.encode())
    assert found.reports == ()
    assert [type(f).__name__ for f in found.context] == ["Listing"]
