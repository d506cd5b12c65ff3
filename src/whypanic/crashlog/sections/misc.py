"""Lines of reports that carry no value a narrower fact holds: kept as `Detail` so that nothing is lost.

Sources: kernel/locking/lockdep.c, mm/kasan/report*.c, kernel/rcu/tree_stall.h, mm/slub.c, mm/debug.c (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, number, optional_int
from whypanic.model.context import Task
from whypanic.model.fault import Detail, FaultAddress, KasanHint
from whypanic.model.provenance import Source


def _named(name: str, match: re.Match[str], source: Source) -> Facts:
    return (Detail(name=name, value=match.string, source=source),)


def _hint(match: re.Match[str], source: Source) -> Facts:
    return (
        KasanHint(
            what=match["what"],
            first=number(match["first"]),
            last=number(match["last"]),
            source=source,
        ),
    )


def access(match: re.Match[str], source: Source) -> Facts:
    """Return the access that KASAN reports, with its size, and the address."""
    digits = match["addr"]
    return (
        Detail(
            name="access", value=match.string, number=optional_int(match["size"]), source=source
        ),
        FaultAddress(va=number(digits), place="header", n_digits=len(digits), source=source),
        Task(cpu=None, pid=optional_int(match["pid"]), comm=match["comm"], source=source),
    )


def _sanitizer(match: re.Match[str], source: Source) -> Facts:
    return _named("sanitizer", match, source)


def _other_stack(match: re.Match[str], source: Source) -> Facts:
    return _named("other-stack", match, source)


def _lock(match: re.Match[str], source: Source) -> Facts:
    return _named("lock", match, source)


def _stall(match: re.Match[str], source: Source) -> Facts:
    return _named("stall", match, source)


def _task(match: re.Match[str], source: Source) -> Facts:
    return _named("task", match, source)


def _page(match: re.Match[str], source: Source) -> Facts:
    return _named("page", match, source)


def _hardware(match: re.Match[str], source: Source) -> Facts:
    return _named("hardware-error", match, source)


def _firmware(match: re.Match[str], source: Source) -> Facts:
    return _named("firmware", match, source)


def _note(match: re.Match[str], source: Source) -> Facts:
    return _named("note", match, source)


def _nothing(_match: re.Match[str], _source: Source) -> Facts:
    return ()


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("KASAN: ",        r"KASAN: (?P<what>null-ptr-deref|probably user-memory-access|maybe wild-memory-access|[a-z -]{3,40}) in range "
                           r"\[(?P<first>0x[0-9a-f]{1,16})-(?P<last>0x[0-9a-f]{1,16})\]",       _hint,        Part.HINT),
    Rule(" at addr ",      r"(?:Read|Write|Free)(?: of size (?P<size>\d{1,10}))? at addr (?P<addr>[0-9a-f]{1,16}) by task (?P<comm>.{1,40})/(?P<pid>\d{1,10})",
                                                                                                access,      Part.DETAIL),
    Rule("ointer tag",     r"Pointer tag: \[",                                                  _sanitizer,   Part.DETAIL),
    Rule("llocated by ta", r"Allocated by task \d+",                                            _other_stack, Part.DETAIL),
    Rule("Freed by task",  r"Freed by task \d+",                                                _other_stack, Part.DETAIL),
    Rule("work creation",  r"(?:Last|Second to last) potentially related work creation:",       _other_stack, Part.DETAIL),
    Rule("allocated in",   r"(?:INFO: )?[Aa]llocated (?:in|by) ",                               _other_stack, Part.DETAIL),
    Rule("NMI backtrace",  r"NMI backtrace for cpu \d+",                                        _other_stack, Part.DETAIL),
    Rule("Sending NMI",    r"Sending NMI from CPU",                                             _stall,       Part.DETAIL),
    Rule("Task dump for",  r"Task dump for CPU \d+",                                            _other_stack, Part.DETAIL),
    Rule("uggy address",   r"(?:The buggy address|Buggy address|The buggy page)\b",             _sanitizer,   Part.DETAIL),
    Rule("Memory state",   r"Memory state around the buggy address",                            _sanitizer,   Part.DETAIL),
    Rule(": ",             r">?[0-9a-f]{16}: (?:[0-9a-f.]{2}(?: |$)){8,16}",                    _sanitizer,   Part.DETAIL),
    Rule("^",              r"\^$",                                                              _nothing,     Part.DETAIL),
    Rule("which belongs",  r"which belongs to the ",                                            _sanitizer,   Part.DETAIL),
    Rule("is located ",    r"(?:The buggy address )?is located ",                               _sanitizer,   Part.DETAIL),
    Rule("-byte region",   r"(?:allocated )?\d+-byte region \[",                                _sanitizer,   Part.DETAIL),
    Rule("raw: ",          r"raw: [0-9a-f]{16}",                                                _page,        Part.DETAIL),
    Rule("page",           r"page: ?\(?[0-9a-fx_]|page:.{0,30} (?:refcount|count):",            _page,        Part.DETAIL),
    Rule("flags: 0x",      r"flags: 0x[0-9a-f]+",                                               _page,        Part.DETAIL),
    Rule("page dumped",    r"page dumped because",                                              _page,        Part.DETAIL),
    Rule("head:",          r"head: ?\S+ order:",                                                 _page,        Part.DETAIL),
    Rule("memcg:",         r"(?:pages's )?memcg:[0-9a-f]+",                                     _page,        Part.DETAIL),
    Rule("page_type",      r"page_type: ",                                                      _page,        Part.DETAIL),
    Rule("Free of addr",   r"Free of addr [0-9a-f]{1,16} by task ",                             _sanitizer,   Part.DETAIL),
    Rule("ftrace buffer",  r"(?:Dumping|Skip md) ftrace buffer|\(ftrace buffer empty\)",         _note,        Part.DETAIL),
    Rule("Stack dump where", r"(?:rcu: )?Stack dump where RCU",                                 _other_stack, Part.DETAIL),
    Rule("inconsistent {", r"inconsistent \{.{1,40}\} -> \{",                                  _lock,        Part.DETAIL),
    Rule("CPU0",           r"CPU0(?:\s+CPU1)?$",                                                _lock,        Part.DETAIL),
    Rule("----",           r"----(?:\s+----)?$",                                                _lock,        Part.DETAIL),
    Rule("<Interrupt>",    r"<Interrupt>$",                                                     _lock,        Part.DETAIL),
    Rule("Disabling lock", r"Disabling lock debugging due to kernel taint",                     _note,        Part.DETAIL),
    Rule("ock",            r"\d{1,4} locks? held by |no locks held by |Showing all locks held", _lock,        Part.DETAIL),
    Rule(" at: ",          r"#\d{1,3}: .*, at: ",                                               _lock,        Part.DETAIL),
    Rule("(",              r"[0-9a-f]{16} \(.{1,200}\)\{.{4}\}",                                _lock,        Part.DETAIL),
    Rule("-> #",           r"-> #\d{1,3} \(",                                                   _other_stack, Part.DETAIL),
    Rule("irq event",      r"irq event stamp: \d+",                                             _lock,        Part.DETAIL),
    Rule("irqs last",      r"(?:hard|soft)irqs last (?: ?enabled|disabled) at",                 _lock,        Part.DETAIL),
    Rule("was registered", r".*state was registered at:",                                       _other_stack, Part.DETAIL),
    Rule("might help us",  r"other info that might help us debug this",                         _lock,        Part.DETAIL),
    Rule("locking scenar", r"Possible (?:unsafe|interrupt unsafe) locking scenario",            _lock,        Part.DETAIL),
    Rule("*** DEADLOCK",   r"\*\*\* DEADLOCK \*\*\*",                                           _lock,        Part.DETAIL),
    Rule("ock(",           r"(?:r|w)?lock\(.{1,120}\);$",                                       _lock,        Part.DETAIL),
    Rule("is trying to",   r".{1,60} is trying to acquire lock:",                               _lock,        Part.DETAIL),
    Rule("already holdin", r"but task is already holding lock:",                                _lock,        Part.DETAIL),
    Rule("already depend", r"which lock already depends on the new lock",                       _lock,        Part.DETAIL),
    Rule("dependency cha", r"the existing dependency chain",                                    _lock,        Part.DETAIL),
    Rule("Preemption dis", r"Preemption disabled at:",                                          _lock,        Part.DETAIL),
    Rule("in_atomic()",    r"in_atomic\(\): ",                                                  _lock,        Part.DETAIL),
    Rule("preempt_count",  r"preempt_count: ",                                                  _lock,        Part.DETAIL),
    Rule("fqs=",           r".*\bfqs=\d+",                                                      _stall,       Part.DETAIL),
    Rule("jiffies",        r".*\bt=\d+ jiffies",                                                _stall,       Part.DETAIL),
    Rule("starved for",    r".*kthread (?:timer wakeup didn't happen|starved) for \d+ jiffies", _stall,       Part.DETAIL),
    Rule("idle=",          r".*\bidle=[0-9a-f]+",                                               _stall,       Part.DETAIL),
    Rule("grace-period k", r".*grace-period kthread stack dump",                                _other_stack, Part.DETAIL),
    Rule("rcu: ",          r"rcu: \t?(?:\d+-|Possible|Unless|RCU|blocking)",                    _stall,       Part.DETAIL),
    Rule("_timeout_secs",  r".*hung_task_timeout_secs",                                         _stall,       Part.DETAIL),
    Rule(" state:",        r"task:.{1,40} state:[A-Z] ",                                        _task,        Part.DETAIL),
    Rule(" 0x",            r"\S{1,20} +[RSDTtXZPI] (?:running task )? *.{0,40}\b0x[0-9a-f]{8}$", _task,       Part.DETAIL),
    Rule("ardware Error]", r"(?:\{\d+\})?\[Hardware Error\]:",                                  _hardware,    Part.DETAIL),
    Rule("0x",             r"(?:[a-z][a-z0-9]{2,11}_el[123]|x\d{1,2}|esr|elr|far|spsr)\s{0,20}=\s{0,8}0x[0-9a-f]{16}", _firmware, Part.DETAIL),
    Rule("elr: ",          r"elr: [0-9a-f]{16} +lr : [0-9a-f]{16}",                             _firmware,    Part.DETAIL),
    Rule("ftrace",         r"-+\[ ftrace bug \]-+|ftrace (?:faulted|failed|record)|\[<[0-9a-f]{16}>\] .*ftrace", _note, Part.DETAIL),
    Rule("ueue",           r"Showing busy workqueues|workqueue \S+: flags|pwq \d+: |pending: |in-flight: ", _stall, Part.DETAIL),
    Rule("CPU#",           r"CPU#\d+ Utilization every",                                        _stall,       Part.DETAIL),
)
BARS: tuple[Rule, ...] = (
    Rule("=====",          r"={10,}$",                                                          _nothing,     Part.SNIP),
    Rule("-----",          r"-{10,}$",                                                          _nothing,     Part.SNIP),
    Rule("..",             r"\[? ?\.{2,}.{0,20}$",                                              _nothing,     Part.SNIP),
    Rule(". .",            r"\. \. ?\.?",                                                       _nothing,     Part.SNIP),
    Rule("snip",           r".{0,10}<?\[?snip\b",                                               _nothing,     Part.SNIP),
    Rule("-- ",            r"-- ?(?:cut|snip)",                                                 _nothing,     Part.SNIP),
)
# fmt: on
