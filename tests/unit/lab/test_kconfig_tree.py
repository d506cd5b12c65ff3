from pathlib import Path

import pytest

from builders.toy_tree import make_toy_tree
from whypanic.lab.kconfig_tree import KconfigTree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_toy_tree(tmp_path)


@pytest.mark.parametrize(
    ("final", "name", "wanted", "because"),
    [
        ("", "COFFEE", "y", "this tree has no such option for arm64"),
        ("", "NOT_AN_OPTION", "y", "this tree has no such option for arm64"),
        ("", "MIPS", "y", "this tree has no such option for arm64"),
        ("", "TEA", "y", "depends on HAS_TEA, which depends on KETTLE, which is n"),
        (
            "KETTLE",
            "TEA",
            "y",
            "depends on HAS_TEA, which depends on CUPS > 2 || MUG, which does not hold",
        ),
        ("KETTLE MUG HAS_TEA", "TEA", "m", "can be chosen only with EXPERT, which is n"),
        ("", "SUGAR", "y", "nobody can choose it, it is selected by TEA"),
        ("TEA MUG SUGAR", "SUGAR", "n", "TEA selects it"),
        ("TEA SUGAR", "SUGAR", "n", "nobody can choose it, it follows from other options"),
        ("KETTLE", "KETTLE", "m", "it cannot be a module"),
        ("LTO_NONE", "LTO_CLANG_THIN", "y", "depends on CC_IS_CLANG, which is n"),
        ("LTO_NONE CC_IS_CLANG", "LTO_CLANG_THIN", "y", "its choice took LTO_NONE"),
        ("", "VIRTIO_NET", "y", "depends on NET, which this tree does not have for arm64"),
        ("NET", "VIRTIO_NET", "y", "depends on INET, which this tree does not have for arm64"),
        ("NET INET", "VIRTIO_NET", "y", ""),
    ],
)
def test_why(folder: Path, final: str, name: str, wanted: str, because: str) -> None:
    options = {f"CONFIG_{symbol}": "y" for symbol in final.split()}
    got = options.get(f"CONFIG_{name}", "n")
    assert KconfigTree(folder, options).why(f"CONFIG_{name}", wanted, got) == because


def test_what_only_the_compiler_tells(folder: Path) -> None:
    (folder / "Kconfig").write_text(
        "config SCS\n\tbool 'Shadow' # comment\n\tdepends on $(cc-option,-fsanitize=scs)\n"
    )
    tree = KconfigTree(folder, {})
    assert tree.why("CONFIG_SCS", "y", "n") == (
        "depends on $(cc-option,-fsanitize=scs), which the compiler and linker tell"
    )


def test_places_and_numbers(folder: Path) -> None:
    tree = KconfigTree(folder, {})
    (tea,) = tree.symbols["TEA"]
    assert (tea.place, tea.kind, tea.prompt_if) == ("Kconfig:19", "tristate", "EXPERT")
    assert tree.symbols["EXPERT"][0].place == "arch/arm64/Kconfig:1"
    assert tree.selects["SUGAR"] == [("TEA", "MUG")]
    assert tree.symbols["LTO_NONE"][0].choice == tree.symbols["LTO_CLANG_THIN"][0].choice


def test_files_that_include_themselves_or_end_early(folder: Path) -> None:
    (folder / "Kconfig").write_text(
        'source "Kconfig"\nsource "/etc/passwd"\nsource "../x"\nsource "absent"\nendmenu\nendif\n'
        "depends on X\nconfig LAST\n\tbool\n\tdepends on \\\n"
    )
    assert list(KconfigTree(folder, {}).symbols) == ["LAST"]


def test_dependencies_that_run_in_a_circle(folder: Path) -> None:
    (folder / "Kconfig").write_text(
        'config A\n\tbool "A"\n\tdepends on B\nconfig B\n\tbool "B"\n\tdepends on A\n'
    )
    assert KconfigTree(folder, {}).why("CONFIG_A", "y", "n").startswith("depends on B, which")
