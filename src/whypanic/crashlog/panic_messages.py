"""What the message of a panic tells by itself: of which kind it is, and whether a report stands before it.

Source: the callers of panic() in Linux arch/arm64, kernel, lib and mm, from memory of the tree.
"""

from whypanic.model.fault import Headline, PanicMessage
from whypanic.model.kinds import Kind

# fmt: off
PANIC_KINDS: tuple[tuple[str, Kind], ...] = (
    ("HYP panic",                       Kind.HYP_PANIC),
    ("Kernel stack is corrupted",       Kind.STACK_PROTECTOR),
    ("kernel stack overflow",           Kind.STACK_OVERFLOW),
    ("SError Interrupt",                Kind.SERROR),
    ("synchronous external abort",      Kind.EXTERNAL_ABORT),
    ("CFI failure",                     Kind.CFI_FAILURE),
    ("Oops - CFI",                      Kind.CFI_FAILURE),
    ("UBSAN: ",                         Kind.UBSAN),
    ("KASAN: ",                         Kind.KASAN),
    ("Oops - BTI",                      Kind.BTI),
    ("Oops - FPAC",                     Kind.FPAC),
    ("Oops - BUG",                      Kind.KERNEL_BUG),
    ("aarch64 BRK",                     Kind.BRK),
    ("BRK handler",                     Kind.BRK),
    ("softlockup: ",                    Kind.SOFT_LOCKUP),
    ("Hard LOCKUP",                     Kind.HARD_LOCKUP),
    ("hard LOCKUP",                     Kind.HARD_LOCKUP),
    ("RCU Stall",                       Kind.RCU_STALL),
    ("hung_task: ",                     Kind.HUNG_TASK),
    ("bad mode",                        Kind.BAD_MODE),
    ("Unhandled exception",             Kind.BAD_MODE),
    ("Fatal hardware error",            Kind.HARDWARE_ERROR),
    ("kasan.fault=panic",               Kind.KASAN),
    ("Uncorrected hardware",            Kind.HARDWARE_ERROR),
    ("panic_on_warn set",               Kind.WARNING),
    ("scheduling while atomic",         Kind.SLEEP_IN_ATOMIC),
    (" grain:",                         Kind.HARDWARE_ERROR),
)
"""What a panic's message alone tells, where the report above it is missing."""
_DEPENDENT = (
    "Oops", "Fatal exception", "kernel stack overflow", "SError Interrupt", "bad mode", "Unhandled exception",
    "panic_on_warn set", "Attempted to kill", "Aiee", "softlockup: ", "Hard LOCKUP", "RCU Stall", "hung_task: ",
    "CFI failure", "Fatal hardware error",
)
PRELUDED = ("ut of memory", "deadlocked on memory", "Unable to mount root fs")
"""Panics of which `headlines.Entry.PRELUDE` is the beginning."""
# fmt: on


def kind_of_panic(message: str) -> Kind:
    """Return the kind of a report of which only the panic line is there."""
    return next((kind for words, kind in PANIC_KINDS if words in message), Kind.PANIC)


def is_dependent(message: str) -> bool:
    """The panic ends a report that stands before it, when one does."""
    return any(words in message for words in _DEPENDENT)


def headline_of_panic(panic: PanicMessage) -> Headline:
    """Return a headline for a report whose only headline is the panic line."""
    return Headline(
        kind=kind_of_panic(panic.message),
        message=panic.message[:200].strip(" :,"),
        source=panic.source,
    )
