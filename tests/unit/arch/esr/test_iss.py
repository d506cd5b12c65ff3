import pytest

from whypanic.arch.esr.iss import layout_of, register_name
from whypanic.arch.esr.syndrome import decode_esr


@pytest.mark.parametrize("ec", range(64))
@pytest.mark.parametrize("rest", [0, (1 << 64) - 1, 1 << 24, 0x10, 0x11, 0x35])
def test_rows_do_not_overlap_and_stay_in_iss_and_iss2(ec: int, rest: int) -> None:
    esr = rest & ~(0x3F << 26) | ec << 26
    claimed = 0
    for spec in layout_of(ec, esr):
        mask = (1 << spec.width) - 1 << spec.lo
        assert not claimed & mask, spec.name
        claimed |= mask
    assert not claimed & ~(0x1FFFFFF | 0xFFFFFF << 32)


def meanings(esr: int) -> dict[str, str]:
    return {f.name: f.meaning for f in decode_esr(esr).fields}


def test_register_31_is_the_zero_register() -> None:
    assert register_name(30) == "x30"
    assert register_name(31) == "xzr"


def test_wfe_with_condition() -> None:
    found = meanings(0x07E00001)
    assert found["TI"] == "WFE"
    assert found["COND"] == "condition AL"
    assert found["CV"] == "COND is valid"


def test_system_register_access_is_named() -> None:
    # Op0 3, Op1 0, CRn 1, CRm 0, Op2 0, Rt 7, write
    esr = 0x18 << 26 | 1 << 25 | 3 << 20 | 1 << 10 | 7 << 5
    found = meanings(esr)
    assert found["Op0"] == "SCTLR_EL1"
    assert found["Rt"] == "x7"
    assert found["Direction"].startswith("write: MSR SCTLR_EL1")


def test_data_abort_with_valid_syndrome() -> None:
    # ISV, 4 bytes, sign-extended, x9, 64-bit register, translation fault level 3, write
    found = meanings(0x25 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 1 << 21 | 9 << 16 | 1 << 15 | 0x47)
    assert found["SAS"] == "4 bytes"
    assert found["SSE"] == "sign-extended"
    assert found["SRT"] == "x9"
    assert found["SF"] == "64-bit register"
    assert found["WnR"] == "write"
    assert found["DFSC"] == "level 3 translation fault"


def test_data_abort_iss2() -> None:
    fields = {f.name: f.value for f in decode_esr(0x0000_0461_9600_0004).fields}
    names = ("TnD", "TagAccess", "GCS", "Overlay", "DirtyBit", "Xs")
    assert {n: fields[n] for n in names} == {
        "TnD": 1,
        "TagAccess": 0,
        "GCS": 0,
        "Overlay": 1,
        "DirtyBit": 1,
        "Xs": 1,
    }


def test_serror_types() -> None:
    assert meanings(0xBE000011)["AET"] == "uncontainable (UC)"
    assert meanings(0xBE001811)["AET"] == "corrected (CE)"
    assert meanings(0xBE001800)["AET"] == "only with DFSC 0x11"
    assert meanings(0xBF000002)["ISS"] == "IMPLEMENTATION DEFINED"


def test_bti_fpac_gcs_mops_sme() -> None:
    assert meanings(0x36000003)["BTYPE"].startswith("j:")
    assert meanings(0x72000003)["Key"] == "data key"
    assert meanings(0x72000003)["KeyAB"] == "B key"
    assert meanings(0xB6000002)["IT"] == "RETAA"
    assert meanings(0x9F020000 | 2 << 10 | 1 << 5 | 3)["MemInst"] == "SET*"
    assert meanings(0x76000003)["SMTC"] == "PSTATE.ZA is 0"


def test_watchpoint_and_step() -> None:
    found = meanings(0xD6000462 | 3 << 18 | 1 << 17)
    assert found["WPT"].startswith("watchpoint 3")
    assert found["FnV"] == "FAR is not valid"
    assert meanings(0xCF000062)["EX"].startswith("a load-exclusive")


def test_unallocated_class_keeps_its_bits() -> None:
    fields = {f.name: f.value for f in decode_esr(0xFDABCDEF | 0x12 << 32).fields}
    assert fields["ISS"] == 0x1ABCDEF
    assert fields["ISS2"] == 0x12
