import pytest

from whypanic.arch.pstate import decode_pstate


def test_hyp_panic_value() -> None:
    view = decode_pstate(0x800003C9)
    assert (view.mode_name, view.el, view.sp_sel) == ("EL2h", 2, "h")
    assert (view.nzcv, view.nzcv_text) == (0b1000, "Nzcv")
    assert (view.daif, view.daif_text) == (0b1111, "DAIF")
    assert view.btype_text == "--"
    assert not view.aarch32
    assert view.res0_set == ()


@pytest.mark.parametrize(
    ("value", "mode", "el", "sp_sel"),
    [
        (0x0, "EL0t", 0, "t"),
        (0x4, "EL1t", 1, "t"),
        (0x5, "EL1h", 1, "h"),
        (0x8, "EL2t", 2, "t"),
        (0xD, "EL3h", 3, "h"),
        (0x1, "reserved mode 0x1", None, ""),
    ],
)
def test_modes(value: int, mode: str, el: int | None, sp_sel: str) -> None:
    view = decode_pstate(value)
    assert (view.mode_name, view.el, view.sp_sel) == (mode, el, sp_sel)
    assert view.fields[-1].name == "M"


@pytest.mark.parametrize(("value", "text"), [(0x400, "jc"), (0x800, "-c"), (0xC05, "j-")])
def test_btype(value: int, text: str) -> None:
    assert decode_pstate(value).btype_text == text


def test_each_named_bit_is_where_the_manual_has_it() -> None:
    places = {f.name: f.lo for f in decode_pstate(0).fields if f.name != "RES0"}
    assert places == {
        "UINJ": 36, "PACM": 35, "EXLOCK": 34, "PPEND": 33, "PM": 32,
        "N": 31, "Z": 30, "C": 29, "V": 28, "TCO": 25, "DIT": 24, "UAO": 23, "PAN": 22,
        "SS": 21, "IL": 20, "ALLINT": 13, "SSBS": 12, "BTYPE": 10,
        "D": 9, "A": 8, "I": 7, "F": 6, "M": 0,
    }  # fmt: skip


def test_aarch32() -> None:
    view = decode_pstate(0x60000010)
    assert view.aarch32
    assert (view.mode_name, view.el, view.sp_sel) == ("User", None, "")
    assert view.nzcv_text == "nZCv"
    assert view.daif_text == "aif"
    assert view.fields[-1].meaning == "AArch32 User"


def test_reserved_bits() -> None:
    assert [f.lo for f in decode_pstate(1 << 40 | 1 << 5).res0_set] == [37, 5]
