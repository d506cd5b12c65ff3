"""The abort information block."""

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.sections.mem_abort import CLASS_CODES
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import PrintedField, Syndrome, SyndromePlace


def _values(text: str) -> dict[str, int]:
    return {f.name: f.value for f in facts(text, PrintedField)}


def test_esr_widths() -> None:
    old = fact("  ESR = 0x96000046", Syndrome)
    assert (old.esr, old.n_digits, old.place) == (0x96000046, 8, SyndromePlace.MEM_ABORT)
    assert fact("  ESR = 0x0000000096000046", Syndrome).n_digits == 16


def test_esr_of_a_width_that_the_kernel_never_prints_is_no_esr() -> None:
    assert recognised("  ESR = 0x9600004646").part is Part.ABORT
    assert facts("  ESR = 0x9600004646", Syndrome) == []


def test_class_by_number_and_by_name() -> None:
    assert _values("EC = 0x25: DABT (current EL), IL = 32 bits") == {"EC": 0x25, "IL": 1}
    assert _values("Exception class = IABT (current EL), IL = 32 bits") == {"EC": 0x21, "IL": 1}
    assert _values("Exception class = DABT (lower EL), IL = 16 bits") == {"EC": 0x24, "IL": 0}


def test_unknown_class_name_gives_no_number() -> None:
    assert _values("Exception class = UNRECOGNIZED EC, IL = 32 bits") == {"IL": 1}


def test_fields() -> None:
    assert _values("SET = 0, FnV = 1") == {"SET": 0, "FnV": 1}
    assert _values("ISV = 0, ISS = 0x00000046, ISS2 = 0x00000001") == {
        "ISV": 0, "ISS": 0x46, "ISS2": 1,
    }  # fmt: skip
    assert _values("CM = 0, WnR = 1, TnD = 0, TagAccess = 0") == {
        "CM": 0, "WnR": 1, "TnD": 0, "TagAccess": 0,
    }  # fmt: skip


def test_isv_fields() -> None:
    assert _values("Access size = 8 byte(s)") == {"SAS": 8}
    assert _values("SSE = 0, SRT = 30") == {"SSE": 0, "SRT": 30}


def test_fsc_keeps_its_words() -> None:
    found = fact("FSC = 0x0e: level 2 permission fault", PrintedField)
    assert (found.value, found.meaning) == (0x0E, "level 2 permission fault")


def test_heads() -> None:
    assert recognised("Mem abort info:").part is Part.ABORT_HEAD
    assert recognised("Data abort info:").part is Part.ABORT


def test_an_assignment_of_something_else_is_not_a_field() -> None:
    assert facts("root = 0x12", PrintedField) == []


def test_class_codes_are_six_bits() -> None:
    assert all(0 <= code < 64 for code in CLASS_CODES.values())
