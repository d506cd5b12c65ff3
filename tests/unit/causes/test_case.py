"""The view of a report that causes read."""

import pytest

from whypanic.causes.case import CaseView
from whypanic.model.context import KernelVersion
from whypanic.model.fault import FaultAddress, Headline, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Derived, Finding, Source
from whypanic.model.registers import Register
from whypanic.model.trace import Frame, TraceRole

AT = Source(line=1)


def syndrome(esr: int, *, complete: bool) -> Syndrome:
    place = SyndromePlace.MEM_ABORT if complete else SyndromePlace.RECONSTRUCTED
    return Syndrome(source=AT, esr=esr, place=place, complete=complete)


def test_facts_by_type_and_by_base() -> None:
    finding = Finding(source=AT, sentence="x")
    case = CaseView(Kind.PANIC, (finding,))
    assert case.get(Derived) is finding
    assert case.all(Finding) == (finding,)
    assert case.get(Headline) is None
    with pytest.raises(KeyError):
        case.one(Headline)


def test_a_printed_syndrome_goes_before_a_reconstructed_one() -> None:
    case = CaseView(
        Kind.PANIC, (syndrome(0x96000000, complete=False), syndrome(0x96000006, complete=True))
    )
    assert case.syndrome is not None
    assert case.syndrome.esr == 0x96000006
    assert case.esr is not None
    assert case.esr.is_data_abort


def test_the_first_dump_gives_the_registers() -> None:
    first = Register(source=AT, name="x0", value=1)
    second = Register(source=AT, name="x0", value=2)
    masked = Register(source=AT, name="lr", value=None)
    case = CaseView(Kind.PANIC, (first, masked, second))
    assert case.value("x0") == 1
    assert case.value("lr") is None
    assert "lr" in case.registers


def test_frames_are_those_of_the_first_faulting_trace() -> None:
    frames = [
        Frame(source=AT, trace=0, role=TraceRole.PANIC),
        Frame(source=AT, trace=1, role=TraceRole.FAULT),
        Frame(source=AT, trace=2, role=TraceRole.FAULT),
    ]
    assert CaseView(Kind.PANIC, frames).frames == (frames[1],)
    assert CaseView(Kind.PANIC, ()).frames == ()


def test_the_kernel_of_the_crash_goes_before_a_banner() -> None:
    banner = KernelVersion(source=AT, release="5.4.1", banner=True)
    crash = KernelVersion(source=AT, release="6.1.9")
    case = CaseView(Kind.PANIC, (banner, crash))
    assert case.kernel is crash
    assert CaseView(Kind.PANIC, (banner,)).kernel is banner


def test_level() -> None:
    assert CaseView(Kind.HYP_PANIC, ()).at_el2
    assert not CaseView(Kind.PANIC, ()).at_el2


def test_far() -> None:
    far = FaultAddress(source=AT, va=0x18, place="header")
    assert CaseView(Kind.PANIC, (far,)).far is far
