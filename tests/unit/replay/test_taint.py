import pytest

from builders.el2 import RET, run
from whypanic.arch.insn import decode
from whypanic.replay.taint import REGISTERS, results

X = {1: 0x11, 2: 0x22}
EQ_HOLDS, EQ_FAILS = 0b0100, 0b0000


def known_after(word: int, *known: str, nzcv: int = 0) -> dict[str, bool]:
    """Which written registers are known where only these operands are."""
    return results(decode(word), {name: name in known for name in REGISTERS}, nzcv)


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        (0x8B020020, ("x1", "x2"), {"x0": True}),  # add x0, x1, x2
        (0x8B020020, ("x1",), {"x0": False}),
        (0xD2800020, (), {"x0": True}),  # mov x0, #1
        (0xF2A00020, (), {"x0": False}),  # movk x0, #1, lsl #16 keeps the rest
        (0xEB02003F, ("x1",), {"nzcv": False}),  # cmp x1, x2
        (0xCB010020, (), {"x0": True}),  # sub x0, x1, x1
        (0xCB010420, (), {"x0": False}),  # sub x0, x1, x1, lsl #1
        (0xEB010020, (), {"x0": True, "nzcv": True}),  # subs x0, x1, x1
        (0xCA010020, (), {"x0": True}),  # eor x0, x1, x1
        (0xCA020020, (), {"x0": False}),  # eor x0, x1, x2
        (0x8A1F0020, (), {"x0": True}),  # and x0, x1, xzr
        (0x8A010020, (), {"x0": False}),  # and x0, x1, x1
        (0xAA1F0020, (), {"x0": False}),  # orr x0, x1, xzr
        (0xAA3F0020, (), {"x0": True}),  # orn x0, x1, xzr
        (0x8A2103E0, (), {"x0": True}),  # bic x0, xzr, x1
        (0x9B1F0820, ("x2",), {"x0": True}),  # madd x0, x1, xzr, x2
        (0x9B1F0820, ("x1",), {"x0": False}),
        (0x9AC123E0, (), {"x0": True}),  # lsl x0, xzr, x1
        (0x9ADF0820, (), {"x0": True}),  # udiv x0, x1, xzr
        (0xBA020020, ("x1", "x2"), {"x0": False, "nzcv": False}),  # adcs needs the carry
        (0x9AC24C20, ("x1", "x2"), {"x0": True}),  # crc32x w0, w1, x2
    ],
)
def test_results_follow_from_what_they_depend_on(
    word: int, known: tuple[str, ...], expected: dict[str, bool]
) -> None:
    assert known_after(word, *known) == expected


def test_a_selection_needs_what_it_selects() -> None:
    csel, csinc = 0x9A820020, 0x9A820420  # x0, x1, x2, eq
    assert known_after(csel, "x1", "nzcv", nzcv=EQ_HOLDS) == {"x0": True}
    assert known_after(csel, "x1", "nzcv", nzcv=EQ_FAILS) == {"x0": False}
    assert known_after(csinc, "x2", "nzcv", nzcv=EQ_FAILS) == {"x0": True}
    assert known_after(csel, "x1", "x2") == {"x0": False}
    assert known_after(0x9A810020, "x1") == {"x0": True}  # csel x0, x1, x1, eq
    assert known_after(0x9A810420, "x1") == {"x0": False}  # csinc x0, x1, x1, eq
    assert known_after(0x9A82E020, "x1") == {"x0": True}  # csel x0, x1, x2, al


def test_a_comparison_that_is_skipped_needs_only_the_flags() -> None:
    ccmp = 0xFA420023  # ccmp x1, x2, #3, eq
    assert known_after(ccmp, "nzcv", nzcv=EQ_FAILS) == {"nzcv": True}
    assert known_after(ccmp, "nzcv", nzcv=EQ_HOLDS) == {"nzcv": False}
    assert known_after(ccmp, "nzcv", "x1", "x2", nzcv=EQ_HOLDS) == {"nzcv": True}
    assert known_after(ccmp, "x1", "x2") == {"nzcv": False}


def test_vector_results_are_unknown_but_for_constants() -> None:
    assert known_after(0x4EE28420, "v1", "v2") == {"v0": False}  # add v0.2d, v1.2d, v2.2d
    assert known_after(0x6F00E400) == {"v0": True}  # movi v0.2d, #0
    assert known_after(0x4F001420) == {"v0": False}  # orr v0.4s, #1
    assert known_after(0x9E660001, "v0") == {"x1": False, "v1": False}  # fmov x1, d0


def test_an_idiom_gives_the_value_itself() -> None:
    seen = run([0xCA010020, 0x8A1F0022, RET])  # eor x0, x1, x1; and x2, x1, xzr
    assert (seen.registers["x0"], seen.registers["x1"], seen.registers["x2"]) == (0, None, 0)
