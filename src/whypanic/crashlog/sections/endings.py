"""Everything from `Kernel panic` to the end of the machine.

Sources: kernel/panic.c `panic()`, `print_oops_end_marker()`; arch/arm64/kernel/setup.c `dump_kernel_offset()`;
arch/arm64/kernel/smp.c `smp_send_stop()` (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, number
from whypanic.model.context import CpuFeatures, KernelOffset, PhysOffset
from whypanic.model.fault import Detail, PanicMessage
from whypanic.model.provenance import Source

BITS_OF_A_GROUP = 32
END_PANIC = "end-panic"
"""Name of the detail that the end marker is."""


def _panic(match: re.Match[str], source: Source) -> Facts:
    return (PanicMessage(message=match["message"].strip(), source=source),)


def _offset(match: re.Match[str], source: Source) -> Facts:
    if match["offset"] is None:
        return (KernelOffset(enabled=False, source=source),)
    return (
        KernelOffset(
            enabled=True,
            offset=number(match["offset"]),
            base=number(match["base"]) if match["base"] else None,
            source=source,
        ),
    )


def _phys(match: re.Match[str], source: Source) -> Facts:
    return (PhysOffset(pa=number(match["pa"]), source=source),)


def features(match: re.Match[str], source: Source) -> Facts:
    """Return the bitmap of capabilities; `%*pb` prints 32-bit groups, the highest first."""
    raw = match["raw"]
    groups = raw.removeprefix("0x").split(",")
    bitmap = 0
    for group in groups:
        bitmap = bitmap << BITS_OF_A_GROUP | number(group or "0")
    return (CpuFeatures(raw=raw, bitmap=bitmap, n_groups=len(groups), source=source),)


def _memory_limit(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="memory-limit", value=match["value"].strip(), source=source),)


def _smp(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="smp", value=match["value"].strip(), source=source),)


def _end_trace(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="end-trace", value=match["id"] or "", source=source),)


def _reboot(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="reboot", value=match.string, source=source),)


def _exited(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="exited", value=match["value"], source=source),)


def _end_panic(match: re.Match[str], source: Source) -> Facts:
    """Return the words of panic() that its end marker repeats; the marker's ` ]---` is none of them."""
    words = match["rest"].rstrip(" -").removesuffix("]")
    words = words.partition("not syncing")[2] or words
    return (Detail(name=END_PANIC, value=words.strip(" :,-"), source=source),)


def _nothing(_match: re.Match[str], _source: Source) -> Facts:
    return ()


# fmt: off
PANIC: tuple[Rule, ...] = (
    Rule("ernel panic", r"-{2,3} ?\[ ?end Kernel panic\b(?P<rest>.*)",                       _end_panic,    Part.END_PANIC),
    Rule("ernel panic", r"Kernel panic ?(?:-{1,2}|\u2013|\u2014) ?not syncing[:,]? ?(?P<message>.*)", _panic, Part.PANIC),
)
RULES: tuple[Rule, ...] = (
    Rule("end trace",     r"-{2,3} ?\[ ?end trace(?: (?P<id>[0-9a-f]{16}))? ?\]?",           _end_trace,    Part.END_TRACE),
    Rule("Kernel Offset", r"Kernel Offset: (?:(?P<offset>0x[0-9a-f]{1,16})(?: from (?P<base>0x[0-9a-f]{1,16}))?|disabled)", _offset, Part.ENDING),
    Rule("PHYS_OFFSET",   r"PHYS_OFFSET: (?P<pa>0x[0-9a-f]{1,16})",                          _phys,         Part.ENDING),
    Rule("CPU features:", r"CPU features: (?P<raw>0x[0-9a-f]{1,16}(?:,[0-9a-f]{1,8}){0,16})$", features,   Part.ENDING),
    Rule("emory Limit",   r"Memory Limit: ?(?P<value>.*)",                                   _memory_limit, Part.ENDING),
    Rule("SMP: ",         r"SMP: (?P<value>(?:stopping|failed to stop) .*)",                 _smp,          Part.ENDING),
    Rule("Rebooting in",  r"Rebooting in \d+ ?seconds",                                      _reboot,       Part.ENDING),
    Rule("note: ",        r"note: (?P<value>\S.{0,60}\] exited with .*)",                    _exited,       Part.ENDING),
    Rule("cut here",      r"-*\[ ?cut here ?\]",                                             _nothing,      Part.CUT),
)
# fmt: on
