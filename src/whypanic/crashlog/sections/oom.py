"""Lines before a panic for want of memory or of a root file system, and before one that was asked for.

They count only where a panic follows: the OOM killer's own report, and that a root device cannot be opened.
Sources, read in Debian's linux-source-6.12 (6.12.117): mm/oom_kill.c (dump_header(), dump_tasks(),
__oom_kill_process()), lib/show_mem.c (from memory), init/do_mounts.c (mount_root_generic()).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule
from whypanic.model.fault import Detail
from whypanic.model.progress import OomVictim
from whypanic.model.provenance import Source


def _detail(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="memory", value=match.string, source=source),)


def _root(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="root", value=match.string, source=source),)


def _sysrq(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="sysrq", value=match.string, source=source),)


def _victim(match: re.Match[str], source: Source) -> Facts:
    anon = match["anon"]
    return (
        OomVictim(
            pid=int(match["pid"]),
            comm=match["comm"],
            anon_kib=int(anon) if anon else None,
            source=source,
        ),
    )


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("Killed process",  r"(?:Out of memory|Memory cgroup out of memory)?.{0,20}?Killed process (?P<pid>\d{1,10}),? ?\((?P<comm>.{1,40}?)\)"
                            r"(?:.{0,80}?anon-rss:(?P<anon>\d{1,15})kB)?",                   _victim, Part.DETAIL),
    Rule("Out of memory",   r"(?:Out of memory(?: and no killable processes|: Kill process)|.{0,20}page allocation failure)", _detail, Part.DETAIL),
    Rule("Mem-Info:",       r"Mem-Info:",                                                    _detail, Part.DETAIL),
    Rule("_anon:",          r"(?:active_anon|inactive_anon|unevictable|slab_reclaimable|free|mapped|isolated_anon|active_file|Node \d{1,4} active_anon):?[\d:]", _detail, Part.DETAIL),
    Rule("lab_reclaimable", r"slab_reclaimable:\d",                                          _detail, Part.DETAIL),
    Rule("unevictable:",    r"unevictable:\d",                                               _detail, Part.DETAIL),
    Rule("mapped:",         r"mapped:\d",                                                    _detail, Part.DETAIL),
    Rule("free:",           r"free:\d{1,12} free_pcp:",                                      _detail, Part.DETAIL),
    Rule("kernel_misc_rec", r"kernel_misc_reclaimable:",                                     _detail, Part.DETAIL),
    Rule("sec_pagetables:", r"sec_pagetables:\d",                                            _detail, Part.DETAIL),
    Rule("Node ",           r"Node \d{1,4} (?:\w{1,10}:? |active_anon|hugepages_)",           _detail, Part.DETAIL),
    Rule("lowmem_reserve",  r"lowmem_reserve\[\]: ",                                         _detail, Part.DETAIL),
    Rule("total pagecache", r"\d{1,12} total pagecache pages",                               _detail, Part.DETAIL),
    Rule("pages",           r"\d{1,12} pages (?:in swap cache|RAM|HighMem/MovableOnly|reserved|cma reserved|hwpoisoned)", _detail, Part.DETAIL),
    Rule("swap",            r"(?:Swap cache stats: |(?:Free|Total) swap *= )",               _detail, Part.DETAIL),
    Rule("Tasks state",     r"Tasks state \(memory values in pages\)",                       _detail, Part.DETAIL),
    Rule("total_vm",        r"\[ *pid *\] +uid +tgid total_vm",                              _detail, Part.DETAIL),
    Rule("]",               r"\[ *\d{1,10}\] +\d{1,10} +\d{1,10} +\d{1,12} +\d{1,12} ",      _detail, Part.DETAIL),
    Rule("oom-kill:",       r"oom-kill:constraint=",                                         _detail, Part.DETAIL),
    Rule("oom_reaper:",     r"oom_reaper: ",                                                 _detail, Part.DETAIL),
    Rule("mems_allowed",    r"(?:.{1,40} )?cpuset=\S{1,60} mems_allowed=",                    _detail, Part.DETAIL),
    Rule("Unreclaimable",   r"Unreclaimable slab info:",                                     _detail, Part.DETAIL),
    Rule("root",            r"Please append a correct \"root=\" boot option",                 _root,   Part.DETAIL),
    Rule("List of all ",    r"List of all (?:partitions|bdev filesystems):",                 _root,   Part.DETAIL),
    Rule("mount root, tri", r"No filesystem could mount root, tried:",                        _root,   Part.DETAIL),
    Rule("driver: ",        r"driver: [\w-]{1,40}$",                                           _root,   Part.DETAIL),
    Rule("   ",             r"[0-9a-f]{4} {3,}\d{1,12} [a-z]\w{1,20}(?: [0-9a-f-]{9,36})? ?$", _root,   Part.DETAIL),
    Rule("rigger a crash",  r"(?:sysrq: )?(?:SysRq : )?Trigger a crash",                      _sysrq,  Part.DETAIL),
    Rule("init",            r"(?:Starting init: \S{1,200} exists but couldn't execute it|Failed to execute \S{1,200} \(error|Default init \S{1,200} failed)", _root, Part.DETAIL),
)
# fmt: on
