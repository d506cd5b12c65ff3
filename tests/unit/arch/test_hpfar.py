from whypanic.arch.esr import decode_esr
from whypanic.arch.hpfar import decode_hpfar


def test_ipa_is_shifted() -> None:
    view = decode_hpfar(0x47A3000)
    assert view.ipa == 0x47A300000
    assert view.valid is None


def test_stage_2_fault_sets_it() -> None:
    view = decode_hpfar(0x47A3000, decode_esr(0x92000007, el=2))
    assert view.valid is True
    assert view.note == "set by this stage 2 fault"


def test_same_level_abort_does_not() -> None:
    view = decode_hpfar(0x47A3000, decode_esr(0x86000004, el=2))
    assert view.valid is False
    assert "same Exception level" in view.note


def test_permission_fault_does_not() -> None:
    view = decode_hpfar(0x10, decode_esr(0x9200000F, el=2))
    assert view.valid is False
    assert "permission" in view.note


def test_other_class_does_not() -> None:
    assert "BRK" in decode_hpfar(0, decode_esr(0xF2000800, el=2)).note


def test_fields_cover_64_bits() -> None:
    view = decode_hpfar((1 << 63) | 0xF)
    assert sum(f.width for f in view.fields) == 64
    assert view.fields[0].value == 1
    assert view.fields[-1].name == "RES0"
