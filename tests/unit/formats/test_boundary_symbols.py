from whypanic.formats.boundary_symbols import boundary_sections, without_overlap
from whypanic.formats.kernel_image import Section
from whypanic.formats.symbol_table import Symbol, symbol_table


def table(**addresses: int):  # type: ignore[no-untyped-def]
    return symbol_table([Symbol(name, at, 0, "other") for name, at in addresses.items()])


def test_spans_between_their_symbols() -> None:
    symbols = table(
        _text=0x1000,
        _stext=0x2000,
        __idmap_text_start=0x3000,
        __idmap_text_end=0x3800,
        _etext=0x5000,
        __start_rodata=0x5000,
        __init_begin=0x8000,
        __bss_start=0xA000,
        __bss_stop=0xB000,
    )
    assert boundary_sections(symbols) == [
        Section(".head.text", 0x1000, 0x1000, True, False),
        Section(".text", 0x2000, 0x3000, True, False),
        Section(".idmap.text", 0x3000, 0x800, True, False),
        Section(".rodata", 0x5000, 0x3000, False, False),
        Section(".bss", 0xA000, 0x1000, False, True, False),
    ]


def test_symbols_that_are_missing_or_turned_round_make_no_span() -> None:
    symbols = table(
        _stext=0x2000, __hyp_text_start=0x4000, __hyp_text_end=0x4000, _sdata=9, _edata=8
    )
    assert boundary_sections(symbols) == []


def test_constants_without_symbols_of_data() -> None:
    symbols = table(_stext=0x2000, _etext=0x5123, _sinittext=0x9010, _einittext=0xA000)
    assert boundary_sections(symbols)[-1] == Section(".rodata", 0x6000, 0x3000, False, False)


def test_smaller_of_two_wins() -> None:
    text = Section(".text", 0x1000, 0x1000, True, False)
    inner = Section(".hyp.text", 0x1400, 0x200, True, False)
    assert without_overlap([text, inner]) == [
        Section(".text", 0x1000, 0x400, True, False),
        inner,
        Section(".text", 0x1600, 0xA00, True, False),
    ]
    across = Section(".notes", 0x1F00, 0x300, False, False)
    assert without_overlap([text, across])[-2:] == [text._replace(size=0xF00), across]
    assert without_overlap([text, text._replace(name="later")])[0].name == "later"
    assert without_overlap([]) == []
