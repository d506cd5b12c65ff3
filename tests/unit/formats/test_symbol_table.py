"""Symbols by address and by name."""

from whypanic.formats.symbol_table import Symbol, is_local_label, symbol_table

TABLE = symbol_table(
    [
        Symbol("work", 0x1000, 0x20, "function", True),
        Symbol("work.llvm.7", 0x1100, 0x20, "function"),
        Symbol("$x", 0x1000, 0, "other"),
        Symbol("__kvm_nvhe_$d.3", 0x1010, 0, "other"),
        Symbol("do_work", 0x1200, 0x10, "function"),
        Symbol("work", 0x1300, 0x10, "function"),
        Symbol("alias", 0x1000, 0, "other"),
    ]
)


def addresses(symbols: tuple[Symbol, ...]) -> list[int]:
    return [s.address for s in symbols]


def test_a_name_may_stand_several_times_and_is_never_the_tail_of_another() -> None:
    assert addresses(TABLE.find("work")) == [0x1000, 0x1300]
    assert TABLE.find("wor") == ()
    assert TABLE.find("") == ()
    assert list(TABLE.find_each(["no", "do_work", "do_work"])) == ["do_work"]
    assert addresses(TABLE.find("work")) == [0x1000, 0x1300]


def test_names_by_their_beginning() -> None:
    found = TABLE.find_starting(["work.llvm.", "do_", "x"])
    assert {start: addresses(symbols) for start, symbols in found.items()} == {
        "work.llvm.": [0x1100],
        "do_": [0x1200],
    }
    assert TABLE.has_text(".llvm.")
    assert not TABLE.has_text(".uniq.")


def test_mapping_symbols_are_kept_apart() -> None:
    assert TABLE.find("$x") == ()
    assert len(TABLE) == 5
    assert [TABLE.is_data(a) for a in (0xFFF, 0x1000, 0x1010, 0x2000)] == [None, False, True, True]


def test_by_address() -> None:
    at = TABLE.at(0x1008)
    assert at is not None
    assert at.name == "work"
    assert {s.name for s in TABLE.all_at(0x1000)} == {"work", "alias"}
    assert TABLE.at(0xFFF) is None
    behind = TABLE.at(0x1050)
    assert behind is not None
    assert behind.name == "work"
    assert [s.name for s in TABLE.between(0x1100, 0x1300)] == ["work.llvm.7", "do_work"]


def test_names_are_given_up_to_a_length() -> None:
    table = symbol_table([Symbol("n" * 100_000, 0x1000, 4, "function")])
    assert table.symbol(0).name == "n" * 1024
    assert table.names_containing("nnn", 5) == ["n" * 1024]
    assert len(table.find("n" * 100_000)) == 1


def test_labels_of_the_compilers_own() -> None:
    assert all(map(is_local_label, (".L5", "__kvm_nvhe_.Lanon.3", "__pi_.Lx")))
    assert not any(map(is_local_label, ("L5", "f.L5", "__kvm_nvhe_f", "_L")))
