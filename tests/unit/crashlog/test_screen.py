"""Lines that count, and no others."""

import pytest

from whypanic.crashlog.headlines import TABLE
from whypanic.crashlog.recognise import SECTIONS
from whypanic.crashlog.screen import (
    CONTEXT,
    OPENING,
    SHARPER,
    SHORTEST,
    Sense,
    hits,
    needles,
)


def senses(text: str) -> list[tuple[str, Sense]]:
    data = text.encode()
    return [(data[h.start : h.end].decode().rstrip(), h.sense) for h in hits(data, 0, len(data))]


@pytest.mark.parametrize(
    "line",
    [
        "[    1.000000] Unable to handle kernel paging request at virtual address ffff800012345678",
        "> > [    1.000000] Internal error: Oops: 96000004 [#1] SMP",
        "[ INFO: possible circular locking dependency detected ]",
        "Jan  2 03:04:05 board kernel: BUG: spinlock lockup suspected on CPU#1, foo/7",
        "[    1.000000][T12] INFO: task foo:12 blocked for more than 120 seconds.",
        "rcu: INFO: rcu_sched self-detected stall on CPU",
        "PS:80000085 PC:0000000080080000 ESR:f2000800",
        "pc : [<ffff000008123456>] lr : [<ffff000008123450>] pstate: 60000085",
        "foo[12]: unhandled level 0 translation fault (11) at 0x00000000",
        "E/TC:0 0 Core data-abort at address 0x0 (translation fault)",
        "Kernel panic - not",
        "[    1.000000] BUG kmalloc-64 (Not tainted): Redzone overwritten",
    ],
)
def test_lines_that_may_begin_a_report(line: str) -> None:
    assert senses(f"quiet\n{line}\nquiet\n") == [(line, Sense.OPENING)]


@pytest.mark.parametrize(
    "line",
    [
        "[    0.000000] Linux version 6.6.9 (a@b) (gcc 13.2.0) #1 SMP",
        "[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x410fd034]",
        "[    0.000000] CPU features: detected: GIC system register CPU interface",
        "[    0.100000] kvm [1]: Hyp mode initialized successfully",
        "[    0.000000] Machine model: Example Board",
    ],
)
def test_lines_of_a_boot(line: str) -> None:
    assert senses(f"{line}\n") == [(line, Sense.CONTEXT)]


@pytest.mark.parametrize(
    "line",
    [
        "[    1.000000] usb 1-1: new device detected ",
        "Installing package-7",
        "INFO: worker is ready",
        "WARNING: option is deprecated",
        "[    1.000000] [INFO] stalled",
        "",
    ],
)
def test_words_alone_are_no_crash(line: str) -> None:
    assert senses(f"{line}\n") == []


def test_no_word_is_so_short_that_ordinary_text_is_full_of_it() -> None:
    rules = [r.needle for r in TABLE] + [r.needle for r in SECTIONS if r.part in OPENING | CONTEXT]
    assert [n for n in rules if len(n) < SHORTEST and n not in SHARPER] == []


def test_every_sharper_word_is_searched_for() -> None:
    used = {rule.needle for rule in (*TABLE, *SECTIONS)}
    assert set(SHARPER) <= used
    assert {word for words in SHARPER.values() for word in words} <= set(needles())


def test_two_words_on_one_line_count_once() -> None:
    line = "WARNING: detected detected WARNING: CPU: 1 Call trace: Call trace:"
    assert senses(f"{line}\n{line}") == [(line, Sense.OPENING)] * 2
