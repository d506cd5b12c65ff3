import pytest

from builders.hyp_images import link_6_1
from builders.moved_code import function
from whypanic.audit.naming import bare_name, branch_word, function_name, place_name
from whypanic.formats.images import open_image

SOURCE = function("f", "  nop\n  ret") + function("state", "  ret", ".text")
SOURCE += (
    ".globl __kvm_nvhe_state\n.type __kvm_nvhe_state, %function\n.set __kvm_nvhe_state, state\n"
)


def test_symbol_offset_and_section() -> None:
    image = open_image(link_6_1(SOURCE))
    f, state = image.value_of("f"), image.value_of("state")
    assert f is not None
    assert state is not None
    assert place_name(image, f) == "f (.text)"
    assert place_name(image, f + 4) == "f+0x4 (.text)"
    assert place_name(image, state) == "state (.text)"
    assert place_name(image, image.end + 0x1000) == f"{image.end + 0x1000:#x}"
    assert function_name(image, f + 4) == "f"
    assert function_name(image, 0) == ""


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("__kvm_nvhe___guest_enter", "__guest_enter"),
        ("__pi_memcpy", "memcpy"),
        ("activate_traps_vhe.isra.0", "activate_traps_vhe"),
        ("plain", "plain"),
    ],
)
def test_name_without_prefix_and_suffix(name: str, bare: str) -> None:
    assert bare_name(name) == bare


def test_calls_and_branches() -> None:
    assert [branch_word(w) for w in (0x94000000, 0x14000000, 0x54000001)] == [
        "call",
        "branch",
        "branch",
    ]
