from pathlib import Path

import pytest

from whypanic.lab.build_request import FRAGMENTS
from whypanic.lab.kconfig import (
    LTO_LINES,
    LTO_WANTED,
    check_options,
    merged,
    named_fragment,
    read_config_file,
    read_fragment,
    read_options,
    write_options,
)
from whypanic.model.errors import InputError
from whypanic.model.lab import OptionCheck

_TEXT = """\
#
# Automatically generated file; DO NOT EDIT.
#
CONFIG_CC_VERSION_TEXT="gcc (Toy) 1.2"
CONFIG_A=y
# CONFIG_B is not set
CONFIG_N=0x10
CONFIG_A=m
"""


def test_options_of_a_config() -> None:
    options = read_options(_TEXT)
    assert options == {
        "CONFIG_CC_VERSION_TEXT": '"gcc (Toy) 1.2"',
        "CONFIG_B": "n",
        "CONFIG_N": "0x10",
        "CONFIG_A": "m",
    }
    assert read_options(write_options(options)) == options


def test_later_parts_win_and_come_last() -> None:
    assert list(merged([{"CONFIG_A": "y", "CONFIG_B": "y"}, {"CONFIG_A": "n"}]).items()) == [
        ("CONFIG_B", "y"),
        ("CONFIG_A", "n"),
    ]


def test_fragment_by_name_and_by_file(tmp_path: Path) -> None:
    assert named_fragment("CONFIG_A=m") == {"CONFIG_A": "m"}
    assert named_fragment("# CONFIG_A is not set") == {"CONFIG_A": "n"}
    file = tmp_path / "CONFIG_x"
    file.write_text("# a comment\n\nCONFIG_B=3\n")
    assert named_fragment(str(file)) == {"CONFIG_B": "3"}
    with pytest.raises(InputError, match="line 2 is no option"):
        read_fragment("CONFIG_A=y\nCONFIG-B=y\n", what="`x`")
    with pytest.raises(InputError, match="cannot read"):
        named_fragment(str(tmp_path / "absent"))


def test_large_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "big"
    file.write_bytes(b"#" * ((4 << 20) + 1))
    with pytest.raises(InputError, match="too many"):
        read_config_file(file)


def test_absent_option_is_n() -> None:
    asked: list[str] = []

    def why(name: str, wanted: str, got: str) -> str:
        asked.append(f"{name} {wanted} {got}")
        return "because"

    checks = check_options({"CONFIG_A": "y", "CONFIG_B": "n"}, {}, why)
    assert checks == (
        OptionCheck(name="CONFIG_A", wanted="y", got="n", because="because"),
        OptionCheck(name="CONFIG_B", wanted="n", got="n"),
    )
    assert asked == ["CONFIG_A y n"]


def test_each_kind_of_lto_asks_for_what_is_checked() -> None:
    assert LTO_LINES.keys() == LTO_WANTED.keys()
    for kind in ("thin", "full"):
        assert LTO_WANTED[kind].items() <= read_options("\n".join(LTO_LINES[kind])).items()


def test_own_config_has_each_option_once() -> None:
    text = (FRAGMENTS / "virt-min.config").read_text()
    lines = [line for line in text.splitlines() if line.startswith("CONFIG_")]
    assert len(read_fragment(text, what="virt-min")) == len(lines)
