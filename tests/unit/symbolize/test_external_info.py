import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from builders.line_fixtures import TREE, image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import Symbol, symbol_table
from whypanic.model.errors import HostError
from whypanic.model.image import SourcePosition
from whypanic.symbolize.external_info import CAUTION, GNU, LLVM, ExternalInfo

A, B = 0xFFFF800008000100, 0xFFFF800008000204


class Fake:
    """A program that prints what the test gave it."""

    def __init__(self, engine: str, answers: dict[int, Any] | str) -> None:
        self.engine = engine
        self._answers = answers
        self.calls: list[tuple[list[int], bool, Sequence[tuple[int, bytes]]]] = []

    def __call__(
        self,
        image: Path,
        addresses: Sequence[int],
        *,
        linkage_names: bool = False,
        changes: Sequence[tuple[int, bytes]] = (),
    ) -> str:
        assert image == Path("vmlinux")
        self.calls.append((list(addresses), linkage_names, changes))
        if isinstance(self._answers, str):
            return self._answers
        if self.engine == GNU:
            return "".join(
                f"{a:#018x}\n{self._answers.get(a, '??' + chr(10) + '??:0')}\n" for a in addresses
            )
        return json.dumps(
            [{"Address": hex(a), "Symbol": self._answers.get(a, [])} for a in addresses]
        )


def _vmlinux(*symbols: Symbol) -> KernelImage:
    return KernelImage(name="vmlinux", kind=ImageKind.VMLINUX, symbols=symbol_table(symbols))


def _info(fake: Fake, *symbols: Symbol, **options: Any) -> ExternalInfo:
    return ExternalInfo(_vmlinux(*symbols), Path("vmlinux"), fake, **options)


def _place(function: str, file: str, line: int, column: int) -> dict[str, Any]:
    return {"FunctionName": function, "FileName": file, "Line": line, "Column": column}


# llvm-symbolizer


def test_a_chain_of_inlined_functions() -> None:
    chain = [_place("list_del", "./include/linux/list.h", 155, 2), _place("f", "kernel/x.c", 8, 0)]
    assert _info(Fake(LLVM, {A: chain})).locate([B, A]) == [
        (),
        (
            SourcePosition("list_del", "include/linux/list.h", 155, 2),
            SourcePosition("f", "kernel/x.c", 8, None),
        ),
    ]


def test_each_address_is_asked_once() -> None:
    fake = Fake(LLVM, {A: [_place("f", "kernel/x.c", 8, 1)]})
    first, _, last = _info(fake).locate([A, B, A])
    assert first == last
    assert fake.calls[0][0] == [A, B]


def test_many_addresses_take_several_calls() -> None:
    fake = Fake(LLVM, {})
    assert _info(fake).locate(range(A, A + 4 * 1200, 4)) == [()] * 1200
    assert [len(addresses) for addresses, _, _ in fake.calls] == [500, 500, 200]


def test_addresses_that_are_none() -> None:
    fake = Fake(LLVM, {})
    assert _info(fake).locate([-4, 1 << 64]) == [(), ()]
    assert fake.calls == []


def test_functions_of_rust_are_asked_by_their_linkage_names() -> None:
    fake = Fake(
        LLVM, {A: [_place("_RNvC1a3get", "rust/a.rs", 8, 1)], B: [_place("f", "x.c", 1, 1)]}
    )
    (rust,), _ = _info(fake).locate([A, B])
    assert rust.function == "a::get"
    assert [call[:2] for call in fake.calls] == [([A, B], False), ([A], True)]


def test_the_path_of_the_tree_is_taken_off() -> None:
    main = Symbol("start_kernel", B, 0x200, "function")
    fake = Fake(
        LLVM,
        {
            A: [_place("f", "/a tree/kernel/x.c", 8, 1)],
            B + 16: [_place("start_kernel", "/a tree/init/main.c", 9, 1)],
        },
    )
    info = _info(fake, main)
    assert info.locate([A]) == [(SourcePosition("f", "kernel/x.c", 8, 1),)]
    assert info.roots == ("/a tree/",)
    info.locate([A])
    assert [call[0] for call in fake.calls] == [[A, B + 16], [A]]


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ("", "printed no JSON: it must be of LLVM 13 or later"),
        ("f\nkernel/x.c:1:1\n", "printed no JSON"),
        ("[" * 100000, "printed no JSON"),
        ("{}", "did not answer for each of 1 addresses"),
        ("[]", "did not answer"),
        ('[{"Error": {"Message": "it is gone"}}]', "llvm-symbolizer`: it is gone"),
    ],
)
def test_answers_of_llvm_that_are_none(printed: str, message: str) -> None:
    with pytest.raises(HostError, match=message):
        _info(Fake(LLVM, printed)).locate([A])


@pytest.mark.parametrize(
    "answer",
    [
        *("3", "null", "{}", '{"Symbol": 3}', '{"Symbol": [3]}', '{"Symbol": [{}]}'),
        '{"Symbol": [{"FunctionName": 3, "FileName": null, "Line": "x", "Column": -1}]}',
    ],
)
def test_odd_answers_are_no_position(answer: str) -> None:
    assert _info(Fake(LLVM, f"[{answer}]")).locate([A]) == [()]


def test_one_address_that_fails_leaves_the_others() -> None:
    good = json.dumps({"Symbol": [_place("f", "x.c", 1, 1)]})
    printed = f'[{{"Error": {{"Message": "no"}}}}, {good}]'
    assert _info(Fake(LLVM, printed)).locate([A, B])[1] == (SourcePosition("f", "x.c", 1, 1),)


# addr2line


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("f\nkernel/x.c:8", SourcePosition("f", "kernel/x.c", 8, None)),
        ("f\nkernel/x.c:8 (discriminator 3)", SourcePosition("f", "kernel/x.c", 8, None)),
        ("f\nkernel/x.c:?", SourcePosition("f", "kernel/x.c", None, None)),
        ("f\nkernel/x.c:0", SourcePosition("f", "kernel/x.c", None, None)),
        ("f\na: b/c d:e.c:12", SourcePosition("f", "a: b/c d:e.c", 12, None)),
        ("a b: c\nkernel/x.c:1", SourcePosition("a b: c", "kernel/x.c", 1, None)),
        ("f\nx.c:?", None),
        ("f\n??:0", None),
        ("f\n??:?", None),
        ("??\n??:0", None),
        ("f\nkernel/x.c:99999999999999999999", SourcePosition("f", "kernel/x.c", None, None)),
    ],
)
def test_lines_of_addr2line(printed: str, expected: SourcePosition | None) -> None:
    (chain,) = _info(Fake(GNU, {A: printed})).locate([A])
    assert chain == (() if expected is None else (expected,))


def test_a_chain_from_addr2line() -> None:
    printed = {A: "list_del\ninclude/linux/list.h:155\nf\nkernel/x.c:8", B: "g\nkernel/y.c:1"}
    first, second = _info(Fake(GNU, printed)).locate([A, B])
    assert [p.function for p in first] == ["list_del", "f"]
    assert [p.function for p in second] == ["g"]


@pytest.mark.parametrize("printed", ["", "\n", f"{B:#018x}\nf\nx.c:1\n", "addr2line: oops\n"])
def test_answers_of_addr2line_that_are_none(printed: str) -> None:
    with pytest.raises(HostError, match="was due"):
        _info(Fake(GNU, printed)).locate([A])


def test_clang_and_addr2line_give_no_function() -> None:
    clang = image("sections-clang5.o")
    fake = Fake(GNU, {0x10008: "in_text\n/src/tree/sections.c:5"})
    info = ExternalInfo(clang, Path("vmlinux"), fake, roots=TREE)
    assert info.locate([0x10008]) == [(SourcePosition(None, "sections.c", 5, None),)]


# Both


def test_modules_are_read_where_the_image_has_them() -> None:
    made = image("sections-clang5.o")
    fake = Fake(LLVM, {0x10014: [_place("in_init", "/src/tree/sections.c", 20, 0)]})
    info = ExternalInfo(made, Path("vmlinux"), fake, roots=TREE)
    assert info.locate([0x10014]) == [(SourcePosition("in_init", "sections.c", 20, None),)]
    written = [int.from_bytes(data, "little") for _, data in fake.calls[0][2] if len(data) == 8]
    assert set(written) == {s.address for s in made.sections}
    init = made.section(".init.text")
    assert init is not None
    assert init.address in written


def test_no_variables_and_what_is_to_be_said() -> None:
    llvm, gnu = _info(Fake(LLVM, {})), _info(Fake(GNU, {}))
    assert llvm.variables(A, {"x0": 1}) is None
    assert (llvm.engine, llvm.caution) == (LLVM, None)
    assert (gnu.engine, gnu.caution) == (GNU, CAUTION)
