"""What panic() says."""

import pytest

from whypanic.causes.case import CaseView
from whypanic.causes.endings import Ending, ending_of, errno_words, exit_code_words, panic_words
from whypanic.model.fault import Detail, PanicMessage
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source


@pytest.mark.parametrize(
    ("message", "ending"),
    [
        ("Attempted to kill init! exitcode=0x0000000b", Ending.INIT_DIED),
        ("VFS: Unable to mount root fs on unknown-block(0,0)", Ending.NO_ROOT),
        ("No working init found.  Try passing init= option to kernel.", Ending.NO_INIT),
        ("No init found.  Try passing init= option to kernel.", Ending.NO_INIT),
        ("Requested init /bin/x failed (error -2).", Ending.NO_INIT),
        ("Out of memory and no killable processes...", Ending.NO_MEMORY),
        ("System is deadlocked on memory", Ending.NO_MEMORY),
        ("Oops - BUG: Fatal exception in interrupt", Ending.OTHERS),
        ("KASAN: panic_on_warn set ...", Ending.OTHERS),
        ("Attempted to kill the idle task!", Ending.OTHERS),
        ("gadget: firmware did not answer", Ending.OWN),
        ("sysrq triggered crash", Ending.OWN),
        ("", Ending.OTHERS),
        ("Fatal exc", Ending.OTHERS),
    ],
)
def test_ending(message: str, ending: Ending) -> None:
    assert ending_of(message) is ending


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x0B, "killed by signal 11 (SIGSEGV)"),
        (0x8B, "killed by signal 11 (SIGSEGV)"),
        (0x04, "killed by signal 4 (SIGILL)"),
        (0x100, "it ended by itself: exit(1)"),
        (0x7F00, "it ended by itself: exit(127)"),
        (0, "it ended by itself: exit(0)"),
    ],
)
def test_exit_code(code: int, words: str) -> None:
    assert exit_code_words(code) == words


def test_errno() -> None:
    assert errno_words(-6) == "-ENXIO"
    assert errno_words(-9999) == "-9999"


def test_end_marker_stands_in_for_the_first_line() -> None:
    source = Source(line=3)
    end = Detail(name="end-panic", value="gadget: lost", source=source)
    assert panic_words(CaseView(Kind.PANIC, [end])) == ("gadget: lost", end)
    panic = PanicMessage(message="gadget: gone", source=source)
    assert panic_words(CaseView(Kind.PANIC, [end, panic])) == ("gadget: gone", panic)
    assert panic_words(CaseView(Kind.PANIC, [])) is None
