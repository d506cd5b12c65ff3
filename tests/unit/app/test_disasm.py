"""One function of an image, as the document has it."""

import struct
from pathlib import Path

import pytest

from builders.el2_panics import BANNER_4_14, BANNER_6_1, panic_4_14
from builders.hyp_images import STAGE2_4_14, link_4_14, link_6_1
from builders.stage2 import stage2
from builders.variables import FOLDER
from whypanic.app.disasm import disassemble
from whypanic.app.inputs import RawInput
from whypanic.app.replay import replay
from whypanic.model.errors import InputError
from whypanic.report.disasm_document import DisasmDocument
from whypanic.report.disasm_text import render_disasm
from whypanic.report.replay_document import DocHypothesis

FUNCTION = "__init_stage2_translation"
PC = STAGE2_4_14 + 0x54


def shown(
    file: Path, place: str = FUNCTION, *, features: str | None = None, source: str | None = None
) -> DisasmDocument:
    return disassemble(str(file), place, features=features, source=source, say=lambda _: None)


def test_a_function_with_its_table() -> None:
    document = shown(link_4_14(stage2(), banner=BANNER_4_14))
    assert document.schema == "whypanic.disasm/1"
    assert document.version == BANNER_4_14
    function = document.function
    assert (function.name, function.address) == (FUNCTION, hex(STAGE2_4_14))
    assert (function.size, function.section, function.domain) == (152, ".text", "hyp")
    assert len(document.lines) == 38
    branch = document.lines[12]
    assert (branch.offset, branch.text) == (0x30, "br x11")
    assert branch.notes == ["through 5 ABSOLUTE addresses at " + document.tables[0].table]
    (table,) = document.tables
    entries = [int(target, 16) - STAGE2_4_14 for target in table.targets]
    assert entries == [0x5C, 0x34, 0x54, 0x48, 0x50]
    (contents,) = document.contents
    words = struct.unpack("<5Q", bytes.fromhex(contents.bytes))
    assert [word - STAGE2_4_14 for word in words] == entries


@pytest.mark.parametrize(
    "place",
    [
        FUNCTION,
        f"{FUNCTION}+0x54",
        f"{FUNCTION}+54",
        f"{PC:#x}",
        f"{PC:x}",
        f"{PC:X}",
        f"0X{PC:x}",
        f"{FUNCTION}+",
    ],
)
def test_the_ways_to_name_a_place(place: str) -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    assert shown(image, place).function.name == FUNCTION


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("stage2_trans", "no symbol `stage2_trans`"),
        ("", "no symbol ``"),
        ("+0x10", "no symbol ``"),
        (f"{FUNCTION}+ten", "is neither a symbol"),
        (f"{FUNCTION}+-4", "is neither a symbol"),
        (f"{FUNCTION}+0xffffffffffffffff0", "is neither a symbol"),
        (f"{FUNCTION}+0xfffffffffff", "no code at"),
        ("-1", "no symbol `-1`"),
        ("1_0", "no symbol `1_0`"),
        ("0x", "no symbol `0x`"),
        ("0xfffffffffffffffff", "no symbol"),
        ("0xffffffffffffffff", "the image lies at"),
        ("0x0", "the image lies at"),
        ("linux_banner", "no code at `linux_banner`"),
    ],
)
def test_what_is_no_place(place: str, words: str) -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    with pytest.raises(InputError) as caught:
        shown(image, place)
    assert words in caught.value.message


def test_a_part_of_a_name_is_answered_with_the_names() -> None:
    with pytest.raises(InputError) as caught:
        shown(link_4_14(stage2(), banner=BANNER_4_14), "stage2_trans")
    assert caught.value.hints == (f"there is {FUNCTION}",)


def test_symbols_alone_are_no_code(tmp_path: Path) -> None:
    given = tmp_path / "System.map"
    given.write_text(f"{STAGE2_4_14:016x} T {FUNCTION}\n{STAGE2_4_14 + 152:016x} T next\n")
    with pytest.raises(InputError) as caught:
        shown(given)
    assert "are not in the file" in caught.value.message
    assert "symbols only" in caught.value.hints[0]


SMALL = """\
.text
.type plain, %function
plain:
  adrp x0, .Lown
  add x0, x0, :lo12:.Lown
  ldr x1, .Lpool
  bl empty
  ret
  nop
.p2align 3
.Lpool: .quad plain
.size plain, . - plain
.type empty, %function
empty:
.size empty, 0
  ret
.type empty_end, %function
empty_end: nop
.section .rodata, "a"
.skip 0x10
.Lown: .quad 1
"""


def test_a_literal_that_holds_an_address_is_flagged() -> None:
    document = shown(link_4_14(SMALL), "plain")
    data = [line for line in document.lines if line.data]
    assert [line.text[:5] for line in data] == [".word", ".word"]
    (literal,) = [r for line in document.lines for r in line.references if r.absolute]
    assert (literal.kind, literal.symbol) == ("literal", "plain")
    calls = [r.symbol for line in document.lines for r in line.references if r.kind == "call"]
    assert calls == ["empty"]


def test_a_label_of_the_compilers_own_is_shown_as_a_place_in_its_section(tmp_path: Path) -> None:
    # ld keeps such labels where they are not the assembler's; a prefix makes them ordinary names.
    source = SMALL.replace(".Lown", "__kvm_nvhe_.Lown")
    document = shown(link_4_14(source), "plain")
    (formed,) = [r for line in document.lines for r in line.references if r.kind == "address"]
    assert formed.symbol == ".rodata+0x10"


def test_a_function_without_a_size_ends_at_the_next_symbol() -> None:
    document = shown(link_4_14(SMALL), "empty")
    assert [line.text for line in document.lines] == ["ret"]


def test_a_long_function_is_cut_and_says_so() -> None:
    source = ".text\n.type f, %function\nf:\n.rept 70000\n nop\n.endr\n.size f, . - f\n"
    document = shown(link_4_14(source), "f")
    assert len(document.lines) == (1 << 18) // 4
    assert "only the first are shown" in document.notes[0]


def test_two_functions_of_one_name_are_said() -> None:
    twice = ".type f, %function\nf: nop\nret\n.size f, . - f\n"
    other = twice.replace("f:", "g:").replace(" f,", " g,").replace("- f", "- g")
    image = link_4_14(f".text\n{twice}{other}")
    data = image.read_bytes()
    # g takes the name of f.
    renamed = image.with_name("twice.elf")
    renamed.write_bytes(data.replace(b"\0g\0", b"\0f\0"))
    said: list[str] = []
    document = disassemble(str(renamed), "f", features=None, source=None, say=said.append)
    assert document.function.name == "f"
    assert len(said) == 1
    assert "2 functions are called f" in said[0]


def test_lines_of_the_source_stand_beside_the_code() -> None:
    document = shown(FOLDER / "variables-gcc.elf", "read_state", source=str(FOLDER))
    source = (FOLDER / "variables.c").read_text().splitlines()
    lines = [line for line in document.lines if line.file]
    assert lines
    assert {line.function for line in lines} >= {"read_state"}
    for line in lines:
        assert line.line is not None
        if line.statement is not None:
            assert line.statement == source[line.line - 1].strip()


ALTERNATIVE = """\
.section .hyp.text, "ax"
.type __kvm_nvhe_f, %function
__kvm_nvhe_f:
.Lcode: nop
  ret
.size __kvm_nvhe_f, . - __kvm_nvhe_f
.subsection 1
.Lother: msr pan, #1
.previous
.section .altinstructions, "a"
.long .Lcode - .
.long .Lother - .
.hword 4
.byte 4, 4
"""


def test_alternatives_are_rendered_for_the_features() -> None:
    image = link_6_1(ALTERNATIVE, banner=BANNER_6_1)
    built = shown(image, "__kvm_nvhe_f")
    assert built.features is None
    first = built.lines[0]
    assert (first.word, first.built) == ("0xd503201f", "0xd503201f")
    assert len(first.possible) == 2
    number = 4
    with_it = shown(image, "__kvm_nvhe_f", features=f"0x{1 << number:x}")
    assert with_it.features is not None
    assert with_it.features.given == "0x10"
    assert with_it.lines[0].word != "0xd503201f"
    assert with_it.lines[0].built == "0xd503201f"
    with pytest.raises(InputError, match="neither a core nor a capability"):
        shown(image, "__kvm_nvhe_f", features="NOT_A_FEATURE")


# What `replay` makes of the text -----------------------------------------------------------------


def replayed(text: str) -> dict[str, DocHypothesis]:
    raw = RawInput("panic.txt", text.encode())
    return {h.id: h for h in replay(raw, engine="unicorn").hypotheses}


def values(found: DocHypothesis) -> dict[str, tuple[str | None, bool | None]]:
    return {v.name: (v.replay, v.equal) for v in found.values}


@pytest.mark.parametrize("kaslr", [0, 0x2C7E00000])
def test_the_text_below_a_panic_replays_it(kaslr: int) -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    text = panic_4_14(PC + kaslr, kaslr=kaslr) + "\n" + render_disasm(shown(image))
    found = replayed(text)
    run = found["absolute-table"]
    assert run.reproduced
    pc = (f"{PC + kaslr:#x}", True)
    assert values(run) == {
        "pc": pc,
        "far": pc,
        "esr": ("0x86000004", True),
        "pstate": ("0x800003c9", True),
    }
    # The function's place is known: entered there, it would have faulted there.
    entered = found["entered-at-el1-address"]
    assert not entered.reproduced
    assert values(entered)["pc"] == (f"{STAGE2_4_14 + kaslr:#x}", False)


def test_the_tables_contents_are_those_of_the_dump() -> None:
    image = link_4_14(stage2(), banner=BANNER_4_14)
    text = render_disasm(shown(image))
    entry = struct.pack("<Q", PC).hex()
    other = struct.pack("<Q", STAGE2_4_14 + 0x58).hex()
    dumped = f"{entry[:8]} {entry[8:]}"
    assert dumped in text
    changed = text.replace(dumped, f"{other[:8]} {other[8:]}")
    run = replayed(panic_4_14(PC) + "\n" + changed)["absolute-table"]
    assert not run.reproduced
    assert values(run)["pc"] == (f"{STAGE2_4_14 + 0x58:#x}", False)


def test_notes_are_no_part_of_the_log() -> None:
    # The image's version, and its source lines, are not those of the crashed kernel.
    image = link_4_14(stage2(), banner=BANNER_4_14.replace("#7", "#9"))
    text = panic_4_14(PC) + "\n" + render_disasm(shown(image))
    assert text.count("#9") == 1
    assert replayed(text)["absolute-table"].reproduced
