"""What the words of panic() say, and which of them end another report.

Sources: Linux kernel/exit.c, kernel/panic.c, init/main.c, init/do_mounts.c, mm/oom_kill.c, drivers/tty/sysrq.c
(6.12.117, read); older wordings from memory.
"""

from enum import StrEnum

from whypanic.arch.errno import ERRNO_NAMES
from whypanic.causes.case import CaseView
from whypanic.model.fault import Detail, PanicMessage
from whypanic.model.provenance import Fact

END_PANIC = "end-panic"


class Ending(StrEnum):
    """Which story a panic's words tell."""

    INIT_DIED = "init-died"
    NO_ROOT = "no-root-filesystem"
    NO_INIT = "no-init"
    NO_MEMORY = "out-of-memory"
    OTHERS = "ends another report"
    OWN = "deliberate"


# fmt: off
_ROWS: tuple[tuple[str, Ending], ...] = (
    ("Attempted to kill init",            Ending.INIT_DIED),
    ("Unable to mount root fs",           Ending.NO_ROOT),
    ("VFS: Unable to mount root",         Ending.NO_ROOT),
    ("No working init found",             Ending.NO_INIT),
    ("No init found",                     Ending.NO_INIT),
    ("Requested init ",                   Ending.NO_INIT),
    ("Out of memory",                     Ending.NO_MEMORY),
    ("out of memory",                     Ending.NO_MEMORY),
    ("deadlocked on memory",              Ending.NO_MEMORY),
    ("Attempted to kill the idle task",   Ending.OTHERS),
    ("Aiee, killing interrupt handler",   Ending.OTHERS),
    ("Fatal exception",                   Ending.OTHERS),
    ("Oopsed too often",                  Ending.OTHERS),
    ("Oops failed to kill",               Ending.OTHERS),
    ("Oops",                              Ending.OTHERS),
    ("panic_on_",                         Ending.OTHERS),
    ("system warned too often",           Ending.OTHERS),
    ("corrupted stack end",               Ending.OTHERS),
    ("corrupted shadow stack",            Ending.OTHERS),
    ("stack-protector",                   Ending.OTHERS),
    ("Fatal hardware error",              Ending.OTHERS),
    ("hung tasks",                        Ending.OTHERS),
    ("hung_task",                         Ending.OTHERS),
    ("LOCKUP",                            Ending.OTHERS),
    ("RCU Stall",                         Ending.OTHERS),
    ("SError",                            Ending.OTHERS),
    ("Unhandled exception",               Ending.OTHERS),
    ("bad mode",                          Ending.OTHERS),
    ("kernel stack overflow",             Ending.OTHERS),
    ("HYP panic",                         Ending.OTHERS),
)
"""Parts of the message; the first that it has decides, and one with none of them is somebody's own panic()."""
_SIGNALS = {1: "SIGHUP", 2: "SIGINT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 15: "SIGTERM", 31: "SIGSYS"}  # noqa: E501
"""Linux's numbers on arm64: include/uapi/asm-generic/signal.h."""
# fmt: on


def panic_words(case: CaseView) -> tuple[str, Fact] | None:
    """Return what panic() said and the line, from the end marker where the first line is cut off."""
    panic = case.get(PanicMessage)
    if panic is not None:
        return panic.message, panic
    end = next((d for d in case.all(Detail) if d.name == END_PANIC and d.value), None)
    return None if end is None else (end.value, end)


def ending_of(message: str) -> Ending:
    """Return which story the words tell; of words that are cut off in the middle of known ones, no own one."""
    if any(words.startswith(message) for words, _ in _ROWS):
        return Ending.OTHERS
    return next((ending for words, ending in _ROWS if words in message), Ending.OWN)


def exit_code_words(code: int) -> str:
    """Return a wait status as do_exit() has it: a signal in bits 6:0 (bit 7: core dumped), else exit() in 15:8."""
    signal = code & 0x7F
    if signal:
        return f"killed by signal {signal}" + (
            f" ({_SIGNALS[signal]})" if signal in _SIGNALS else ""
        )
    return f"it ended by itself: exit({code >> 8 & 0xFF})"


def errno_words(error: int) -> str:
    """Return a negative errno with its name."""
    name = ERRNO_NAMES.get(-error)
    return f"{error}" if name is None else f"-{name}"
