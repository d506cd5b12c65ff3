from pathlib import Path

import pytest

import whypanic.lab.interrupt_log as log
from whypanic.lab.interrupt_log import (
    InterruptLog,
    interrupted_at,
    is_monotonous,
    is_unusual,
    read_exceptions,
)
from whypanic.model.lab import ExceptionRecord

ABORT = """\
Taking exception 4 [Data Abort] on CPU 1
...from EL2 to EL2
...with ESR 0x25/0x96000005
...with FAR 0xffff000012345678
...with ELR 0x40412340
...to EL2 PC 0x40469400 PSTATE 0x3c9
"""
IRQ = """\
Taking exception 5 [IRQ] on CPU 0
...from EL1 to EL1
...with ELR 0xffff800008123450
...to EL1 PC 0xffff800008010a80 PSTATE 0x3c5
Exception return from AArch64 EL1 to AArch64 EL1 PC 0xffff800008123450
"""
PSCI = """\
Taking exception 13 [Secure Monitor Call] on CPU 0
...from EL1 to EL3
...with ESR 0x17/0x5e000000
...handled as PSCI call
gicv3_dist_read: invalid guest read at offset 000000000000000c size 4
"""
LOOP = """\
Taking exception 1 [Undefined Instruction] on CPU 0
...from EL1 to EL1
...with ESR 0x0/0x2000000
...with ELR 0x200
...to EL1 PC 0x200 PSTATE 0x3c5
"""
RECORD = ExceptionRecord(
    kind="Data Abort",
    from_el=2,
    to_el=2,
    esr=0x96000005,
    far=0xFFFF000012345678,
    elr=0x40412340,
    cpu=1,
)


def test_records() -> None:
    found = list(read_exceptions(PSCI + ABORT + IRQ))
    assert [r.kind for r in found] == ["Secure Monitor Call", "Data Abort", "IRQ"]
    assert found[1] == RECORD
    assert found[2].esr is None


def test_a_record_that_is_cut() -> None:
    assert list(read_exceptions(ABORT[50:] + IRQ[:20])) == []
    assert list(read_exceptions("")) == []
    assert list(read_exceptions("Taking exception 4 [Data Abort] on CPU 1\n")) == []


def test_faults_of_the_kernel_itself_are_unusual() -> None:
    kinds = [r.kind for r in read_exceptions(PSCI + ABORT + IRQ + LOOP) if is_unusual(r)]
    assert kinds == ["Data Abort", "Undefined Instruction"]


def test_where_a_cpu_in_a_vector_came_from() -> None:
    assert interrupted_at(ABORT + IRQ, 0, 0xFFFF800008010A80) == (1, 0xFFFF800008123450)
    assert interrupted_at(ABORT + IRQ, 0, 0xFFFF800008010A84) is None
    assert interrupted_at(ABORT + IRQ, 1, 0x40469400) == (2, 0x40412340)
    assert interrupted_at(IRQ + PSCI, 0, 0xFFFF800008010A80) is None
    assert interrupted_at("", 0, 0) is None


def test_the_same_exception_over_and_over_is_monotonous() -> None:
    assert is_monotonous(tuple(read_exceptions(LOOP * 300)))
    assert not is_monotonous(tuple(read_exceptions(LOOP * 20)))
    assert not is_monotonous(tuple(read_exceptions((LOOP + ABORT + PSCI) * 300)))


def test_interrupts_of_an_idle_kernel_are_no_storm() -> None:
    assert not is_monotonous(tuple(read_exceptions(IRQ * 300)))


def test_a_storm_is_fast_and_silent(tmp_path: Path) -> None:
    path = tmp_path / "d"
    watched = InterruptLog(path)
    assert not watched.is_storm(1.0)
    path.write_text(LOOP * 10_000, encoding="ascii")
    assert not watched.is_storm(0.0)
    with path.open("a", encoding="ascii") as file:
        file.write(LOOP * 10_000)
    assert watched.is_storm(1.0)


def test_a_log_that_is_too_long_is_a_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 100)
    path = tmp_path / "d"
    path.write_text(IRQ, encoding="ascii")
    assert InterruptLog(path).is_storm(0.0)


def test_of_many_exceptions_the_first_and_last_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.write_text(ABORT + (IRQ + LOOP) * 1000 + ABORT, encoding="ascii")
    found = InterruptLog(path).exceptions()
    assert found.n_records == 2002
    assert len(found.unusual) == 40
    assert found.unusual[0] == found.unusual[-1] == RECORD


def test_no_log_yet(tmp_path: Path) -> None:
    missing = InterruptLog(tmp_path / "d")
    assert missing.size() == 0
    assert missing.exceptions() == (0, ())


@pytest.mark.parametrize("n_before", range((1 << 20) - 18, (1 << 20) + 2))
def test_a_record_that_two_pieces_share_counts_once(tmp_path: Path, n_before: int) -> None:
    path = tmp_path / "exceptions.log"
    path.write_bytes(b"\n" * n_before + ABORT.encode() + IRQ.encode())
    assert InterruptLog(path).count() == 2
