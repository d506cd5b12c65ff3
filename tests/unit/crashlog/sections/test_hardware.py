"""Lines of hardware error reports."""

from builders.log_lines import fact, reports
from whypanic.model.hardware import EdacError, HardwareRecord, MemoryFailure
from whypanic.model.kinds import Kind

RECORD = """[   83.2] {4}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 3
[   83.2] {4}[Hardware Error]: event severity: recoverable
[   83.2] {4}[Hardware Error]:   section_type: memory error
"""


def test_record() -> None:
    record = fact("{1}[Hardware Error]:   section_type: ARM processor error", HardwareRecord)
    assert (record.name, record.value) == ("section_type", "ARM processor error")
    record = fact("[Hardware Error]:   physical_address: 0x0000000912345000", HardwareRecord)
    assert (record.name, record.value) == ("physical_address", "0x0000000912345000")


def test_memory_failure() -> None:
    failure = fact("Memory failure: 0x912345: recovery action for huge page: Failed", MemoryFailure)
    assert (failure.pfn, failure.words) == (0x912345, "recovery action for huge page: Failed")


def test_edac() -> None:
    text = (
        "EDAC MC0: 1 UE memory read error on DIMM_B1 (channel:1 slot:0 page:0x9 offset:0x0 grain:8)"
    )
    assert fact(text, EdacError).uncorrected
    text = (
        "EDAC MC0: 3 CE memory read error on DIMM_B1 (channel:1 slot:0 page:0x9 offset:0x0 grain:8)"
    )
    assert not fact(text, EdacError).uncorrected


def test_an_abort_follows_its_record() -> None:
    abort = "[   83.2] Internal error: synchronous external abort: 0000000096000410 [#1] SMP\n[   83.2] pc : foo+0x4/0x20\n"
    first, second = reports(RECORD + abort)
    assert (first.kind, second.kind) == (Kind.HARDWARE_ERROR, Kind.EXTERNAL_ABORT)
    assert second.follows == 0


def test_an_serror_follows_its_record() -> None:
    error = "[   83.2] SError Interrupt on CPU1, code 0x00000000be000011 -- SError\n"
    first, second = reports(RECORD + error)
    assert (first.kind, second.kind, second.follows) == (Kind.HARDWARE_ERROR, Kind.SERROR, 0)


def test_a_fatal_record_ends_in_its_panic() -> None:
    (report,) = reports(RECORD + "[   83.2] Kernel panic - not syncing: Fatal hardware error!\n")
    assert report.kind is Kind.HARDWARE_ERROR
