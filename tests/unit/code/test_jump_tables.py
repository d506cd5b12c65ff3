import random
import re
import time
from functools import cache
from pathlib import Path

import pytest

from builders.images import assemble, link
from whypanic.code.image_code import function_span
from whypanic.code.jump_tables import find_tables
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import symbol_table
from whypanic.model.image import JumpTable, TableEntryKind

FOLDER = Path(__file__).resolve().parents[2] / "data" / "tables"
FILES = sorted(path.name for path in FOLDER.glob("*.s"))
FUNCTIONS = (
    *("dense", "with_asm", "in_loop", "threaded", "through_array", "tail_call", "numbers", "names"),
    *("far_apart", "absolute", "relative", "gcc_word", "far_before", "masked"),
)
OUTSIDE = "".join(
    f"\t.type callee{n}, %function\ncallee{n}:\n\tnop\n\tret\n\t.size callee{n}, .-callee{n}\n"
    for n in range(18)
)
HERE = f"\n\t.text\n{OUTSIDE}\t.data\n\t.p2align 3\ncell:\n\t.word 0\n\t.word 0\n"
TABLE_ENTRY = re.compile(
    r"\t\.(?:byte|hword|2byte|word|4byte|xword|8byte|quad)\s+\(*(\.?[A-Za-z][\w.]*)"
)


def source(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8") + HERE


@cache
def image_of(name: str, form: str) -> KernelImage:
    if form == "object":
        return open_image(assemble(source(name)))
    return open_image(link(source(name), *(("-pie",) if form == "pie" else ())))


@cache
def labels(name: str, form: str) -> dict[str, int]:
    """Return the address of every label: the same code, assembled with its labels kept as symbols."""
    text = source(name).replace(".L", "kept_L")
    if form == "object":
        kept = open_image(assemble(text))
    else:
        kept = open_image(link(text, *(("-pie",) if form == "pie" else ())))
    return {symbol.name.replace("kept_L", ".L"): symbol.address for symbol in kept.symbols}


def tables_in_source(name: str, form: str) -> dict[int, tuple[int, ...]]:
    """Return each table by its address, with the addresses of the labels that its lines name, if they are code."""
    known = labels(name, form)
    image = image_of(name, form)
    found: dict[int, tuple[int, ...]] = {}
    label = None
    for line in source(name).splitlines():
        if line.endswith(":"):
            label = line[:-1]
        elif (match := TABLE_ENTRY.match(line)) and label is not None:
            target = known[match[1]]
            section = image.section_at(target)
            assert section is not None
            if section.executable and known[label] != target:
                found[known[label]] = (*found.get(known[label], ()), target)
        elif not line.startswith(("\t.p2align", "\t.align")):
            label = None
    # A literal pool of GCC holds the address of a table: not of code.
    return found


def found_in(image: KernelImage) -> list[JumpTable]:
    found = []
    for name in FUNCTIONS:
        for symbol in image.symbols.find(name):
            span = function_span(image, symbol.address)
            assert span is not None
            found += find_tables(image, span.first, span.end)
    return found


# ADR to another section is out of reach with -pie, and MOVZ of an address cannot be relocated at run time.
NOT_PIE = ("clang-19-tiny.s", "gcc-12-tiny.s", "clang-19-large.s")
FORMS = [
    (name, form)
    for name in FILES
    for form in ("static", "pie", "object")
    if form != "pie" or name not in NOT_PIE
]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_every_table_of_compiled_code_is_read_to_its_last_entry(name: str, form: str) -> None:
    expected = tables_in_source(name, form)
    found = found_in(image_of(name, form))
    assert len(expected) >= 3
    assert {table.table: table.targets for table in found} == expected


def one(name: str, function: str, form: str = "static") -> JumpTable:
    image = image_of(name, form)
    (symbol,) = image.symbols.find(function)
    (table,) = find_tables(image, symbol.address, symbol.end)
    return table


@pytest.mark.parametrize(
    ("name", "function", "idiom", "n_bytes"),
    [
        ("clang-19-O2.s", "dense", "LLVM byte, relative to a label", 1),
        ("clang-19-O2.s", "far_apart", "LLVM half, relative to a label", 2),
        ("clang-14-Os.s", "with_asm", "LLVM word, relative to a label", 4),
        ("gcc-12-O2.s", "dense", "GCC byte, relative to a label", 1),
        ("gcc-12-O2.s", "far_apart", "GCC half, relative to a label", 2),
        ("gcc-12-large.s", "dense", "GCC byte, relative to a label", 1),
        ("old-llvm.s", "gcc_word", "GCC word, relative to a label", 4),
        ("old-llvm.s", "relative", "LLVM word, relative to the table", 4),
        (
            "old-llvm.s",
            "absolute",
            "switch through addresses, LLVM up to 7, or a computed goto behind a compare",
            8,
        ),
        ("old-llvm.s", "masked", "computed goto", 8),
        ("gcc-11-Os.s", "tail_call", "array of function addresses", 8),
    ],
)
def test_idiom_is_named(name: str, function: str, idiom: str, n_bytes: int) -> None:
    table = one(name, function)
    assert (table.idiom, table.entry_bytes) == (idiom, n_bytes)
    assert (table.entry_kind is TableEntryKind.ABSOLUTE) == (n_bytes == 8)
    assert (table.base is None) == (n_bytes == 8)


def test_array_of_functions_is_no_switch() -> None:
    table = one("gcc-12-Os.s", "through_array")
    assert table.call
    assert not table.in_function
    assert table.bound.startswith("cmp at 0x")
    image = image_of("gcc-12-Os.s", "static")
    names = [symbol.name for t in table.targets if (symbol := image.symbol_at(t))]
    assert names == ["callee0", "callee5", "callee2", "callee9"]


def test_slice_names_the_instructions_that_make_the_target() -> None:
    table = one("old-llvm.s", "absolute")
    first = table.slice[0]
    # cmp, b.hi, mov of the index, adrp, add, ldr, br: the moves between them are none of it.
    assert [address - first for address in table.slice] == [0, 4, 8, 12, 20, 24, 32]
    assert table.slice[-1] == table.branch


def test_branches_of_threaded_code_all_go_through_its_table() -> None:
    image = image_of("gcc-12-O2.s", "static")
    (symbol,) = image.symbols.find("threaded")
    tables = find_tables(image, symbol.address, symbol.end)
    assert len(tables) > 1
    assert len({table.targets for table in tables}) == 1
    assert all(table.idiom == "computed goto" and table.in_function for table in tables)


def test_without_jump_tables_only_arrays_are_left() -> None:
    for name in ("clang-19-no-jump-tables.s", "gcc-12-no-jump-tables.s"):
        found = found_in(image_of(name, "static"))
        assert {t.function for t in found} == {"threaded", "through_array", "tail_call"}


def test_functions_that_are_undefined_in_an_object_are_not_invented() -> None:
    text = (FOLDER / "gcc-12-Os.s").read_text(encoding="utf-8")
    image = open_image(assemble(text))
    (symbol,) = image.symbols.find("through_array")
    assert find_tables(image, symbol.address, symbol.end) == ()


NO_BOUND = """
  .text
  .type f, %function
f:
  adrp x1, .Ltable
  add x1, x1, :lo12:.Ltable
  ldrh w0, [x1, w0, uxtw #1]
  adr x1, 1f
  add x0, x1, w0, sxth #2
  br x0
1: nop
2: ret
  .size f, .-f
{more}
  .section .rodata
  .p2align 3
.Ltable:
  .hword 0, 1, 0, 1
  .hword 0
  .p2align 3
{after}:
  .hword 0
"""


@pytest.mark.parametrize(
    ("after", "more", "bound"),
    [
        ("after", "", "next symbol"),
        (
            ".Lafter",
            "g: adrp x1, .Lafter\n add x1, x1, :lo12:.Lafter",
            "next address that code forms",
        ),
    ],
)
def test_table_without_a_bound_ends_before_what_may_be_padding(
    after: str, more: str, bound: str
) -> None:
    image = open_image(link(NO_BOUND.format(after=after, more=more)))
    (symbol,) = image.symbols.find("f")
    (table,) = find_tables(image, symbol.address, symbol.end)
    assert [t - symbol.address for t in table.targets] == [0x18, 0x1C, 0x18, 0x1C]
    assert table.bound == bound


def test_entry_outside_the_function_makes_it_no_switch() -> None:
    text = (FOLDER / "old-llvm.s").read_text(encoding="utf-8") + HERE
    image = open_image(link(text.replace(".word\t.Lcase11-.Ltable1", ".word\thelper-.Ltable1")))
    (symbol,) = image.symbols.find("relative")
    assert find_tables(image, symbol.address, symbol.end) == ()


TWO_WAYS = """
  .text
  .type f, %function
f:
  cbz w1, 1f
  adrp x2, .La
  add x2, x2, :lo12:.La
  b 2f
1: {other}
2: ldr x3, [x2, w0, uxtw #3]
  br x3
3: nop
4: ret
  .size f, .-f
  .section .rodata
  .p2align 3
.La: .xword 3b, 4b
.Lb: .xword 4b, 3b
"""


@pytest.mark.parametrize("other", ["mov x2, x5", "adrp x2, .Lb\n  add x2, x2, :lo12:.Lb"])
def test_branch_whose_table_depends_on_the_way_is_left_out(other: str) -> None:
    image = open_image(link(TWO_WAYS.format(other=other)))
    (symbol,) = image.symbols.find("f")
    assert find_tables(image, symbol.address, symbol.end) == ()


HYP = """
  .section .hyp.text,"ax"
  .type f, %function
f:
  cmp x1, #2
  b.hi 1f
  adrp x0, handlers
  add x0, x0, :lo12:handlers
  ldr x2, [x0, x1, lsl #3]
  blr x2
1: ret
  .size f, .-f
  .type g, %function
g: ret
  .size g, .-g
  .section .hyp.rodata,"a"
  .p2align 3
handlers: .quad f, 0, g
  .section .hyp.reloc,"a"
  .word handlers - .
"""


def test_entries_that_hyp_relocations_cover_are_counted() -> None:
    image = open_image(link(HYP, "-pie"))
    (symbol,) = image.symbols.find("f")
    (table,) = find_tables(image, symbol.address, symbol.end)
    assert table.fixed_up == 1
    assert table.section == ".hyp.rodata"
    assert table.targets == (symbol.address, 0, image.value_of("g"))


def test_words_that_are_not_in_the_file_have_no_tables() -> None:
    image = image_of("old-llvm.s", "static")
    assert find_tables(image, image.end + 0x1000, image.end + 0x2000) == ()
    assert find_tables(image, image.base, image.base) == ()


def test_words_without_sense_end_in_time() -> None:
    fixed = random.Random(11)
    shapes = [0xD61F0000, 0x14000000, 0x54000008, 0xF8607800, 0x8B000000, 0x90000000, 0x7100001F]
    free = [0x3E0, 0x7F, 0xFFFFF, 0x1F03FF, 0x1F03FF, 0x1F, 0x3FE0]
    words = []
    for _ in range(6000):
        n = fixed.randrange(len(shapes))
        words.append(shapes[n] | fixed.getrandbits(32) & free[n])
    data = b"".join(word.to_bytes(4, "little") for word in words)
    image = KernelImage(
        name="i",
        kind=ImageKind.RAW,
        symbols=symbol_table([]),
        sections=[Section(".text", 0x10000, len(data), executable=True, writable=False)],
        extents=[Extent(0x10000, memoryview(data))],
    )
    started = time.process_time()
    find_tables(image, 0x10000, 0x10000 + len(data))
    assert time.process_time() - started < 5
