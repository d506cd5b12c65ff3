import pytest

from whypanic.arch.esr import EsrView, FaultKind, decode_esr


def test_instruction_abort_at_the_same_level() -> None:
    view = decode_esr(0x86000004)
    assert view.ec == 0x21
    assert view.ec_name == "Instruction Abort taken without a change in Exception level"
    assert view.ec_short == "IABT (current EL)"
    assert (view.il, view.iss, view.iss2) == (1, 4, 0)
    assert view.is_instruction_abort
    assert not view.is_data_abort
    assert view.same_el is True
    assert (view.fsc, view.fault_level) == (4, 0)
    assert view.fault_kind is FaultKind.TRANSLATION
    assert view.fsc_name == "level 0 translation fault"
    assert view.far_valid is True
    assert view.hpfar_valid is False
    assert view.wnr is None
    assert view.isv is None


def test_data_abort_write() -> None:
    view = decode_esr(0x9600004F)
    assert view.is_data_abort
    assert view.wnr is True
    assert view.fault_kind is FaultKind.PERMISSION
    assert (view.isv, view.sas_bytes, view.srt) == (False, None, None)


def test_data_abort_with_access_described() -> None:
    view = decode_esr(0x97D48007)
    assert (view.isv, view.sas_bytes, view.srt) == (True, 8, 20)


@pytest.mark.parametrize(
    ("esr", "valid"),
    [
        (0x96000010, True),
        (0x96000410, False),
        (0x96000404, None),  # FnV is reserved for this status
        (0x96000011, True),
        (0x8A000000, True),  # PC alignment
        (0x9A000000, False),  # SP alignment
        (0xBE000011, False),
        (0xF2000800, False),
        (0x02000000, False),
        (0xD6000062, True),
        (0xD6000462, False),
        (0x7A000000, None),  # granule protection check, EL3
    ],
)
def test_far_valid(esr: int, valid: bool | None) -> None:
    assert decode_esr(esr).far_valid is valid


@pytest.mark.parametrize(
    ("esr", "el", "valid"),
    [
        (0x92000006, 2, True),
        (0x92000006, None, True),
        (0x92000006, 1, False),
        (0x82000007, 2, True),
        (0x9200000F, 2, False),
        (0x9200008F, 2, True),  # permission, on a stage 1 walk
        (0x92000010, 2, False),
        (0x96000006, 2, False),
        (0x96000086, 2, False),
        (0xF2000800, 2, False),
    ],
)
def test_hpfar_valid(esr: int, el: int | None, valid: bool) -> None:
    assert decode_esr(esr, el=el).hpfar_valid is valid


def test_no_status_outside_aborts() -> None:
    view = decode_esr(0xBE000011)
    assert (view.fsc, view.fsc_name, view.fault_kind, view.fault_level) == (None,) * 4
    assert (view.fnv, view.s1ptw, view.cm) == (None, None, None)
    assert view.is_serror


def test_brk_immediate() -> None:
    assert decode_esr(0xF2000800).brk_immediate == 0x800
    assert decode_esr(0x96000004).brk_immediate is None


def test_reserved_bits_are_named_and_no_error() -> None:
    view = decode_esr(0x02000001)
    assert [(f.lo, f.width, f.value) for f in view.res0_set] == [(0, 25, 1)]
    assert view.res0_set[0].meaning.startswith("res0_set")
    assert decode_esr(0x86000004).res0_set == ()


def test_every_value_of_the_low_half_word_has_a_view() -> None:
    for ec in range(64):
        for low in (0, 0x3F, 0x1FFFFFF):
            assert isinstance(decode_esr(ec << 26 | low), EsrView)
