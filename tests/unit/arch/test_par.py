import pytest

from whypanic.arch.par import KVM_POISON, decode_par, is_kvm_poison


def test_success() -> None:
    view = decode_par(0xFF000000_8123_4B80)
    assert not view.failed
    assert view.note == "translated to 0x81234000"
    assert not view.poison


def test_failure() -> None:
    view = decode_par(0x80F)
    assert view.failed
    assert view.note == "translation failed: level 3 translation fault"


def test_zero_is_no_result() -> None:
    assert decode_par(0).note.startswith("zero")


@pytest.mark.parametrize("value", [KVM_POISON, 0x1D00007EDBADC0DE, 0x1D000C7EDBADC080])
def test_poison_with_dropped_bits(value: int) -> None:
    assert is_kvm_poison(value)
    view = decode_par(value)
    assert view.poison
    assert "world switch" in view.note


def test_a_stray_bit_is_no_poison() -> None:
    assert not is_kvm_poison(KVM_POISON | 1 << 62)
    assert not is_kvm_poison(0x1D00007EDBAD00DE)
