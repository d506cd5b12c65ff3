"""Whether the address of a frame is the instruction, or what follows a call."""

import pytest

from whypanic.model.provenance import Source
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame, TraceRole
from whypanic.symbolize.lookups import (
    CALL_SITE,
    EXACT,
    INTERRUPTED,
    NEXT_FUNCTION,
    PAST_THE_END,
    SET_BY_HAND,
    is_vector,
    lookups,
)


def frame(
    symbol: str,
    offset: int = 0x10,
    *,
    suffix: str = "",
    trace: int = 0,
    role: TraceRole = TraceRole.FAULT,
) -> Frame:
    ref = SymbolRef(symbol=symbol, offset=offset, size=0x40)
    return Frame(ref=ref, suffix=suffix, trace=trace, role=role, source=Source())


def ways(
    *frames: Frame, release: str | None = None, hyp: bool = False
) -> list[tuple[str, str | None]]:
    return [tuple(w) for w in lookups(frames, release=release, hyp_panic=hyp)]  # type: ignore[misc]


def test_the_first_frame_is_pc_and_the_others_are_calls() -> None:
    assert ways(frame("a"), frame("b"), frame("c", trace=1)) == [
        (EXACT, None),
        (CALL_SITE, None),
        (EXACT, None),
    ]


@pytest.mark.parametrize(("offset", "how"), [(0, EXACT), (0xDC, CALL_SITE)])
def test_traces_of_dump_stack(offset: int, how: str) -> None:
    assert ways(frame("dump_backtrace", offset, role=TraceRole.PANIC))[0] == (how, None)


def test_letters() -> None:
    assert ways(frame("show_stack", suffix="C"), frame("a", 0, suffix="P")) == [
        (CALL_SITE, None),
        (EXACT, INTERRUPTED),
    ]


def test_behind_a_vector() -> None:
    assert ways(frame("do_mem_abort"), frame("el1h_64_sync"), frame("a", 0))[-1] == (
        EXACT,
        INTERRUPTED,
    )
    assert not is_vector("el1h_64_sync_handler")


def test_calls_that_do_not_return() -> None:
    assert ways(frame("a"), frame("b", 0), frame("c", 0x40)) == [
        (EXACT, None),
        (CALL_SITE, NEXT_FUNCTION),
        (CALL_SITE, PAST_THE_END),
    ]


@pytest.mark.parametrize(
    ("release", "hyp", "note"),
    [
        ("4.14.5", True, SET_BY_HAND),
        (None, True, SET_BY_HAND),
        ("5.15.1", True, NEXT_FUNCTION),
        ("4.14.5", False, NEXT_FUNCTION),
    ],
)
def test_a_link_register_set_by_hand(release: str | None, hyp: bool, note: str) -> None:
    found = ways(frame("panic"), frame("panic", 0), release=release, hyp=hyp)[1]
    assert found == (EXACT if note is SET_BY_HAND else CALL_SITE, note)


def test_another_tasks_stack() -> None:
    assert ways(frame("__switch_to", role=TraceRole.OTHER)) == [(CALL_SITE, None)]
