"""Two reports printed at once, without a caller in the prefix."""

from whypanic.crashlog.read import read_log
from whypanic.crashlog.rivals import IN_DOUBT, TOLD_APART
from whypanic.model.context import Task
from whypanic.model.fault import FaultAddress, Syndrome
from whypanic.model.registers import Register
from whypanic.model.report import LogReport, LogText

FIRST, SECOND = 0xFFFF00000A001000, 0xFFFF00000B002000
READ, WRITE = 0x96000005, 0x96000045


def header(va: int) -> list[str]:
    return [f"Unable to handle kernel paging request at virtual address {va:016x}"]


def abort(esr: int) -> list[str]:
    return [
        "Mem abort info:",
        f"  ESR = 0x{esr:016x}",
        "  EC = 0x25: DABT (current EL), IL = 32 bits",
        "  SET = 0, FnV = 0",
    ]


def walk(va: int) -> list[str]:
    return [f"[{va:016x}] pgd=100000013ffff003, p4d=100000013ffff003, pud=0000000000000000"]


def dump(cpu: int, function: str) -> list[str]:
    return [
        f"CPU: {cpu} PID: {10 + cpu} Comm: worker{cpu} Not tainted 6.6.1 #1",
        "pstate: 60400009 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)",
        f"pc : {function}+0x10/0x40",
        f"lr : caller{cpu}+0x10/0x40",
        f"sp : ffff8000{cpu}23b3c40",
        f"x29: ffff8000{cpu}23b3c40 x28: 0000000000000000 x27: 0000000000000000",
    ]


def died(esr: int, count: int, cpu: int, function: str) -> list[str]:
    return [
        f"Internal error: Oops: {esr:016x} [#{count}] SMP",
        *dump(cpu, function),
        "Call trace:",
        f" {function}+0x10/0x40",
        f" caller{cpu}+0x10/0x40",
        "---[ end trace 0000000000000000 ]---",
    ]


def read(*parts: list[str]) -> LogText:
    return read_log("".join(f"[    1.100000] {x}\n" for part in parts for x in part).encode())


def taken_in_turn(one: list[str], two: list[str]) -> list[str]:
    return [line for pair in zip(one, two, strict=True) for line in pair]


def cpu_of(report: LogReport) -> int | None:
    return next(f.cpu for f in report.facts if isinstance(f, Task))


def esr_of(report: LogReport) -> int:
    return next(f.esr for f in report.facts if isinstance(f, Syndrome))


def register(report: LogReport, name: str) -> Register:
    return next(f for f in report.facts if isinstance(f, Register) and f.name == name)


def both(text: LogText) -> list[tuple[int, int, int | None, int | None]]:
    """FAR, ESR, CPU and what it follows of each report."""
    return [
        (
            next(f.va for f in r.facts if isinstance(f, FaultAddress)),
            esr_of(r),
            cpu_of(r),
            r.follows,
        )
        for r in text.reports
    ]


EXPECTED = [(FIRST, READ, 0, None), (SECOND, WRITE, 1, None)]


def test_dumps_go_to_the_header_with_their_esr() -> None:
    text = read(
        header(FIRST),
        header(SECOND),
        abort(READ),
        walk(FIRST),
        abort(WRITE),
        walk(SECOND),
        died(WRITE, 1, 1, "second"),
        died(READ, 2, 0, "first"),
    )
    assert both(text) == EXPECTED
    assert {d.reason for d in text.damage} == {TOLD_APART, IN_DOUBT}


def test_lines_in_turn_and_walks_by_their_address() -> None:
    text = read(
        header(FIRST),
        header(SECOND),
        taken_in_turn(abort(READ), abort(WRITE)),
        walk(SECOND),
        walk(FIRST),
        died(READ, 1, 0, "first"),
        died(WRITE, 2, 1, "second"),
    )
    assert both(text) == EXPECTED


def warned(cpu: int, function: str) -> list[str]:
    return [
        "------------[ cut here ]------------",
        f"WARNING: CPU: {cpu} PID: {10 + cpu} at drivers/misc/gadget.c:88 {function}+0x10/0x40",
        *dump(cpu, function),
        "---[ end trace 0000000000000000 ]---",
    ]


def test_warnings_by_cpu_and_stack() -> None:
    text = read(taken_in_turn(warned(0, "first"), warned(1, "second")))
    assert [cpu_of(r) for r in text.reports] == [0, 1]
    for report in text.reports:
        assert register(report, "sp").value == register(report, "x29").value
    assert [register(r, "pc").ref.symbol for r in text.reports] == ["first", "second"]  # type: ignore[union-attr]


def test_a_fault_while_the_first_is_reported_follows_it() -> None:
    text = read(
        header(FIRST),
        abort(READ),
        header(SECOND),
        abort(WRITE),
        died(WRITE, 1, 0, "show_pte"),
    )
    assert [r.follows for r in text.reports] == [None, 0]


def test_one_after_the_other_is_no_mix() -> None:
    text = read(
        header(FIRST), died(READ, 1, 0, "first"), header(SECOND), died(READ, 2, 1, "second")
    )
    assert [cpu_of(r) for r in text.reports] == [0, 1]
    assert text.damage == ()


def test_three_at_once_lose_nothing() -> None:
    text = read(*(header(FIRST + n) for n in range(3)), died(READ, 1, 0, "first"))
    assert len(text.reports) == 3
    assert (
        sum(
            cpu is not None
            for cpu in (
                next((f.cpu for f in r.facts if isinstance(f, Task)), None) for r in text.reports
            )
        )
        == 1
    )
