"""Lines of reports about a CPU or task that makes no progress.

Sources, read in Debian's linux-source-6.12 (6.12.117): kernel/rcu/tree_stall.h and tree_exp.h
(print_cpu_stall_info(), print_cpu_stat_info(), rcu_check_gp_kthread_starvation()), kernel/watchdog.c
(print_cpustat(), print_irq_counts()), kernel/workqueue.c (show_pwq(), show_one_worker_pool()), kernel/sched/core.c
(sched_show_task()). Older shapes are from memory of 3.x and 4.x.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, optional_int
from whypanic.model.fault import Detail
from whypanic.model.progress import (
    BusyInterrupt,
    CpuDump,
    CpuLoad,
    InterruptTime,
    StalledCpu,
    StalledTasks,
    StallLength,
    StarvedKthread,
    TaskState,
    WorkerPool,
)
from whypanic.model.provenance import Fact, Source

MAX_ITEMS = 64
"""Works, tasks or CPUs of one line."""


def _detail(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="stall", value=match.string, source=source),)


def _other_stack(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="other-stack", value=match.string, source=source),)


def _stalled_cpu(match: re.Match[str], source: Source) -> Facts:
    before, after = match["before"], match["after"]
    behind = match["unit"].startswith("GP")
    count = int(match["count"])
    return (
        StalledCpu(
            cpu=int(match["cpu"]),
            flags=match["flags"] or "",
            ticks=None if behind else count,
            behind=count if behind else None,
            idle=match["idle"],
            softirq=(int(before), int(after)) if before else None,
            fqs=optional_int(match["fqs"]),
            source=source,
        ),
    )


def stalled_cpus(text: str, source: Source) -> tuple[StalledCpu, ...]:
    """Return the CPUs of a list such as `{ 1-...D 3-.... }` or, before 4.1, `{ 1 3}`."""
    found = compiled(r" (?P<cpu>\d{1,5})(?:-(?P<flags>[A-Zo.!?\d]{3,5}))?(?= |\})").finditer(
        text.partition("}")[0] + "}"
    )
    return tuple(
        StalledCpu(cpu=int(m["cpu"]), flags=m["flags"] or "", source=source)
        for _, m in zip(range(MAX_ITEMS), found, strict=False)
    )


def _length(match: re.Match[str], source: Source) -> Facts:
    return (
        StallLength(
            jiffies=int(match["jiffies"]), detected_by=optional_int(match["by"]), source=source
        ),
    )


def _tasks(match: re.Match[str], source: Source) -> Facts:
    pids = tuple(int(p) for p in compiled(r" P(\d{1,10})").findall(match["list"]))
    return (StalledTasks(pids=pids[:MAX_ITEMS], source=source),)


def _starved(match: re.Match[str], source: Source) -> Facts:
    return (
        StarvedKthread(
            name=match["name"],
            jiffies=int(match["jiffies"]),
            state=match["state"] or "",
            cpu=optional_int(match["cpu"]),
            timer="timer" in match["what"],
            source=source,
        ),
    )


def _numbers(match: re.Match[str], source: Source) -> Facts:
    return (
        CpuLoad(
            unit="number" if match["total"] is None else "ms",
            hardirq=int(match["hard"]),
            softirq=int(match["soft"]),
            system=int(match["system"]),
            total=optional_int(match["total"]),
            source=source,
        ),
    )


def _percent(match: re.Match[str], source: Source) -> Facts:
    names = ("system", "softirq", "hardirq", "idle")
    system, softirq, hardirq, idle = (int(match[name]) for name in names)
    return (
        CpuLoad(
            unit="percent",
            hardirq=hardirq,
            softirq=softirq,
            system=system,
            idle=idle,
            source=source,
        ),
    )


def _irq_time(match: re.Match[str], source: Source) -> Facts:
    return (InterruptTime(cpu=int(match["cpu"]), percent=int(match["percent"]), source=source),)


def _busy_irq(match: re.Match[str], source: Source) -> Facts:
    return (BusyInterrupt(irq=int(match["irq"]), count=int(match["count"]), source=source),)


def _cpu_dump(match: re.Match[str], source: Source) -> Facts:
    dump = CpuDump(cpu=int(match["cpu"]), source=source)
    return (dump, *_other_stack(match, source))


def _task(match: re.Match[str], source: Source) -> Facts:
    return (
        TaskState(
            comm=match["comm"].strip(),
            state=match["state"],
            pid=optional_int(match["pid"]),
            source=source,
        ),
    )


def _works(words: str) -> tuple[str, ...]:
    """Return the functions of a list such as `12:foo_fn ,34(RESCUER):bar_fn BAR(3), 2*baz_fn`."""
    names: list[str] = []
    for item in words.split(",")[:MAX_ITEMS]:
        for word in item.split():
            name = word.rpartition(":")[2].rpartition("*")[2]
            if compiled(r"[A-Za-z_][\w.$]*(?: \[\w+\])?$").match(name):
                names.append(name)
    return tuple(names)


def _running(match: re.Match[str], source: Source) -> Facts:
    return (WorkerPool(running=_works(match["list"]), source=source),)


def _pending(match: re.Match[str], source: Source) -> Facts:
    return (WorkerPool(pending=_works(match["list"]), source=source),)


def _pool(match: re.Match[str], source: Source) -> Facts:
    found: list[Fact] = [WorkerPool(hung=int(match["hung"]), source=source)]
    return tuple(found)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("idle=",           r"(?:rcu: )?\s*(?P<cpu>\d{1,5})-(?P<flags>[A-Zo.!?\d]{3,5}): \((?P<count>\d{1,19}) (?P<unit>GPs? behind|ticks this GP)\) "
                            r"idle=(?P<idle>[0-9a-f/x]{1,40})(?: softirq=(?P<before>\d{1,10})/(?P<after>\d{1,10}))?(?:.{0,40}? fqs=(?P<fqs>\d{1,10}))?", _stalled_cpu, Part.DETAIL),
    Rule(" jiffies",        r"(?:rcu: )?\s*\((?:detected by (?P<by>\d{1,5}), ?)? ?t=(?P<jiffies>\d{1,18}) jiffies[, ]", _length,  Part.DETAIL),
    Rule("Tasks blocked on", r"(?:rcu: )?\s*Tasks blocked on level-\d{1,2} rcu_node \(CPUs \d{1,5}-\d{1,5}\):(?P<list>.{0,300})", _tasks, Part.DETAIL),
    Rule(" kthread ",       r"(?:rcu: )?(?P<name>rcu\w{0,20}) kthread (?P<what>starved|timer wakeup didn't happen) for (?P<jiffies>\d{1,18}) jiffies!"
                            r"(?:.{0,60}? (?P<state>RCU_GP_\w{1,30})\(\d{1,3}\))?(?:.{0,30}? ->cpu=(?P<cpu>\d{1,5}))?",   _starved,     Part.DETAIL),
    Rule("grace-period k",  r".{0,20}grace-period kthread stack dump",                                                   _other_stack, Part.DETAIL),
    Rule("last ran",        r"(?:rcu: )?(?:Stack dump where RCU GP kthread last ran:|RCU GP kthread last ran on offline CPU)", _other_stack, Part.DETAIL),
    Rule("Task dump for",   r"Task dump for CPU (?P<cpu>\d{1,5}):",                                                      _cpu_dump,    Part.DETAIL),
    Rule("NMI backtrace",   r"NMI backtrace for cpu (?P<cpu>\d{1,5})",                                                   _cpu_dump,    Part.DETAIL),
    Rule("Sending NMI",     r"Sending NMI from CPU",                                                                     _detail,      Part.DETAIL),
    Rule("csw/system",      r"(?:rcu: )?\s*hardirqs +softirqs +csw/system",                                              _detail,      Part.DETAIL),
    Rule("number:",         r"(?:rcu: )?\s*number: +(?P<hard>\d{1,18}) +(?P<soft>\d{1,18}) +(?P<system>\d{1,18})(?P<total>(?!))?$", _numbers, Part.DETAIL),
    Rule("cputime:",        r"(?:rcu: )?\s*cputime: +(?P<hard>\d{1,18}) +(?P<soft>\d{1,18}) +(?P<system>\d{1,18}) +==> (?P<total>\d{1,18})\(ms\)", _numbers, Part.DETAIL),
    Rule("Utilization ev",  r"CPU#\d{1,5} Utilization every \d{1,5}m?s during lockup:",                                  _detail,      Part.DETAIL),
    Rule("% softirq,",      r"#\d: +(?P<system>\d{1,3})% system,\s+(?P<softirq>\d{1,3})% softirq,\s+(?P<hardirq>\d{1,3})% hardirq,\s+(?P<idle>\d{1,3})% idle", _percent, Part.DETAIL),
    Rule("HardIRQ Time",    r"CPU#(?P<cpu>\d{1,5}) Detect HardIRQ Time exceeds (?P<percent>\d{1,3})%",                   _irq_time,    Part.DETAIL),
    Rule("irq#",            r"#\d{1,2}: (?P<count>\d{1,10})\s+irq#(?P<irq>\d{1,6})$",                                    _busy_irq,    Part.DETAIL),
    Rule("_timeout_secs",   r".*hung_task_timeout_secs",                                                                 _detail,      Part.DETAIL),
    Rule("hung task rep",   r"(?:INFO: )?(?:lockdep is turned off|Future hung task reports are suppressed)",              _detail,      Part.DETAIL),
    Rule(" state:",         r"task:(?P<comm>.{1,40}?) +state:(?P<state>[A-Z])(?: .{0,80}?\bpid: {0,6}(?P<pid>\d{1,10}))?", _task,     Part.DETAIL),
    Rule(" 0x",             r"(?P<comm>\S.{0,20}?) +(?P<state>[RSDTtXZPI]) +(?:running task +)?[0-9a-fx]{1,18} +(?P<pid>\d{1,10}) +\d{1,10} +0x[0-9a-f]{8}$", _task, Part.DETAIL),
    Rule("in-flight:",      r"in-flight:(?P<list>.{1,300})",                                                             _running,     Part.DETAIL),
    Rule("pending:",        r"pending:(?P<list>.{1,300})",                                                               _pending,     Part.DETAIL),
    Rule(" hung=",          r"pool \d{1,6}:.{0,120} hung=(?P<hung>\d{1,10})s workers=",                                  _pool,        Part.DETAIL),
    Rule("ueue",            r"Showing (?:busy|freezable) workqueues|workqueue \S{1,60}: flags=",                         _detail,      Part.DETAIL),
    Rule("pwq ",            r"pwq \d{1,6}:",                                                                             _detail,      Part.DETAIL),
    Rule("inactive: ",      r"(?:inactive|delayed): ",                                                                   _detail,      Part.DETAIL),
    Rule("stalled CPU-bou", r"Showing backtraces of running workers in stalled CPU-bound worker pools",                  _detail,      Part.DETAIL),
    Rule("pool ",           r"pool \d{1,6}:$",                                                                           _detail,      Part.DETAIL),
    Rule("rcu",             r"(?:rcu: )?\s*(?:Possible timer handling issue on|Unless rcu\w{0,20} kthread gets|blocking rcu_node structures|All QSes seen, last|Offline CPU \d|INFO: Stall ended before)",
                                                                                                                         _detail,      Part.DETAIL),
    Rule("idle=",           r".*\bidle=[0-9a-f]+",                                                                       _detail,      Part.DETAIL),
    Rule("fqs=",            r".*\bfqs=\d+",                                                                              _detail,      Part.DETAIL),
    Rule("jiffies",         r".*\bt=\d+ jiffies",                                                                        _detail,      Part.DETAIL),
    Rule("rcu: ",           r"rcu: \t?(?:\d+-|Possible|Unless|RCU|blocking)",                                            _detail,      Part.DETAIL),
    Rule(" 0x",             r"\S{1,20} +[RSDTtXZPI] (?:running task )? *.{0,40}\b0x[0-9a-f]{8}$",                        _detail,      Part.DETAIL),
)
# fmt: on
