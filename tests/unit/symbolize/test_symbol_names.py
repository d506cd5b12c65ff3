"""Symbols by the names that kernels print."""

from builders.image_facts import function, listed_image
from whypanic.formats.kernel_image import ImageKind
from whypanic.formats.symbol_table import Symbol
from whypanic.symbolize.symbol_names import (
    find_printed,
    is_generated,
    is_of_image,
    module_name,
    names_no_image,
    source_name,
)

IMAGE = listed_image(
    function("probe_one", 0x100),
    function("reset.llvm.1234", 0x200),
    function("reset", 0x300),
    function("release.llvm.77", 0x400),
    function("walk.5a", 0x500),
    Symbol("_size_lo32", 0x200, 0, "other"),
)


def offsets(name: str) -> list[int]:
    return [s.address - IMAGE.base for s in find_printed(IMAGE, (name,)).get(name, ())]


def test_a_name_as_it_stands() -> None:
    assert offsets("probe_one") == [0x100]
    assert find_printed(IMAGE, ("no_such",)) == {}


def test_suffixes_of_lto_are_cut_off_by_the_kernel_or_not() -> None:
    assert offsets("reset") == [0x200, 0x300]
    assert offsets("release") == [0x400]
    assert offsets("release.llvm.77") == [0x400]
    assert offsets("probe_one.llvm.9") == [0x100]


def test_some_versions_cut_at_the_first_dot() -> None:
    assert offsets("walk") == [0x500]


def test_absolute_symbols_are_no_places() -> None:
    assert offsets("_size_lo32") == []


def test_source_name() -> None:
    assert source_name("a.llvm.1") == "a"
    assert source_name("a.constprop.0") == "a.constprop.0"


def test_whose_symbol_it_is() -> None:
    module = listed_image(kind=ImageKind.MODULE, module="foo_bar")
    assert is_of_image(None, IMAGE)
    assert not is_of_image("foo_bar", IMAGE)
    assert is_of_image("foo-bar", module)
    assert not is_of_image(None, module)
    assert not is_of_image("other", module)
    assert module_name("foo-bar") == "foo_bar"
    assert module_name(None) is None


def test_code_that_no_file_has() -> None:
    assert is_generated("bpf_prog_6deef7357e7b4530")
    assert is_generated("bpf_trampoline_6442461184")
    assert not is_generated("bpf_prog_select_runtime")
    assert not is_generated("bpf_trampoline_link_prog")
    assert names_no_image("bpf_prog_6deef7357e7b4530", "bpf")
    assert names_no_image("tramp", "__builtin__ftrace")
    assert not names_no_image("probe_one", "foo")
