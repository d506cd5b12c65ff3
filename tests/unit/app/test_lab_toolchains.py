"""The list of toolchains as a document."""

import jsonschema
import msgspec
import pytest

from whypanic.app import lab_toolchains
from whypanic.app.lab_toolchains import list_toolchains
from whypanic.model.lab import Toolchain
from whypanic.report.lab_document import lab_schemas


def test_all_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Toolchain(
        id="clang-19",
        family="clang",
        version="19.1.7",
        compiler="clang-19",
        compiler_text="clang version 19.1.7",
        linker="ld.lld-19",
        linker_text="LLD 19.1.7",
        make_variables=(("LLVM", "-19"),),
        lto=("none", "thin", "full"),
        missing=("llvm-nm-19",),
    )
    monkeypatch.setattr(lab_toolchains, "find_toolchains", lambda: (found,))
    document = list_toolchains()
    jsonschema.validate(msgspec.to_builtins(document), lab_schemas()["lab-toolchains"])
    (row,) = document.toolchains
    assert row.make_variables == [["LLVM", "-19"]]
    assert row.missing == ["llvm-nm-19"]
