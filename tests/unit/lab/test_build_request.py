from pathlib import Path

import msgspec
import pytest

from whypanic.lab.build_request import read_build_request
from whypanic.model.errors import InputError
from whypanic.model.lab import BuildSpec

_SPEC = BuildSpec(tree="/src", toolchain="toy")


def test_own_config_is_a_fragment_of_allnoconfig() -> None:
    request = read_build_request(_SPEC)
    assert request.target == "allnoconfig"
    assert request.checked["CONFIG_KVM"] == request.base["CONFIG_KVM"] == "y"
    assert request.added == {}
    assert request.required == {"CONFIG_LTO_CLANG"}


def test_lto_comes_after_the_fragments(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("CONFIG_B=y\n# CONFIG_LTO_CLANG_THIN is not set\n")
    request = read_build_request(
        msgspec.structs.replace(_SPEC, lto="thin", fragments=("CONFIG_A=m", str(file)))
    )
    assert request.added == {
        "CONFIG_A": "m",
        "CONFIG_B": "y",
        "CONFIG_LTO_NONE": "n",
        "CONFIG_LTO_CLANG_FULL": "n",
        "CONFIG_LTO_CLANG_THIN": "y",
    }
    assert request.required == {"CONFIG_A", "CONFIG_LTO_CLANG_THIN"}
    assert request.checked["CONFIG_B"] == "y"


def test_target_of_make_and_file(tmp_path: Path) -> None:
    request = read_build_request(msgspec.structs.replace(_SPEC, config="tinyconfig"))
    assert (request.target, request.base) == ("tinyconfig", {})
    file = tmp_path / "my"
    file.write_text("CONFIG_A=y\n")
    request = read_build_request(msgspec.structs.replace(_SPEC, config=str(file)))
    assert (request.target, request.base) == (None, {"CONFIG_A": "y"})
    assert "CONFIG_A" not in request.checked


@pytest.mark.parametrize("config", ["-f/x", "all", "a config", "../defconfig"])
def test_no_config(config: str) -> None:
    with pytest.raises(InputError, match="is no config"):
        read_build_request(msgspec.structs.replace(_SPEC, config=config))


def test_file_without_an_option(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("nothing\n")
    with pytest.raises(InputError, match="it has no option"):
        read_build_request(msgspec.structs.replace(_SPEC, config=str(tmp_path / "notes")))
