import pytest

from builders.line_fixtures import image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.model.image import SourcePosition
from whypanic.symbolize.positions import Positions, open_elf

A = 0xFFFF800008000100


def _image(kind: ImageKind = ImageKind.VMLINUX) -> KernelImage:
    symbols = [
        Symbol("_text", 0xFFFF800008000000, 0, "other"),
        Symbol("vectors", 0xFFFF800008010800, 0, "other"),
        Symbol("start_kernel", 0xFFFF800009390000, 0x200, "function", is_global=True),
    ]
    return KernelImage(name="vmlinux", kind=kind, symbols=symbol_table(symbols))


def _at(
    function: str | None, file: str | None, line: int | None = 7, column: int | None = 3
) -> SourcePosition:
    return SourcePosition(function, file, line, column)


def _chain(*raw: SourcePosition, roots: tuple[str, ...] = ()) -> tuple[SourcePosition, ...]:
    return Positions(_image(), roots).chain(A, raw)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("kernel/fork.c", "kernel/fork.c"),
        ("./include/linux/list.h", "include/linux/list.h"),
        ("/src/tree/kernel/fork.c", "kernel/fork.c"),
        ("/src/tree/arch/arm64/kvm/../../../virt/kvm/kvm_main.c", "virt/kvm/kvm_main.c"),
        ("/src/tree//kernel/./fork.c", "kernel/fork.c"),
        ("/src/tree/made/here/bounds.h", "bounds.h"),
        ("/src/trees/kernel/fork.c", "/src/trees/kernel/fork.c"),
        ("a folder: of mine/x.c", "a folder: of mine/x.c"),
        ("??", None),
        ("", None),
        (None, None),
    ],
)
def test_files_are_named_below_the_tree(raw: str | None, expected: str | None) -> None:
    roots = ("/src/tree/", "/src/tree/made/here/")
    chain = _chain(_at("f", raw), _at("g", "kernel/x.c"), roots=roots)
    assert [p.file for p in chain] == ([expected, "kernel/x.c"] if expected else [])


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [(7, 3, (7, 3)), (7, 0, (7, None)), (0, 3, (None, None)), (None, None, (None, None))],
)
def test_zero_is_not_known(
    line: int | None, column: int | None, expected: tuple[int | None, int | None]
) -> None:
    (position,) = _chain(_at("f", "kernel/x.c", line, column))
    assert (position.line, position.column) == expected


def test_names_of_rust_are_written_out() -> None:
    (position,) = _chain(_at("_RNvNtCs1_6kernel5error3err", "rust/kernel/error.rs"))
    assert position.function == "kernel::error::err"


@pytest.mark.parametrize("name", ["", "??", None])
def test_functions_that_are_not_known(name: str | None) -> None:
    chain = _chain(_at(name, "rust/kernel/error.rs"))
    assert [p.function for p in chain] == [None]


@pytest.mark.parametrize("file", ["kernel/fork.c", "include/linux/list.h"])
def test_c_code_that_no_function_spans_gets_no_position(file: str) -> None:
    assert _chain(_at(None, file)) == ()


def test_inlined_code_keeps_what_is_known() -> None:
    chain = _chain(_at(None, "include/linux/list.h"), _at("f", "kernel/x.c"))
    assert [p.function for p in chain] == [None, "f"]


@pytest.mark.parametrize("name", [None, "memcpy", "__pi_memcpy"])
def test_assembler_has_no_functions(name: str | None) -> None:
    assert _chain(_at(name, "arch/arm64/lib/memcpy.S", 40, 0)) == (
        SourcePosition(None, "arch/arm64/lib/memcpy.S", 40, None),
    )


def test_assembler_whose_line_table_goes_back() -> None:
    positions = Positions(image("moved-clang.elf"))
    assert positions.chain(0xFFFF80000801000C, [_at(None, "moved.S", 10, 0)]) == (
        SourcePosition(None, "moved.S", 13, None),
    )


def test_nothing_is_nothing() -> None:
    assert _chain() == ()
    assert _chain(_at("f", None)) == ()


def test_the_tree_is_learnt_from_files_that_are_known() -> None:
    positions = Positions(_image())
    main, head, vectors = 0xFFFF800009390010, 0xFFFF800008000000, 0xFFFF800008010800
    assert set(positions.landmarks) == {main, head, vectors}
    positions.learn(
        {
            main: [_at("inlined", "/a/b/include/x.h"), _at("start_kernel", "/a/b/init/main.c")],
            head: [_at(None, "/other/arch/arm64/kernel/head.S")],
            vectors: [],
        }
    )
    assert positions.roots == ("/a/b/", "/other/")


def test_a_file_that_is_another_teaches_nothing() -> None:
    positions = Positions(_image())
    positions.learn({0xFFFF800009390010: [_at("start_kernel", "/a/b/reinit/main.c")]})
    positions.learn({0xFFFF800008000000: [_at(None, "arch/arm64/kernel/head.S")]})
    assert positions.roots == ()


def test_a_module_has_no_landmarks() -> None:
    assert Positions(_image(ImageKind.MODULE)).landmarks == {}


def test_an_image_without_a_file() -> None:
    assert open_elf(_image()) is None
