"""Any bytes as tables of patched code: an answer, and one that obeys the tables' rules."""

from hypothesis import given, settings
from hypothesis import strategies as st

from whypanic.code.alternatives import read_alternatives, render
from whypanic.code.compared_words import compare_words
from whypanic.code.image_capabilities import capability_names
from whypanic.code.patch_sites import PatchSites
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage, Section
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.model.provenance import Source

TEXT, TABLES = 0xFFFF800008000000, 0xFFFF800008001000
N_TEXT, N_TABLE = 64, 240
NAMES = (".altinstructions", "__mcount_loc", "__jump_table", "__bug_table", "__ex_table")
NOPS = (0xD503201F).to_bytes(4, "little") * 2

texts = st.one_of(st.binary(min_size=N_TEXT, max_size=N_TEXT), st.just((NOPS * N_TEXT)[:N_TEXT]))
tables = st.binary(min_size=N_TABLE, max_size=N_TABLE)


def relative_rows(data: bytes) -> bytes:
    """Return rows of alternatives, made so that many of them point into the text."""
    rows = bytearray()
    for i in range(0, N_TABLE, 12):
        here = TABLES + i
        place = TEXT + data[i] % N_TEXT - here
        source = TEXT + data[i + 1] % N_TEXT - (here + 4)
        rows += place.to_bytes(4, "little", signed=True) + source.to_bytes(4, "little", signed=True)
        rows += bytes((data[i + 2], data[i + 3], data[i + 4] % 12, data[i + 5] % 12))
    return bytes(rows)


def kernel(text: bytes, table: bytes, name: str, kind: ImageKind) -> KernelImage:
    return KernelImage(
        name="made up",
        kind=kind,
        symbols=symbol_table([Symbol("f", TEXT, N_TEXT, "function")]),
        sections=[
            Section(".text", TEXT, N_TEXT, executable=True, writable=False),
            Section(name, TABLES, N_TABLE, executable=False, writable=False),
        ],
        extents=[Extent(TEXT, memoryview(text)), Extent(TABLES, memoryview(table))],
    )


@settings(max_examples=150, deadline=None)
@given(texts, tables, st.sampled_from(NAMES), st.sampled_from(list(ImageKind)), st.booleans())
def test_tables_of_any_bytes(
    text: bytes, table: bytes, name: str, kind: ImageKind, pointed: bool
) -> None:
    img = kernel(text, relative_rows(table) if pointed else table, name, kind)
    alternatives, sites = read_alternatives(img), PatchSites(img)
    built = [int.from_bytes(text[i : i + 4], "little") for i in range(0, N_TEXT, 4)]
    for site in sites.within(TEXT, TEXT + N_TEXT):
        assert TEXT <= site.address < TEXT + N_TEXT
    capability_names(img)
    made = compare_words(
        img, TEXT + 16, built[:5], 4, source=Source(), table=alternatives, sites=sites
    )
    assert made is not None
    assert [word.built for word in made.words] == built[:5]


@settings(max_examples=100, deadline=None)
@given(texts, tables)
def test_without_capabilities_only_callbacks_of_the_old_form_write(
    text: bytes, table: bytes
) -> None:
    img = kernel(text, relative_rows(table), ".altinstructions", ImageKind.VMLINUX)
    alternatives = read_alternatives(img)
    rendered = render(img, alternatives, TEXT, TEXT + N_TEXT, lambda _: False)
    for change in rendered.changes.values():
        if not any(
            row.unconditional for row in alternatives.covering(change.address, change.address + 4)
        ):
            assert change.certain == change.built


@settings(max_examples=100, deadline=None)
@given(texts, tables, st.sets(st.integers(0, 255)))
def test_what_is_certain_for_a_cpu_is_possible_for_an_unknown_one(
    text: bytes, table: bytes, present: set[int]
) -> None:
    img = kernel(text, relative_rows(table), ".altinstructions", ImageKind.VMLINUX)
    alternatives = read_alternatives(img)
    known = render(img, alternatives, TEXT, TEXT + N_TEXT, lambda n: n & 0xFF in present)
    unknown = render(img, alternatives, TEXT, TEXT + N_TEXT, lambda _: None)
    for address, change in known.changes.items():
        assert all(unknown.changes[address].allows(word) for word in change.words)
