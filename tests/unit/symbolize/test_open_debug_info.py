import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders.line_fixtures import TREE, image
from whypanic.formats.kernel_image import ImageKind, KernelImage
from whypanic.formats.symbol_table import symbol_table
from whypanic.model.errors import HostError
from whypanic.symbolize.external_info import LLVM
from whypanic.symbolize.open_debug_info import open_debug_info


class Program:
    engine = LLVM

    def __call__(
        self,
        image: Path,
        addresses: Sequence[int],
        *,
        linkage_names: bool = False,
        changes: Sequence[tuple[int, bytes]] = (),
    ) -> str:
        _ = image, linkage_names, changes
        return f"[{', '.join('{}' for _ in addresses)}]"


def _never() -> Program:
    raise AssertionError


def _none() -> Program:
    message = "no program"
    raise HostError(message)


@pytest.fixture
def without_drgn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "drgn", None)


def test_drgn_where_it_is_installed() -> None:
    info = open_debug_info(image("moved-clang.elf"), _never, roots=TREE)
    assert info is not None
    assert (info.engine, info.caution, info.roots) == ("drgn", None, TREE)


def test_a_program_only_for_rust() -> None:
    info = open_debug_info(image("locks.elf"), _none)
    assert info is not None
    (chain,) = info.locate([0xFFFF80000801000C])
    assert [p.function for p in chain] == [None]


@pytest.mark.usefixtures("without_drgn")
def test_the_program_where_drgn_is_not_installed() -> None:
    info = open_debug_info(image("moved-clang.elf"), Program, roots=TREE)
    assert info is not None
    assert (info.engine, info.roots) == (LLVM, TREE)


@pytest.mark.usefixtures("without_drgn")
def test_neither() -> None:
    assert open_debug_info(image("moved-clang.elf")) is None
    with pytest.raises(HostError, match="no program"):
        open_debug_info(image("moved-clang.elf"), _none)


@pytest.mark.parametrize("path", [None, Path("vmlinux")])
def test_nothing_to_read(path: Path | None) -> None:
    made = KernelImage(
        name="vmlinux",
        kind=ImageKind.VMLINUX,
        symbols=symbol_table([]),
        path=path,
        has_debug_info=path is None,
    )
    assert open_debug_info(made, _never) is None
