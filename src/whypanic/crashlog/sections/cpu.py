"""Who ran: the `CPU:` line, taint, machine, workqueue, process and module lines.

Sources: lib/dump_stack.c `dump_stack_print_info()`, kernel/panic.c `print_tainted_verbose()`, kernel/module/main.c
`print_modules()` (from memory).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled, optional_int
from whypanic.model.context import BuildId, Hardware, KernelVersion, Modules, Taint, Task, Workqueue
from whypanic.model.fault import Detail
from whypanic.model.provenance import Fact, Source

MAX_MODULES = 1000
_RELEASE = r"(?P<release>\d{1,2}\.\d{1,3}[\w.+~:@-]*)(?: (?P<id>[0-9a-f]{40}))?(?: (?P<build>#.*?)(?: +(?P<last_id>[0-9a-f]{40})(?: +PREEMPT\w{0,12})?)? *$)?"
_TAINT = r"(?:Kdump: loaded )?(?:Not tainted|Tainted: (?P<taint>[A-Z ]{1,60}?)) *(?=$|\d|\()"


def cpu(match: re.Match[str], source: Source) -> Facts:
    """Return task, taint and kernel of the line; what a mailer cut off is missing."""
    tail = match["tail"] or ""
    found: list[Fact] = [
        Task(
            cpu=int(match["cpu"]),
            pid=optional_int(match["pid"]),
            comm=match["comm"],
            uid=optional_int(match["uid"]),
            kdump="Kdump: loaded" in tail,
            source=source,
        )
    ]
    found.extend(_taint_and_release(tail, source))
    return tuple(found)


def _taint_and_release(tail: str, source: Source) -> list[Fact]:
    found: list[Fact] = []
    words = compiled(_TAINT).match(tail)
    if words is None:
        return found
    letters = tuple((words["taint"] or "").split())
    found.append(Taint(letters=tuple("".join(letters)), source=source))
    release = compiled(_RELEASE).match(tail, words.end())
    if release is not None:
        found.append(
            KernelVersion(release=release["release"], build=release["build"], source=source)
        )
        if (build_id := release["id"] or release["last_id"]) is not None:
            found.append(BuildId(hex=build_id, source=source))
    return found


def untasked(match: re.Match[str], source: Source) -> Facts:
    """Return taint and kernel of the bare `6.1.0 #1 Not tainted` of lockdep reports."""
    letters = tuple("".join((match["taint"] or "").split()))
    return (
        KernelVersion(release=match["release"], build=match["build"], source=source),
        Taint(letters=letters, source=source),
    )


def _taint_words(match: re.Match[str], source: Source) -> Facts:
    letters = tuple(compiled(r"\[([A-Z])\]=").findall(match.string))
    return (Taint(letters=letters, source=source),)


def _hardware(match: re.Match[str], source: Source) -> Facts:
    return (Hardware(name=match["name"].strip(), source=source),)


def _workqueue(match: re.Match[str], source: Source) -> Facts:
    return (Workqueue(name=match["name"], function=match["function"], source=source),)


def _process(match: re.Match[str], source: Source) -> Facts:
    return (Task(cpu=None, pid=int(match["pid"]), comm=match["comm"], source=source),)


def modules(match: re.Match[str], source: Source) -> Facts:
    """Return the list; a mailer's or author's dots make it incomplete."""
    text = match["list"]
    last = compiled(r".*\[last unloaded: (?P<name>[^\]\s]+)").match(text)
    names = text.split("[last unloaded", maxsplit=1)[0].split()
    kept = tuple(n for n in names if compiled(r"[\w-]+(?:\([A-Z+-]+\))?$").match(n))
    return (
        Modules(
            names=kept[:MAX_MODULES],
            last_unloaded=last["name"] if last else None,
            complete=len(kept) == len(names) <= MAX_MODULES,
            source=source,
        ),
    )


def _detail(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="task", value=match.string, source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("CPU: ",         r"(?:\([\w ]{1,12}\))?CPU: (?P<cpu>-?\d{1,10}) (?:UID: (?P<uid>\d{1,10}) )?PID: (?P<pid>\d{1,10})"
                          r"(?: Comm: (?P<comm>.{1,40}?)(?: (?P<tail>(?:Kdump: loaded )?(?:Not tainted|Tainted:).*))?)?$", cpu, Part.IDENTITY),
    Rule("CPU: ",         r"CPU: (?P<cpu>\d{1,5})(?P<uid>(?!))?(?P<pid>(?!))?(?P<comm>(?!))? +(?P<tail>(?:Not tainted|Tainted:).*)$",
                                                                                       cpu,         Part.IDENTITY),
    Rule("ainted",        r"(?P<release>\d{1,2}\.\d{1,3}[\w.+~-]*)(?: (?P<build>#[^ ]+))?(?: [A-Z_]+)* (?:Not tainted|Tainted: (?P<taint>[A-Z ]{1,60}))\b",
                                                                                       untasked,    Part.DETAIL),
    Rule("ainted",        r"(?:Not tainted|Tainted: (?P<taint>[A-Z ]{1,60}?)) +(?P<release>\d{1,2}\.\d{1,3}[\w.+~-]*)(?: (?P<build>#.*))?$",
                                                                                       untasked,    Part.DETAIL),
    Rule("Tainted: [",    r"Tainted: \[[A-Z]\]=",                                      _taint_words, Part.IDENTITY),
    Rule("Hardware name", r"Hardware name: ?(?P<name>.*)",                             _hardware,    Part.IDENTITY),
    Rule("Workqueue: ",   r"Workqueue: (?P<name>\S+)(?: (?P<function>[\w.$]+))?",      _workqueue,   Part.IDENTITY),
    Rule("Process ",      r"Process (?P<comm>.{1,40}?) \(pid: (?P<pid>\d{1,10}), (?:stack limit|threadinfo)", _process, Part.IDENTITY),
    Rule("Modules linked", r"Modules linked in:(?P<list>.*)",                          modules,     Part.MODULES),
    Rule("Unloaded ",     r"Unloaded tainted modules: \S",                            _detail,      Part.DETAIL),
    Rule("task",          r"task: [0-9a-f]{16} (?:task\.stack|ti|task\.ti): ",         _detail,      Part.IDENTITY),
    Rule("Stopper: ",     r"Stopper: \S",                                              _detail,      Part.IDENTITY),
    Rule("Sched_ext: ",   r"Sched_ext: \S",                                            _detail,      Part.IDENTITY),
)
# fmt: on
