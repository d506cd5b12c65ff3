"""Symbol tables of ELF files."""

import numpy as np

from builders.elf_files import kernel, module, with_section
from builders.images import assemble
from whypanic.formats.elf import ElfFile
from whypanic.formats.elf_symbols import ElfSymbols, read_symbols, table_of
from whypanic.formats.symbol_table import SymbolTable


def _elf(data: bytes) -> ElfFile:
    return ElfFile(memoryview(data), "vmlinux")


def _table(elf: ElfFile, symbols: ElfSymbols | None) -> SymbolTable:
    return table_of(
        symbols,
        shifts=np.zeros(len(elf.sections), np.uint64),
        in_image=np.array([s.is_allocated for s in elf.sections]),
        executable=np.array([s.is_executable for s in elf.sections]),
        span=(0xFFFF800008000000, 0xFFFF800008001000),
    )


def _of_kernel() -> SymbolTable:
    elf = _elf(kernel().read_bytes())
    return _table(elf, read_symbols(elf))


def test_functions_objects_and_labels() -> None:
    table = _of_kernel()
    kinds = {name: table.find(name)[0].kind for name in ("first", "second", "table", "label")}
    assert kinds == {"first": "function", "second": "function", "table": "object", "label": "other"}
    (first,) = table.find("first")
    assert (first.address, first.size, first.is_global) == (0xFFFF800008000000, 16, True)
    assert not table.find("second")[0].is_global


def test_code_without_a_type_but_with_a_size_is_a_function() -> None:
    (found,) = _of_kernel().find("code_start")
    assert (found.kind, found.size) == ("function", 4)


def test_mapping_symbols_are_no_names_prefixed_or_not() -> None:
    table = _of_kernel()
    assert not [s.name for s in table if "$" in s.name]
    (go,) = table.find("__kvm_nvhe_go")
    assert table.is_data(go.address) is False
    assert table.is_data(go.address + 4) is True


def test_absolute_symbols_count_inside_the_image() -> None:
    table = _of_kernel()
    assert table.find("absolute_inside")[0].address == 0xFFFF800008000004
    assert table.find("absolute_outside") == ()


def test_undefined_sections_and_files_are_left_out() -> None:
    elf = _elf(module().read_bytes())
    table = _table(elf, read_symbols(elf))
    assert table.find("printk") == ()
    assert table.find(".text") == ()
    assert "init_module" in {s.name for s in table}


def test_file_without_a_symbol_table() -> None:
    elf = _elf(with_section(kernel().read_bytes(), ".symtab", type=1))
    assert read_symbols(elf) is None
    assert len(_table(elf, None)) == 0


def test_symbols_whose_names_are_elsewhere() -> None:
    data = kernel().read_bytes()
    for link in (0, 0xFFFFFFFF):
        elf = _elf(with_section(data, ".symtab", link=link))
        assert read_symbols(elf) is None
        assert elf.missing == (".symtab or its names cannot be read",)


def test_names_beyond_the_string_table_are_left_out() -> None:
    elf = _elf(with_section(kernel().read_bytes(), ".strtab", size=2))
    names = [s.name for s in _table(elf, read_symbols(elf))]
    assert all(names)
    assert len(names) < 3


def test_table_that_names_itself_as_its_strings() -> None:
    data = kernel().read_bytes()
    elf = _elf(data)
    table = elf.section(".symtab")
    assert table is not None
    changed = _elf(with_section(data, ".symtab", link=table.number))
    assert read_symbols(changed) is not None


def test_more_sections_than_16_bits_hold() -> None:
    many = "".join(f'.section .text.f{i},"ax"\nf{i}: ret\n' for i in range(0x10010))
    elf = _elf(assemble(many).read_bytes())
    symbols = read_symbols(elf)
    assert symbols is not None
    table = table_of(
        symbols,
        shifts=np.arange(len(elf.sections), dtype=np.uint64),
        in_image=np.ones(len(elf.sections), np.bool_),
        executable=np.ones(len(elf.sections), np.bool_),
        span=(0, 1),
    )
    last = elf.section(f".text.f{0x1000F}")
    assert last is not None
    assert table.find(f"f{0x1000F}")[0].address == last.number > 0xFFFF
