"""Register dumps of every era."""

import pytest

from builders.log_lines import fact, facts
from whypanic.model.registers import PstateText, Register


def _values(text: str) -> dict[str, int | None]:
    return {r.name: r.value for r in facts(text, Register)}


def test_three_per_line() -> None:
    text = "x5 : ffff80000a04b9b0 x4 : 0000000000000080 x3 : 0041640000000000"
    assert _values(text) == {"x5": 0xFFFF80000A04B9B0, "x4": 0x80, "x3": 0x41640000000000}


def test_two_per_line_and_one_with_a_broken_end() -> None:
    assert _values("x29: ffff000009113ca0 x28: 0000000000000000 ") == {
        "x29": 0xFFFF000009113CA0, "x28": 0,
    }  # fmt: skip
    assert _values("x29: ffff80000a24b680 x28: 0000000000000000 x27:") == {
        "x29": 0xFFFF80000A24B680, "x28": 0,
    }  # fmt: skip


def test_masked_value() -> None:
    assert _values("x1 : (____ptrval____) x0 : 0000000000000001") == {"x1": None, "x0": 1}


def test_there_is_no_x31() -> None:
    assert _values("x31: ffff80000a24b680 x30: 0000000000000010") == {"x30": 0x10}


def test_one_line_of_the_old_form() -> None:
    text = "pc : [<ffff000008e170f8>] lr : [<ffff000008e170d0>] pstate: 604000c5"
    assert _values(text) == {
        "pc": 0xFFFF000008E170F8, "lr": 0xFFFF000008E170D0, "pstate": 0x604000C5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "symbol", "value"),
    [
        ("pc : foo_bar+0x18/0x84", "foo_bar", None),
        ("pc : foo_bar+0x18/0x84 [mod_a]", "foo_bar", None),
        ("PC is at foo_bar+0x18/0x84", "foo_bar", None),
        ("pc : 0x61722d6f697067", None, 0x61722D6F697067),
        ("pc : 00000000004087b0", None, 0x4087B0),
        ("pc : foo_bar (drivers/foo/bar.c:12) ", "foo_bar", None),
    ],
)
def test_location(text: str, symbol: str | None, value: int | None) -> None:
    found = fact(text, Register)
    assert found.name == "pc"
    assert found.value == value
    assert (found.ref.symbol if found.ref else None) == symbol


def test_offset_size_and_module_of_a_location() -> None:
    ref = fact("lr : foo_bar+0x18/0x84 [mod_a]", Register).ref
    assert ref is not None
    assert (ref.offset, ref.size, ref.module) == (0x18, 0x84, "mod_a")


def test_pstate_with_and_without_words() -> None:
    text = "pstate: 60400009 (nZCv daif +PAN -UAO BTYPE=--)"
    assert _values(text) == {"pstate": 0x60400009}
    assert fact(text, PstateText).flags == "nZCv daif +PAN -UAO BTYPE=--"
    assert facts("pstate: 60400009", PstateText) == []


def test_priority_mask_and_sp() -> None:
    assert _values("pmr_save: 00000070") == {"pmr_save": 0x70}
    assert _values("sp : ffff800080d63bb0") == {"sp": 0xFFFF800080D63BB0}
