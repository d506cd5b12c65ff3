from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from builders.el1_oopses import oops
from builders.el2_panics import claims, explained, verdict
from builders.variables import FOLDER, image
from whypanic.app import image_facts
from whypanic.causes import image_pointers

GCC = FOLDER / "variables-gcc.elf"
NULL = "null-pointer-dereference"
OTHER_BUILD = "12" * 20


def place(name: str, offset: int = 0) -> int:
    found = image("gcc").value_of(name)
    assert found is not None
    return found + offset


def test_a_null_variable_that_the_image_names_is_proven() -> None:
    found = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10), GCC)
    assert verdict(found, NULL) == "proven"
    assert "`w->state`" in claims(found, NULL)


def test_without_the_image_it_is_supported() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0}, far=0x10)
    assert verdict(explained(text), NULL) == "supported"


def test_another_build_says_nothing_of_the_variable() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0}, far=0x10, build_id=OTHER_BUILD)
    found = explained(text, GCC)
    assert verdict(found, NULL) == "supported"
    assert "w->state" not in claims(found, NULL)
    allowed = explained(text, GCC, allow_mismatch=True)
    assert verdict(allowed, NULL) == "supported"
    assert "w->state" in claims(allowed, NULL)


def test_registers_that_do_not_make_far_prove_nothing() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0x7000}, far=0x10)
    found = explained(text, GCC)
    assert all(a.verdict != "proven" for a in found.assessments)


def test_words_that_are_not_the_images_prove_nothing() -> None:
    # ldr x0, [x0, #0x10] as in the file, but what stands before it is not.
    words = (0xD503201F, 0xD503201F, 0x11111111, 0x22222222, 0xF9400800)
    found = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10, words=words), GCC)
    assert verdict(found, NULL) == "supported"


def test_a_syndrome_of_another_access_proves_nothing() -> None:
    text = oops("gcc", place("read_state"), {"x0": 0}, far=0x10, esr=0x96000046)
    assert verdict(explained(text, GCC), NULL) != "proven"


def test_an_error_value_in_a_variable_is_proven() -> None:
    error = (1 << 64) - 22
    text = oops("gcc", place("read_state"), {"x0": error}, far=error + 0x10 & (1 << 64) - 1)
    found = explained(text, GCC)
    assert verdict(found, "error-pointer-dereference") == "proven"
    assert "EINVAL" in claims(found, "error-pointer-dereference")


def test_poison_in_a_variable_is_proven() -> None:
    poison = 0xDEAD000000000100
    text = oops("gcc", place("read_state"), {"x0": poison}, far=poison + 0x10, esr=0x96000004)
    assert verdict(explained(text, GCC), "poisoned-pointer") == "proven"


def _changing(made: Callable[..., Any], **values: object) -> Callable[..., Any]:
    def change(*args: object) -> object:
        fact = made(*args)
        return None if fact is None else replace(fact, **values)

    return change


def test_a_variable_that_only_has_the_same_value_proves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coinciding = _changing(image_pointers.reading_of, coincides=True)
    monkeypatch.setattr(image_pointers, "reading_of", coinciding)
    found = explained(oops("gcc", place("read_state"), {"x0": 0}, far=0x10), GCC)
    assert verdict(found, NULL) == "supported"
    assert "`w->state`" in claims(found, NULL)


def _null_call() -> str:
    text = oops("gcc", place("start"), {"x2": 0}, far=0, esr=0x86000006)
    text = text.replace("pc : start+0x0/0x20", "pc : 0x0").replace(" start+0x0/0x20\n", " 0x0\n")
    return (
        text[: text.index("Code:")] + "Code: bad PC value\n---[ end trace 0000000000000000 ]---\n"
    )


def test_a_call_read_from_a_module_has_no_proof_of_the_kernels_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        image_facts, "call_through", _changing(image_facts.call_through, module="foo")
    )
    found = explained(_null_call(), GCC)
    assert verdict(found, "null-function-pointer") == "supported"
    assert "`blr x2` in start" in claims(found, "null-function-pointer")


def test_the_call_before_lr_proves_a_null_function_pointer() -> None:
    text = _null_call()
    found = explained(text, GCC)
    assert verdict(found, "null-function-pointer") == "proven"
    assert "`blr x2` in start, x2 = 0x0" in claims(found, "null-function-pointer")
    another = explained(text.replace("x2 : 0000000000000000", "x2 : 0000000000007000"), GCC)
    assert verdict(another, "null-function-pointer") == "supported"


@pytest.mark.parametrize(
    ("printed", "other"),
    [("0000000086000006", "000000008600000f"), ("pstate", "xstate"), ("60000005", "60000000")],
)
def test_a_call_is_proven_only_with_the_syndrome_and_flags_of_one(printed: str, other: str) -> None:
    text = _null_call()
    assert printed in text
    found = explained(text.replace(printed, other), GCC)
    assert verdict(found, "null-function-pointer") != "proven"
