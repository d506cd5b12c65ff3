"""Lines of lockdep and of the checks of context.

Sources, read in Debian's linux-source-6.12 (6.12.117): kernel/locking/lockdep.c (print_lock(),
lockdep_print_held_locks(), print_circular_bug_header(), print_usage_bug(), print_bad_irq_dependency()) and
kernel/sched/core.c (__might_resched(), print_preempt_disable_ip()).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, number, optional_int, read_ref
from whypanic.model.fault import Detail
from whypanic.model.locks import HeldLock, LockChain, LockHolder, LockState, LockStep, LockUse
from whypanic.model.progress import Context
from whypanic.model.provenance import Source

MAX_CHAIN = 16
_TASK = r"(?P<comm>\S.{0,40}?)/(?P<pid>\d{1,10})"


def _detail(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="lock", value=match.string, source=source),)


def _other_stack(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="other-stack", value=match.string, source=source),)


def _use(step: LockStep, match: re.Match[str], source: Source) -> Facts:
    groups = match.groupdict()
    return (
        LockUse(
            step=step, comm=groups.get("comm"), pid=optional_int(groups.get("pid")), source=source
        ),
    )


def _takes(match: re.Match[str], source: Source) -> Facts:
    return _use(LockStep.TAKES, match, source)


def _holds(match: re.Match[str], source: Source) -> Facts:
    return _use(LockStep.HOLDS, match, source)


def _other(match: re.Match[str], source: Source) -> Facts:
    return _use(LockStep.OTHER, match, source)


def _holder(match: re.Match[str], source: Source) -> Facts:
    count = match["count"]
    return (
        LockHolder(
            comm=match["comm"],
            pid=optional_int(match["pid"]),
            count=0 if count == "no" else int(count),
            source=source,
        ),
    )


def _lock(match: re.Match[str], source: Source) -> Facts:
    place = match["place"]
    return (
        HeldLock(
            name=match["name"],
            usage=match["usage"] or "",
            ref=read_ref(place.strip()) if place else None,
            index=optional_int(match["index"]),
            source=source,
        ),
    )


def _state(match: re.Match[str], source: Source) -> Facts:
    return (LockState(before=match["before"], now=match["now"], source=source),)


def _chain(match: re.Match[str], source: Source) -> Facts:
    names = tuple(name.strip() for name in match.string.split("-->")[:MAX_CHAIN])
    return (LockChain(names=names, source=source),)


def _might_sleep(match: re.Match[str], source: Source) -> Facts:
    return (
        Context(
            in_atomic=match["atomic"] != "0", irqs_disabled=match["irqs"] != "0", source=source
        ),
    )


def _preempt(match: re.Match[str], source: Source) -> Facts:
    expected = match["expected"]
    return (
        Context(
            preempt_count=number(match["count"]),
            expected=number(expected) if expected else None,
            source=source,
        ),
    )


def _rcu_depth(match: re.Match[str], source: Source) -> Facts:
    return (Context(rcu_depth=int(match["depth"]), source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("){",              r"(?:#(?P<index>\d{1,3}): )?(?:[0-9a-f]{16}|\(_*ptrval_*\))? ?\((?P<name>.{1,160})\)\{(?P<usage>[.+?-]{2,10})\}(?:-\{[\d:]{1,7}\})?(?:, at: (?:\[<[0-9a-f]{8,16}>\] )?(?P<place>\S.{0,160}))?$",
                                                                                             _lock,        Part.DETAIL),
    Rule(" at: ",           r"#(?P<index>\d{1,3}): (?:[0-9a-f]{16} )?\(?(?P<name>.{1,160}?)\)?(?:\{(?P<usage>.{2,10})\}.{0,10})?, at: (?P<place>\S.{0,160})$",
                                                                                             _lock,        Part.DETAIL),
    Rule("#",               r"#\d{1,3}: .*, at: ",                                           _detail,      Part.DETAIL),
    Rule("ock",             r"(?P<count>\d{1,4}|no) locks? held by (?P<comm>\S.{0,40}?)(?:/(?P<pid>\d{1,10}))?[:.]$", _holder, Part.DETAIL),
    Rule("all locks held",  r"Showing all locks held",                                       _detail,      Part.DETAIL),
    Rule("rying to acq",    _TASK + r"(?: \[.{1,60}\])? is trying to (?:acquire|release)(?: lock)?:?", _takes, Part.DETAIL),
    Rule("rying to",        r".{1,60} is trying to (?:acquire|release|contend) ",            _takes,       Part.DETAIL),
    Rule(" takes:",         _TASK + r"(?: \[.{1,60}\])? takes:",                             _takes,       Part.DETAIL),
    Rule(" takes:",         r".{1,60} \[.{1,60}\] takes:",                                   _takes,       Part.DETAIL),
    Rule("just changed",    _TASK + r" just changed the state of lock:",                     _takes,       Part.DETAIL),
    Rule("is trying to lo", _TASK + r" is trying to lock:",                                  _takes,       Part.DETAIL),
    Rule("lready holding",  r"(?:but|and) (?:this )?task is already holding(?: lock)?:",     _holds,       Part.DETAIL),
    Rule("which would cre", r"which would create a new lock dependency:",                    _other,       Part.DETAIL),
    Rule("irq-",            r"(?:but this new dependency connects a|to a) .{3,10}-irq-(?:un)?safe lock:", _other, Part.DETAIL),
    Rule("lock in the pas", r"but this lock (?:took another|was taken by another),? .{3,20} lock in the past:", _other, Part.DETAIL),
    Rule("irq-",            r"\.\.\. which became .{3,10}-irq-(?:un)?safe at:",              _other_stack, Part.DETAIL),
    Rule("the dependencies", r"the dependencies between ",                                   _detail,      Part.DETAIL),
    Rule("-irq-unsafe loc", r"(?:and|to) .{3,10}-irq-unsafe lock:",                          _detail,      Part.DETAIL),
    Rule("... acquired at", r"\.\.\. acquired at:",                                          _other_stack, Part.DETAIL),
    Rule("... key ",        r"\.\.\. key +at: ",                                             _detail,      Part.DETAIL),
    Rule(" {",              r"-> ?\(.{1,200}\)\{.{2,10}\}(?:-\{[\d:]{1,7}\})?.{0,30}\{$",    _detail,      Part.DETAIL),
    Rule(" at:",            r"(?:IN-|INITIAL |HARDIRQ-|SOFTIRQ-|RECLAIM_FS-|.{2,20}-ON-).{0,20} at:$", _other_stack, Part.DETAIL),
    Rule("inconsistent {",  r"inconsistent \{(?P<before>.{1,40})\} -> \{(?P<now>.{1,40})\} usage", _state, Part.DETAIL),
    Rule("CPU0",            r"CPU0(?:\s+CPU1)?$",                                            _detail,      Part.DETAIL),
    Rule("----",            r"----(?:\s+----)?$",                                            _detail,      Part.DETAIL),
    Rule("<Interrupt>",     r"<Interrupt>$",                                                 _detail,      Part.DETAIL),
    Rule("Disabling lock",  r"Disabling lock debugging due to kernel taint",                 _detail,      Part.DETAIL),
    Rule("(",               r"[0-9a-f]{16} \(.{1,200}\)\{.{4}\}",                            _detail,      Part.DETAIL),
    Rule("-> #",            r"-> #\d{1,3} \(",                                               _other_stack, Part.DETAIL),
    Rule("irq event",       r"irq event stamp: \d+",                                         _detail,      Part.DETAIL),
    Rule("irqs last",       r"(?:hard|soft)irqs last (?: ?enabled|disabled) at",             _detail,      Part.DETAIL),
    Rule("was registered",  r".*state was registered at:",                                   _other_stack, Part.DETAIL),
    Rule("might help us",   r"other info that might help us debug this",                     _detail,      Part.DETAIL),
    Rule("locking scenar",  r"Possible (?:unsafe|interrupt unsafe) locking scenario",        _detail,      Part.DETAIL),
    Rule("*** DEADLOCK",    r"\*\*\* DEADLOCK \*\*\*",                                       _detail,      Part.DETAIL),
    Rule("lock nesting no", r"May be due to missing lock nesting notation",                  _detail,      Part.DETAIL),
    Rule("ock(",            r"(?:r|w)?lock\(.{1,120}\);$",                                   _detail,      Part.DETAIL),
    Rule("sync(",           r"sync\(.{1,120}\);$",                                           _detail,      Part.DETAIL),
    Rule("local_irq_disab", r"local_irq_disable\(\);$",                                      _detail,      Part.DETAIL),
    Rule("Chain exists of", r"Chain exists of:",                                             _detail,      Part.DETAIL),
    Rule(" --> ",           r"\S.{0,200} --> \S.{0,200}$",                                   _chain,       Part.DETAIL),
    Rule("already depend",  r"which lock already depends on the new lock",                   _detail,      Part.DETAIL),
    Rule("dependency cha",  r"the existing dependency chain",                                _detail,      Part.DETAIL),
    Rule("rcu_scheduler_a", r"rcu_scheduler_active = \d",                                    _detail,      Part.DETAIL),
    Rule("in_atomic()",     r"in_atomic\(\): (?P<atomic>\d{1,10}),? irqs_disabled\(\): (?P<irqs>\d{1,10})", _might_sleep, Part.DETAIL),
    Rule("in_atomic()",     r"in_atomic\(\): ",                                              _detail,      Part.DETAIL),
    Rule("preempt_count: ", r"preempt_count: (?P<count>[0-9a-f]{1,8})(?:, expected: (?P<expected>[0-9a-f]{1,8}))?$", _preempt, Part.DETAIL),
    Rule("RCU nest depth:", r"RCU nest depth: (?P<depth>\d{1,10})",                          _rcu_depth,   Part.DETAIL),
    Rule("Preemption dis",  r"Preemption disabled at:",                                      _detail,      Part.DETAIL),
)
# fmt: on
