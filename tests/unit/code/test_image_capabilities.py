"""Names of capabilities in an image, and the features of a CPU."""

from collections.abc import Mapping

import pytest

from builders.patched_code import image
from whypanic.arch.cpucaps_table import TABLES, expand
from whypanic.code.image_capabilities import (
    NO_NAMES,
    CapabilityNames,
    Features,
    capability_names,
    features_from,
    features_of_log,
    read_capability_rows,
)
from whypanic.formats.kernel_image import KernelImage
from whypanic.model.context import CpuFeatures, DetectedFeature
from whypanic.model.errors import InputError
from whypanic.model.provenance import Source

TIP = (6, 1, 192)
LIST = expand(TIP)
NAMES = CapabilityNames(LIST, "image", "6.1.192", len(LIST))
PAN, VHE, LSE = (
    LIST.index("HAS_PAN"),
    LIST.index("HAS_VIRT_HOST_EXTN"),
    LIST.index("HAS_LSE_ATOMICS"),
)
DESCRIBED = {
    "HAS_PAN": "Privileged Access Never",
    "HAS_VIRT_HOST_EXTN": "Virtualization Host Extensions",
    "HAS_32BIT_EL1": "32-bit EL1 Support",
    "ALWAYS_SYSTEM": None,
}
ERRATA = {"WORKAROUND_834220": "ARM erratum 834220"}


def table_of(name: str, rows: Mapping[str, str | None], numbers: Mapping[str, int]) -> str:
    strings = "".join(
        f'.pushsection .rodata.str\n.L{name}_{i}: .string "{words}"\n.popsection\n'
        for i, words in enumerate(rows.values())
    )
    elements = "".join(
        f"{f'.quad .L{name}_{i}' if words else '.quad 0'}\n"
        f".hword {numbers[key]}, 0x12\n.word 0\n.quad f\n.fill 40, 1, 0\n"
        for i, (key, words) in enumerate(rows.items())
    )
    return (
        f'{strings}.pushsection .rodata, "a"\n.balign 8\n.globl {name}\n.type {name}, %object\n'
        f"{name}:\n{elements}.fill 64, 1, 0\n.size {name}, . - {name}\n.popsection\n"
    )


def kernel(
    *,
    numbers: dict[str, int] | None = None,
    count: int = len(LIST),
    release: str = "6.1.0",
    errata: bool = True,
) -> KernelImage:
    numbers = numbers or {name: i for i, name in enumerate(LIST) if name}
    text = "f: ret\n" + table_of("arm64_features", DESCRIBED, numbers)
    if errata:
        text += table_of("arm64_errata", ERRATA, numbers)
    if count:
        text += (
            '.pushsection .bss.p, "aw", %nobits\n.globl cpu_hwcaps_ptrs\n'
            ".type cpu_hwcaps_ptrs, %object\ncpu_hwcaps_ptrs: "
            f".space {8 * count}\n.size cpu_hwcaps_ptrs, {8 * count}\n.popsection\n"
        )
    img = image(text, "-pie")
    img.banner = f"Linux version {release} (we@here)"
    return img


def has(features: Features, name: str) -> bool | None:
    number = features.names.number(name)
    assert number is not None
    return features.has(number)


def test_rows_are_read_through_relocations() -> None:
    rows, complete = read_capability_rows(kernel())
    assert complete
    assert {(row.number, row.description) for row in rows} == {
        (LIST.index(name), words) for name, words in (DESCRIBED | ERRATA).items()
    }


def test_the_list_of_the_version_where_the_image_agrees() -> None:
    names = capability_names(kernel())
    assert names.names == LIST
    assert (names.origin, names.title, names.n_capabilities) == ("image", "6.1.192", 85)
    assert names.number("ARM64_HAS_PAN") == PAN
    assert names.number("HAS_32BIT_EL0") == LIST.index("HAS_32BIT_EL0_DO_NOT_USE")
    assert names.number("MADE_UP") is None
    assert names.name(4000) is None
    assert LIST.index("WORKAROUND_834220") in names.listed


def test_the_right_list_is_found_without_a_banner() -> None:
    img = kernel()
    img.banner = None
    assert capability_names(img).names == LIST


def test_a_renumbered_kernel_is_named_by_its_own_words() -> None:
    numbers = {name: i + 3 for i, name in enumerate(LIST) if name}
    names = capability_names(kernel(numbers=numbers, count=88))
    assert names.name(PAN + 3) == "HAS_PAN"
    assert names.name(PAN) is None
    assert names.name(numbers["HAS_LSE_ATOMICS"]) is None
    assert len(names.names) == 88


def test_one_array_alone_does_not_say_what_is_not_built_in() -> None:
    names = capability_names(kernel(errata=False))
    assert names.name(PAN) == "HAS_PAN"
    assert names.listed == frozenset()


def test_without_arrays_the_release_must_agree_in_number() -> None:
    img = image("f: ret\n")
    assert capability_names(img) == NO_NAMES
    names = capability_names(img, release="4.19.13", count=33)
    assert (names.origin, names.name(11)) == ("version", "HAS_VIRT_HOST_EXTN")
    assert capability_names(img, release="4.19.13", count=40).names == ()
    assert {table.n for table in TABLES if table.key[:2] == (4, 19)} == {33}


def test_without_arrays_and_number_the_release_must_be_one_that_was_read() -> None:
    img = image("f: ret\n")
    img.banner = "Linux version 6.1.0-56-made-up (we@here) #1 SMP Debian 6.1.192-2 (2026-01-01)"
    assert capability_names(img).names == LIST
    img.banner = "Linux version 6.1.0-56-made-up (we@here) #1 SMP"
    assert capability_names(img) == NO_NAMES


def test_features_given_by_name() -> None:
    features = features_from("LSE_ATOMICS, arm64_has_pan,834220", NAMES)
    assert features.has(PAN)
    assert features.has(LSE)
    assert has(features, "WORKAROUND_834220")
    assert has(features, "ALWAYS_BOOT")
    assert features.has(VHE) is False
    assert "HAS_PAN" in features.describe()


def test_features_of_a_bitmap() -> None:
    raw = f"0x0,{1 << PAN:08x}".replace("0x0,", "0x000000,00000000,")
    features = features_from(raw, NAMES)
    assert [n for n in range(85) if features.has(n)] == [PAN]


def test_features_of_a_core() -> None:
    features = features_from("Neoverse-N1", NAMES)
    assert features.has(LSE)
    assert features.has(VHE) is None
    assert has(features, "SVE") is False
    assert "not known" in features.describe()


def test_what_a_kernel_was_not_built_with_its_core_does_not_have() -> None:
    features = features_from("Neoverse-N1", capability_names(kernel()))
    assert features.has(PAN)
    assert features.has(LSE) is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0x002086", "21..24 capabilities, this kernel has 85"),
        ("0xzz", "not a capability bitmap"),
        ("PAM", "neither a core nor a capability"),
        ("PAN,MADE_UP", "MADE_UP"),
    ],
)
def test_words_that_mean_nothing(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        features_from(text, NAMES)


def test_a_slip_gets_a_hint() -> None:
    with pytest.raises(InputError) as caught:
        features_from("PAM", NAMES)
    assert caught.value.hints == ("near: HAS_PAN",)


def log(raw: str) -> CpuFeatures:
    return CpuFeatures(raw=raw, bitmap=0, n_groups=1, source=Source())


def test_features_of_a_log() -> None:
    features = features_of_log(log("0x000000,00000000,20000000"), NAMES)
    assert features is not None
    assert features.has(PAN)
    assert features.has(VHE) is False


def test_a_bitmap_of_another_kernel_says_nothing() -> None:
    features = features_of_log(log("0x002086"), NAMES)
    assert features is not None
    assert features.has(PAN) is None
    assert features.notes == (
        "CPU features 0x002086 is a bitmap of 21..24 capabilities, this kernel has 85",
    )


def test_names_of_the_release_where_the_image_has_none() -> None:
    features = features_of_log(log("0x002086"), NO_NAMES, release="4.14.0")
    assert features is not None
    assert has(features, "HAS_VIRT_HOST_EXTN") is False
    assert has(features, "WORKAROUND_834220") is True


def test_boot_lines_tell_some() -> None:
    line = DetectedFeature(name="Privileged Access Never", source=Source())
    other = DetectedFeature(name="something else", source=Source())
    features = features_of_log(None, NAMES, detected=(line, other))
    assert features is not None
    assert features.has(PAN)
    assert features.has(VHE) is None
    assert features_of_log(None, NAMES, detected=(other,)) is None


def test_features_of_which_nothing_is_known() -> None:
    assert Features(NAMES).has(PAN) is None
