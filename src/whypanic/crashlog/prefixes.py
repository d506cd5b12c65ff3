"""What consoles, loggers and vendors put before a line of the kernel.

Sources: printk's own stamp, caller and level from Linux kernel/printk/printk.c (`print_time`,
`print_caller`, `print_syslog`), `/dev/kmsg` from Documentation/ABI/testing/dev-kmsg; the vendors'
forms were read off posted logs, those of MediaTek and logcat are from memory.
"""

import functools
import re
from typing import NamedTuple

_STACKED = 8
"""Prefixes taken off one line at most."""
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?"
_DAY = r"[^\W\d]{2,4}\.?"
_ZONE = r"(?:Z|[+-]\d\d:?\d\d)?"
_STAMP = r"\[ {0,12}\d{1,9}\.\d{1,9}s?\]"
_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_LEVEL = "|".join(_LEVELS)
_FUNCTIONS = (
    "mem_abort_decode|data_abort_decode|show_pte|die_kernel_fault|__do_kernel_fault|do_mem_abort"
    "|__show_regs|show_regs_print_info|dump_backtrace|dump_instr|dump_kernel_instr|__die"
    "|arm64_serror_panic|handle_bad_stack|panic_bad_stack"
)


class Prefix(NamedTuple):
    """What was taken off the front of a line."""

    end: int
    """Where the kernel's own text begins, its indentation included."""
    usec: int | None = None
    caller: str | None = None
    cpu: int | None = None
    level: int | None = None
    stamped: bool = False
    """A time, a level or a host stood there, not only a comment mark or a function's name."""
    cut: bool = False
    """The stamp was cut off on its left."""


class _Form(NamedTuple):
    first: str
    """Characters it may begin with."""
    pattern: str
    behind_stamp: bool = False
    """Only behind a stamp; elsewhere the shape is too common."""


# fmt: off
_FORMS: tuple[_Form, ...] = (
    # begins with, shape, whether only behind a stamp
    # printk, its caller, dmesg -d, grabserial, dmesg -T, dmesg -H, terminal programs
    _Form("[", r"\[ {0,12}(?P<sec>\d{1,9})\.(?P<fraction>\d{1,9})s?(?:[, ]\d{1,3})?\] ?"),
    _Form("[", r"\[ {0,8}(?P<caller>[CT]\d{1,7})\] ?"),
    # Amlogic
    _Form("[", r"\[ {0,12}(?P<sec>\d{1,9})\.(?P<fraction>\d{6})@(?P<cpu>\d{1,3})\] ?"),
    _Form("[", r"\[ {0,12}\+\d{1,9}\.\d{1,9}\] ?"),
    # Rockchip's Android: both clocks, then CPU, task and its name
    _Form("[", rf"\[ {{0,12}}(?P<sec>\d{{1,9}})\.(?P<fraction>\d{{6}}) / \d\d-\d\d {_CLOCK}\]"
          r"\[(?P<cpu>\d{1,3})\]\[\d{1,7}\]\[[^\]\n]{1,20}\] ?"),
    _Form("[", r"\[\d{1,9}\.\d{1,9} \d{1,9}\.\d{1,9}\] ?"),
    _Form("[", rf"\[{_DAY} [^\W\d]{{3,5}}\.? {{1,2}}\d{{1,2}} {_CLOCK}(?: \d{{4}})?\] ?"),
    _Form("[", rf"\[{_MONTH} {{1,2}}\d{{1,2}} \d\d:\d\d(?::\d\d)?\] ?"),
    _Form("[", rf"\[(?:\d{{4}}[-:/]\d\d[-:/]\d\d[ T_])?{_CLOCK}{_ZONE}\] ?"),
    # Huawei; a blank of another character set inside the bracket; Samsung; MediaTek; Unisoc; RT
    _Form("[", r"\[pid:\d{1,7},cpu(?P<cpu>\d{1,4}),[^\]\n]{1,24}\] ?"),
    _Form("[", r"\[[ ?\x80-\uffff]{1,24}(?P<sec>\d{1,9})\.(?P<fraction>\d{6})\] ?"),
    _Form("[ADEFINVW",
          r"[A-Z]?\[ {0,3}(?P<cpu>\d{1,3}): {0,16}[^\]\n]{1,20}: {0,7}\d{1,7}\] ?", True),
    _Form("[", r"\[ {0,2}(?P<cpu>\d{1,2}): {1,16}[^\]\n]{1,20}: {0,7}\d{1,7}\] ?"),
    _Form("-.( ", r"[-. ]?\((?P<cpu>\d{1,3})\)\[\d{1,7}:[^\]\n]{1,20}\] ?"),
    _Form("c", r"(?<=\])c(?P<cpu>\d{1,3}) {1,2}", True),
    _Form("0123456789", r"(?P<cpu>\d{3}):(?: |$)", True),
    # ISO stamp, logcat, host's clock, /dev/kmsg, a priority column, a stamp cut off on its left
    _Form("0123456789", rf"\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}{_ZONE}(?: UTC)? {{1,4}}(?:--> )?"),
    _Form("0123456789",
          r"\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} {1,6}(?:\w+ {1,6})?\d+ {1,6}\d+ [VDIWEF] [^:\n]{1,32}: ?"),
    _Form("0123456789", rf"{_CLOCK} {{1,4}}"),
    _Form("0123456789",
          r"(?P<kmsg>\d{1,3}),\d{1,12},(?P<usec>\d{1,18}),[-c](?:,[^;\n]{0,64})?;"),
    _Form("0123456789", rf"(?P<kmsg>\d{{1,3}}) {{1,4}}(?={_STAMP})"),
    _Form("0123456789.", r"(?P<cut>\d{0,9}\.\d{6}|\d{3,6})\](?: |(?=\[)|$)"),
    _Form("CT", r"(?P<cut>[CT]\d{1,7})\] "),
    # console level, syslog, LAVA and dmesg -x, busybox syslogd, bare, older logcat
    _Form("<", r"<(?P<kmsg>\d{1,3})>"),
    _Form("ADFJMNOS",
          rf"{_MONTH} {{1,2}}\d{{1,2}} {_CLOCK} (?:\S{{1,64}} )?"
          r"(?:[a-z]{1,12}\.[a-z]{1,12} )?kernel(?:\[\d+\])?: ?"),
    _Form("kuds", rf"(?:kern|user|daemon|syslog) {{0,4}}: ?(?P<word>{_LEVEL}) {{0,3}}: ?"),
    _Form("ku", rf"(?:kern|user)\.(?P<word>{_LEVEL})(?:ing)? (?=kernel: )"),
    _Form("k", r"kernel(?:\[\d+\])?: ?"),
    _Form("VDIWEF", r"[VDIWEF]/[^(\n]{1,32}\( {0,5}\d+\): ?"),
    # a function's name by pr_fmt(); comment, diff or list mark before a stamp
    _Form("md_sha", rf"(?P<function>{_FUNCTIONS})(?::\d{{1,5}})?: ?"),
    _Form("=-", r"(?P<comment>[=-]{1,3}>) ?(?=Un(?:able to handle|handled fault)|Internal error: )"),
    _Form("*#+-/", rf"(?P<comment>\*|#|\+|-|//|/\*) {{0,8}}(?={_STAMP}|<\d>\[)"),
)
# fmt: on
_HOST = r"\S{1,64} kernel(?:\[\d+\])?: ?"
"""`host kernel: ` as `journalctl -o short-monotonic` and rsyslog with ISO stamps put it."""


def strip_prefix(text: str) -> Prefix:
    """Return what stands before the kernel's own words.

    Several stacked prefixes are taken off; the innermost printk stamp wins. `end` is 0 and
    `stamped` False where there is none.
    """
    end, stamped, cut, function = 0, False, False, False
    usec: int | None = None
    caller: str | None = None
    cpu: int | None = None
    level: int | None = None
    for _ in range(_STACKED):
        match = _match(text, end, behind_stamp=stamped)
        if match is None:
            break
        end = match.end()
        group = match.groupdict()
        function = function or "function" in group
        if "function" not in group and "comment" not in group:
            stamped = True
        if group.get("sec"):
            usec = _microseconds(group["sec"], group["fraction"])
        elif group.get("usec"):
            usec = int(group["usec"])
        caller = group.get("caller") or caller
        cpu = int(group["cpu"]) if group.get("cpu") else cpu
        if group.get("kmsg"):
            level = int(group["kmsg"]) & 7
        elif group.get("word"):
            level = _LEVELS.index(group["word"])
        cut = cut or bool(group.get("cut"))
        if function:
            break
    return Prefix(end, usec, caller, cpu, level, stamped, cut)


def second_stamp(text: str) -> int | None:
    """Return where a second prefixed line begins inside this one; None: it does not."""
    if "[" not in text:
        return None
    match = _compiled(
        r"(?:<\d>)?\[ {0,12}\d{1,6}\.\d{6}(?:@\d{1,3})?\](?:\[ {0,8}[CT]\d{1,7}\])?(?: |$)"
    ).search(text, 1)
    return match.start() if match else None


def _match(text: str, end: int, *, behind_stamp: bool) -> re.Match[str] | None:
    start, length = end, len(text)
    while start < length and text[start] in " \t":
        start += 1
    first = text[start : start + 1]
    for form in _forms(first):
        if behind_stamp or not form.behind_stamp:
            match = _compiled(form.pattern).match(text, start)
            if match is not None:
                return match
    if behind_stamp and " kernel" in text[start : start + 80]:
        return _compiled(_HOST).match(text, start)
    return None


def _microseconds(seconds: str, fraction: str) -> int:
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


@functools.cache
def _forms(first: str) -> tuple[_Form, ...]:
    return tuple(form for form in _FORMS if first and first in form.first)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
