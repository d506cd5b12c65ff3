"""Symbols and addresses that a report prints."""

from builders.image_facts import BASE, SOURCE, frame, listed_image, register
from whypanic.model.fault import FaultAddress, Headline, PageTable, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import TraceRole
from whypanic.symbolize.printed_refs import address_pairs, printed_refs, va_bits_of, without_pac

IMAGE = listed_image()


def names(*facts: Fact) -> list[str]:
    return [printed.ref.symbol for printed in printed_refs(facts)]


def test_only_what_the_kernel_printed_counts() -> None:
    ref = SymbolRef(symbol="d", offset=8, size=16)
    headline = Headline(kind=Kind.WARNING, message="w", ref=ref, source=SOURCE)
    facts = (
        frame("a", 4, 8),
        frame("a", 0, 8),
        frame("inner", None),
        frame("b", 4, 8, inlined=True),
        frame("__kvm_nvhe_$x.3", 4, 8),
        frame(None, address=BASE),
        register("lr", None, SymbolRef(symbol="c", offset=4, size=8)),
        register("x3", 5),
        headline,
    )
    assert names(*facts) == ["a", "c", "d"]


def test_pairs_of_frames_and_registers() -> None:
    ref = SymbolRef(symbol="c", offset=4, size=8)
    facts = (
        frame("a", 4, 8, address=BASE + 4),
        frame("a", 4, 8, address=BASE + 4),
        frame("h", 4, 8, address=BASE, role=TraceRole.HYP),
        frame("user", 4, 8, address=0xAAAA_0000_1234),
        register("lr", (BASE + 0x44) & ~(0x7F << 48) | 0x12 << 48, ref),
    )
    assert [(p.ref.symbol, p.address) for p in address_pairs(facts, IMAGE)] == [
        ("a", BASE + 4),
        ("c", BASE + 0x44),
    ]


def test_a_fetch_that_failed_gives_the_address_of_pc() -> None:
    facts: list[Fact] = [
        Syndrome(esr=0x8600000F, place=SyndromePlace.MEM_ABORT, source=SOURCE),
        FaultAddress(va=BASE + 0x100, place="header", source=SOURCE),
        register("pc", None, SymbolRef(symbol="table", offset=0, size=8)),
    ]
    assert [(p.ref.symbol, p.address) for p in address_pairs(facts, IMAGE)] == [
        ("table", BASE + 0x100)
    ]
    facts[0] = Syndrome(esr=0x9600000F, place=SyndromePlace.MEM_ABORT, source=SOURCE)
    assert address_pairs(facts, IMAGE) == []


def test_the_swapper_table_was_printed_as_an_address() -> None:
    table = PageTable(owner="swapper", page_kib=4, va_bits=48, pgd=BASE + 0x2000, source=SOURCE)
    (pair,) = address_pairs([table], IMAGE)
    assert (pair.ref.symbol, pair.ref.offset) == ("swapper_pg_dir", 0)


def test_width_of_addresses() -> None:
    table = PageTable(owner="user", page_kib=4, va_bits=39, pgd=None, source=SOURCE)
    assert va_bits_of(IMAGE, [table]) == 39
    assert va_bits_of(IMAGE, []) == 48
    assert without_pac(0xFF8F_8000_0800_0000, 48) == BASE
    assert without_pac(0x0000_AAAA_0800_0000, 48) == 0x0000_AAAA_0800_0000
