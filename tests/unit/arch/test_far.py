from whypanic.arch.esr import decode_esr
from whypanic.arch.far import far_validity


def test_abort_sets_far() -> None:
    assert far_validity(decode_esr(0x96000004)) == (
        True,
        "FAR holds the address of this data abort",
    )
    assert far_validity(decode_esr(0x86000004))[1].endswith("instruction abort")


def test_tag_bits_unknown() -> None:
    assert "[63:60] are UNKNOWN" in far_validity(decode_esr(0x96000011))[1]
    assert "[63:56] are UNKNOWN" in far_validity(decode_esr(0x96000010))[1]


def test_fnv() -> None:
    valid, reason = far_validity(decode_esr(0x96000410))
    assert valid is False
    assert reason.startswith("FnV=1")
    assert far_validity(decode_esr(0xD6000462))[0] is False


def test_reserved_fnv_settles_nothing() -> None:
    valid, reason = far_validity(decode_esr(0x96000405))
    assert valid is None
    assert "level 1 translation fault" in reason


def test_other_classes_leave_far_stale() -> None:
    valid, reason = far_validity(decode_esr(0xF2000800))
    assert valid is False
    assert reason == "EC 0x3c (BRK (AArch64)) does not set FAR: its value is stale"


def test_pc_alignment_and_watchpoint() -> None:
    assert far_validity(decode_esr(0x8A000000))[0] is True
    assert far_validity(decode_esr(0xD6000022))[0] is True


def test_el3_only() -> None:
    assert far_validity(decode_esr(0x7A000000))[0] is None
