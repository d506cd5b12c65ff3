"""Code as alternatives leave it."""

import pytest

from builders.images import assemble
from builders.patched_code import BASE, NOP, alternative, image
from whypanic.code.alternatives import AlternativeTable, read_alternatives, render
from whypanic.formats.images import open_image
from whypanic.formats.kernel_image import Extent, ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol, symbol_table

CALLBACK = 0x8000
HAS_PAN, HAS_LSE, UNUSED = 29, 26, 40
SET_PAN = 0xD500419F
BUILT_LDR, PATCHED_LDR = 0xF9400020, 0xC8DFFC20

NEW = f"""
.globl f, g, alt_cb_patch_nops, made_up
.type f, %function
f:  ldr x0, [x1]
    nop
1:  b g
2:  add x0, x0, #1
3:  add x0, x0, #2
    ret
.size f, . - f
g:  ret
alt_cb_patch_nops: ret
made_up: ret
.subsection 1
10: ldar x0, [x1]
11: msr pan, #1
12: bl g
13: cbz x0, 14f
14: adrp x2, g
.previous
{alternative("f", "10b", HAS_LSE, 4, 4)}
{alternative("f + 4", "11b", HAS_PAN, 4, 4)}
{alternative("1b", "alt_cb_patch_nops", CALLBACK | HAS_LSE, 4, 0)}
{alternative("2b", "13b", HAS_PAN, 4, 4)}
{alternative("3b", "made_up", CALLBACK | UNUSED, 4, 0)}
"""
OLD = f"""
.globl f, arm64_enable_wa2_handling, kvm_update_va_mask
f:  nop
    b f + 64
    and x3, x3, #1
    ror x3, x3, #1
    add x3, x3, #0
    add x3, x3, #0, lsl #12
    ror x3, x3, #63
    ret
arm64_enable_wa2_handling: ret
kvm_update_va_mask: ret
.pushsection .altinstr_replacement, "ax"
9:  msr pan, #1
.popsection
{alternative("f", "9b", 4, 4, 4)}
{alternative("f + 4", "arm64_enable_wa2_handling", 33, 4, 0)}
{alternative("f + 8", "kvm_update_va_mask", 33, 20, 0)}
"""


def cpu(*present: int) -> set[int]:
    return set(present)


def words(img: KernelImage, present: set[int], n: int = 6) -> list[int]:
    table = read_alternatives(img)
    found: list[int] = render(img, table, BASE, BASE + 4 * n, present.__contains__).words.tolist()
    return found


def test_rows_of_the_new_form() -> None:
    table = read_alternatives(image(NEW))
    assert len(table) == 5
    assert table.has_callback_bit
    assert table.n_capabilities is None
    rows = list(table)
    assert [row.place - BASE for row in rows] == [0, 4, 8, 12, 16]
    assert [row.capability for row in rows] == [HAS_LSE, HAS_PAN, HAS_LSE, HAS_PAN, UNUSED]
    assert [row.callback for row in rows] == [None, None, "alt_cb_patch_nops", None, "made_up"]
    assert not any(row.unconditional for row in rows)


def test_rows_of_the_old_form() -> None:
    table = read_alternatives(image(OLD))
    assert not table.has_callback_bit
    assert table.n_capabilities == 33
    assert [row.is_callback for row in table] == [False, True, True]
    assert [row.unconditional for row in table] == [False, True, True]


def test_without_capabilities_code_is_as_built() -> None:
    img = image(NEW)
    built = img.words(BASE, BASE + 24)
    assert built is not None
    assert words(img, cpu()) == built.tolist()


def test_present_capabilities_replace_words() -> None:
    img = image(NEW)
    patched = words(img, cpu(HAS_LSE, HAS_PAN))
    assert patched[:3] == [PATCHED_LDR, SET_PAN, NOP]
    # cbz to the end of its sequence stays relative: it falls through.
    assert patched[3] == 0xB4000020
    assert words(img, cpu(HAS_LSE))[1] == NOP


def test_rendering_what_was_rendered_changes_nothing() -> None:
    img = image(NEW)
    present = cpu(HAS_LSE, HAS_PAN)
    once = words(img, present)
    text = img.section(".text")
    assert text is not None
    data = bytearray(img.read(text.address, text.size) or b"")
    data[: 4 * len(once)] = b"".join(word.to_bytes(4, "little") for word in once)
    others = [e for e in img.extents if not e.address <= BASE < e.end]
    after = KernelImage(
        name="after",
        kind=ImageKind.VMLINUX,
        symbols=img.symbols,
        sections=[s for s in img.sections if s.end <= text.end or s.address >= text.end],
        extents=[Extent(text.address, memoryview(bytes(data))), *others, *_behind(img, text.end)],
    )
    assert words(after, present) == once


def _behind(img: KernelImage, end: int) -> list[Extent]:
    extent = next(e for e in img.extents if e.address <= BASE < e.end)
    return [Extent(end, extent.data[end - extent.address :])] if end < extent.end else []


def test_branches_and_pages_are_led_to_the_same_place() -> None:
    img = image(
        f"""
f:  nop
    nop
    ret
.fill 0x4000
g:  ret
.subsection 1
10: bl g
11: adrp x2, g
.previous
{alternative("f", "10b", HAS_PAN, 8, 8)}
"""
    )
    target = BASE + 12 + 0x4000
    first, second = words(img, cpu(HAS_PAN), 2)
    assert first == 0x94000000 | (target - BASE) >> 2
    page = (target >> 12) - (BASE + 4 >> 12)
    assert second == 0x90000002 | (page & 3) << 29 | page >> 2 << 5


def test_unknown_capabilities_leave_both_words_possible() -> None:
    img = image(NEW)
    rendered = render(img, read_alternatives(img), BASE, BASE + 24, lambda _: None)
    change = rendered.changes[BASE]
    assert change.words == (BUILT_LDR, PATCHED_LDR)
    assert change.certain is None
    assert rendered.words.tolist()[0] == BUILT_LDR


def test_a_callback_nobody_knows_may_leave_anything() -> None:
    img = image(NEW)
    rendered = render(img, read_alternatives(img), BASE, BASE + 24, lambda _: True)
    assert rendered.changes[BASE + 16].allows(0x12345678)
    assert rendered.changes[BASE + 16].certain is None
    assert not rendered.changes[BASE + 16].knows(0x12345678)


def test_reasons_name_capability_and_callback() -> None:
    img = image(NEW)
    rendered = render(
        img, read_alternatives(img), BASE, BASE + 24, lambda _: True, {HAS_LSE: "HAS_LSE"}.get
    )
    assert rendered.changes[BASE].why == "alternative ARM64_HAS_LSE"
    assert rendered.changes[BASE + 4].why == f"alternative capability {HAS_PAN}"
    assert rendered.changes[BASE + 8].why == "alternative ARM64_HAS_LSE, callback alt_cb_patch_nops"


def test_old_callbacks_run_on_every_cpu() -> None:
    img = image(OLD)
    rendered = render(
        img,
        read_alternatives(img),
        BASE,
        BASE + 32,
        {11: False}.get,
        number_of={"HAS_VIRT_HOST_EXTN": 11}.get,
    )
    assert rendered.changes[BASE + 4].words == (0x1400000F, NOP)
    assert rendered.changes[BASE + 8].allows(0x9240BC63)
    assert not rendered.changes[BASE + 8].allows(0x92400063 ^ 0x1)
    assert rendered.changes[BASE + 8].why == "alternative, callback kvm_update_va_mask"


def test_overlapping_rows_are_applied_in_order() -> None:
    source = f"""
f:  nop
    nop
    ret
.subsection 1
10: add x0, x0, #1
    add x0, x0, #2
11: add x1, x1, #3
.previous
{alternative("f", "10b", 1, 8, 8)}
{alternative("f + 4", "11b", 2, 4, 4)}
"""
    img = image(source)
    assert words(img, cpu(1, 2), 2) == [0x91000400, 0x91000C21]
    assert words(img, cpu(1), 2) == [0x91000400, 0x91000800]
    assert words(img, cpu(2), 2) == [NOP, 0x91000C21]


@pytest.mark.parametrize(
    ("insn", "row", "said"),
    [
        ("adr x0, f", ("f", "10b", 1, 4, 4), "refuses"),
        ("ldr x0, f", ("f", "10b", 1, 4, 4), "refuses"),
        ("nop", ("f", "10b", 1, 8, 4), "replacement has 4"),
        ("nop", ("f + 2", "10b", 1, 4, 4), "no whole instructions"),
        ("nop", ("f", "f + 0x1000000", 1, 4, 4), "not in the file"),
        ("b 11f", ("f", "10b", 1, 4, 4), "another replacement"),
    ],
)
def test_what_is_wrong_is_noted(insn: str, row: tuple[str, str, int, int, int], said: str) -> None:
    img = image(
        f"f: nop\nnop\nnop\n.subsection 1\n10: {insn}\nnop\n11: nop\nnop\n.previous\n"
        f"{alternative(*row)}{alternative('f + 8', '11b', 1, 4, 4)}"
    )
    rendered = render(img, read_alternatives(img), BASE, BASE + 12, lambda _: True)
    assert any(said in note for note in rendered.notes), rendered.notes


def test_replacements_are_known_as_such() -> None:
    img = image(NEW)
    table = read_alternatives(img)
    firsts, ends = table.replacements_spans()
    # Three neighbours, then what no row names, then one more.
    assert (ends - firsts).tolist() == [8, 4]
    assert table.in_replacement(int(firsts[0]) + 4)
    assert not table.in_replacement(int(ends[0]))
    assert not table.in_replacement(BASE)


def test_rows_that_only_touch_a_range_are_not_covering_it() -> None:
    table = read_alternatives(image(OLD))
    assert [row.n_bytes for row in table.covering(BASE + 8, BASE + 12)] == [20]
    assert [row.n_bytes for row in table.covering(BASE + 24, BASE + 28)] == [20]
    assert table.covering(BASE + 28, BASE + 32) == ()


def test_an_object_names_functions_of_the_kernel() -> None:
    img = open_image(assemble(NEW.replace("alt_cb_patch_nops: ret", "")))
    table = read_alternatives(img)
    assert [row.callback for row in table][2] == "alt_cb_patch_nops"
    row = table.row(2)
    rendered = render(img, table, row.place, row.end, lambda _: True)
    assert rendered.words.tolist() == [NOP]


def test_tables_are_found_by_symbols_too() -> None:
    data = bytearray(64)
    data[0:4] = NOP.to_bytes(4, "little")
    data[4:8] = SET_PAN.to_bytes(4, "little")
    row = (-32).to_bytes(4, "little", signed=True) + (-32).to_bytes(4, "little", signed=True)
    data[32:44] = row + bytes((HAS_PAN, 0, 4, 4))
    symbols = [
        Symbol("__alt_instructions", 0x1020, 0, "other"),
        Symbol("__alt_instructions_end", 0x102C, 0, "other"),
    ]
    img = KernelImage(
        name="raw",
        kind=ImageKind.RAW,
        symbols=symbol_table(symbols),
        extents=[Extent(0x1000, memoryview(bytes(data)))],
    )
    table = read_alternatives(img)
    assert [(row.place, row.replacement) for row in table] == [(0x1000, 0x1004)]


def test_rows_that_leave_the_image_are_left_out() -> None:
    img = image(f"f: nop\nret\n{alternative('f - 0x1000000', 'f', 1, 4, 4)}")
    table = read_alternatives(img)
    assert (len(table), table.n_bad) == (0, 1)


def test_an_image_without_alternatives() -> None:
    img = image("f: nop\nret\n")
    table: AlternativeTable = read_alternatives(img)
    assert len(table) == 0
    assert not table.in_replacement(BASE)
    rendered = render(img, table, BASE, BASE + 8, lambda _: True)
    assert rendered.words.tolist() == [NOP, 0xD65F03C0]
    assert render(img, table, 0, 8, lambda _: True).words.tolist() == []
