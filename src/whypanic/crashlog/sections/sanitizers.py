"""Lines of KASAN, KFENCE, KCSAN, UBSAN, SLUB's debugging and bad pages, behind their headline.

Sources, of Debian's linux-source-6.12: mm/kasan/report.c (print_error_description, print_track, describe_object_addr,
print_memory_metadata), mm/kasan/report_generic.c (kasan_print_address_stack_frame), mm/kfence/report.c,
kernel/kcsan/report.c, lib/ubsan.c, mm/slub.c, mm/page_alloc.c (bad_page). The forms before 4.12 and KFENCE's of 5.12
to 5.16 are from memory.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, number, optional_int
from whypanic.model.context import Task
from whypanic.model.fault import Detail, FaultAddress
from whypanic.model.provenance import Fact, Source
from whypanic.model.sanitizer import (
    Access,
    AsynchronousFault,
    BadObject,
    ShadowRow,
    StackObject,
    StackPlace,
    TagPair,
)

_HASHED = 1 << 32
"""`%p` prints 32 bits of a hash: no kernel address is that small."""


def access(match: re.Match[str], source: Source) -> Facts:
    """Return KASAN's access with its address and task."""
    digits = match["addr"]
    found: list[Fact] = [
        Access(
            what=match["what"].lower(),
            address=number(digits) if digits else None,
            size=optional_int(match["size"]),
            comm=match["comm"],
            pid=optional_int(match["pid"]),
            source=source,
        )
    ]
    if digits:
        found.append(
            FaultAddress(va=number(digits), place="header", n_digits=len(digits), source=source)
        )
    found.append(Task(cpu=None, pid=optional_int(match["pid"]), comm=match["comm"], source=source))
    return tuple(found)


def kfence_access(match: re.Match[str], source: Source) -> Facts:
    """Return KFENCE's access; its address is hashed unless the kernel runs with no_hash_pointers."""
    va = number(match["addr"])
    known = va if va >= _HASHED else None
    groups = match.groupdict()
    what = groups.get("what") or ("free" if "free" in match[0] else "corruption")
    found: list[Fact] = [
        Access(what=what, address=known, note=groups.get("note") or "", source=source)
    ]
    if known is not None:
        found.append(FaultAddress(va=va, place="header", source=source))
    return tuple(found)


def kcsan_access(match: re.Match[str], source: Source) -> Facts:
    """Return one of the two accesses of a race."""
    return (
        Access(
            what=match["what"],
            address=number(match["addr"]),
            size=int(match["size"]),
            pid=optional_int(match["pid"]),
            cpu=optional_int(match["cpu"]),
            source=source,
        ),
        Detail(name="race", value=match.string, source=source),
    )


def _async(_match: re.Match[str], source: Source) -> Facts:
    return (AsynchronousFault(source=source),)


def _tags(match: re.Match[str], source: Source) -> Facts:
    return (TagPair(pointer=number(match["p"]), memory=number(match["m"]), source=source),)


def _object(match: re.Match[str], source: Source) -> Facts:
    groups = match.groupdict()
    address, size, distance = groups.get("addr"), groups.get("size"), groups.get("distance")
    side = groups.get("side") or ""
    return (
        BadObject(
            address=number(address) if address else None,
            cache=groups.get("cache"),
            size=int(size) if size else None,
            distance=int(distance) if distance else None,
            side=side.rpartition(" ")[2],
            state=(groups.get("state") or "").strip(),
            source=source,
        ),
    )


def _row(match: re.Match[str], source: Source) -> Facts:
    values = tuple(int(byte, 16) for byte in match["bytes"].split())
    return (
        ShadowRow(
            address=number(match["addr"]),
            values=values,
            guilty=match["mark"] is not None,
            source=source,
        ),
    )


def _place(match: re.Match[str], source: Source) -> Facts:
    return (
        StackPlace(offset=int(match["offset"]), source=source),
        Detail(name="bare-stack", value="frame of the address", source=source),
    )


def _variable(match: re.Match[str], source: Source) -> Facts:
    return (
        StackObject(
            first=int(match["first"]), end=int(match["end"]), name=match["name"], source=source
        ),
    )


def _named(name: str, match: re.Match[str], source: Source) -> Facts:
    return (Detail(name=name, value=match.string, source=source),)


def _other_stack(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="bare-stack", value=match.string.removeprefix("INFO: "), source=source),)


def _other(match: re.Match[str], source: Source) -> Facts:
    return _named("sanitizer", match, source)


def _reason(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="page-reason", value=match["why"], source=source),)


def _ubsan(match: re.Match[str], source: Source) -> Facts:
    return _named("ubsan", match, source)


def _slab(match: re.Match[str], source: Source) -> Facts:
    return _named("slab", match, source)


def _page(match: re.Match[str], source: Source) -> Facts:
    return _named("page", match, source)


def _race(match: re.Match[str], source: Source) -> Facts:
    return _named("race-values", match, source)


_TASK = r"by task (?P<comm>.{1,40})/(?P<pid>\d{1,10})"
_REGION = r"(?P<state>allocated |freed )?(?P<size>\d{1,12})-byte region \["

# fmt: off
RULES: tuple[Rule, ...] = (
    # KASAN
    Rule(" by task ",      r"(?P<what>Read|Write|Free)(?: of size (?P<size>\d{1,20}))?(?: (?:at|of) addr (?P<addr>[0-9a-f]{1,16}))? " + _TASK, access, Part.DETAIL),
    Rule("synchronous fau", r"Asynchronous fault: no details available",                         _async,       Part.DETAIL),
    Rule("ointer tag: [",  r"Pointer tag: \[(?P<p>[0-9a-f]{2})\], memory tag: \[(?P<m>[0-9a-f]{2})",   _tags, Part.DETAIL),
    Rule("llocated by ta", r"Allocated by task \d+",                                            _other_stack, Part.DETAIL),
    Rule("Freed by task",  r"Freed by task \d+",                                                _other_stack, Part.DETAIL),
    Rule("work creation",  r"(?:Last|Second to last) potentially related work creation:",       _other_stack, Part.DETAIL),
    Rule("call_rcu",       r"(?:Last|Second to last) call_rcu\(\):",                             _other_stack, Part.DETAIL),
    Rule("to the object ", r"The buggy address belongs to the object at (?P<addr>[0-9a-f]{16})(?: +which belongs to the cache (?P<cache>\S{1,100}) of size (?P<size>\d{1,12}))?",
                                                                                                _object,      Part.DETAIL),
    Rule("Object at ",     r"Object at (?P<addr>[0-9a-f]{16}), in cache (?P<cache>\S{1,100}) size: (?P<size>\d{1,12})", _object, Part.DETAIL),
    Rule("which belongs ", r"which belongs to the cache (?P<cache>\S{1,100}) of size (?P<size>\d{1,12})", _object, Part.DETAIL),
    Rule("is located ",    r"The buggy address is located (?P<distance>\d{1,20}) bytes (?P<side>inside|to the left|to the right) of(?: +" + _REGION + ")?", _object, Part.DETAIL),
    Rule("-byte region",   _REGION,                                                             _object,      Part.DETAIL),
    Rule("to the variable", r"The buggy address belongs to the variable:",                      _other_stack, Part.DETAIL),
    Rule("virtual mapping", r"The buggy address belongs to the virtual mapping at",             _other,       Part.DETAIL),
    Rule("created by:",    r"\[[0-9a-f]{16}, [0-9a-f]{16}\) created by:",                       _other_stack, Part.DETAIL),
    Rule("uggy address",   r"(?:The buggy address|Buggy address)\b",                            _other,       Part.DETAIL),
    Rule("uggy page",      r"The buggy page\b",                                                 _other,       Part.DETAIL),
    Rule("located in stack", r"addr [0-9a-f]{16} is located in stack of task .{1,60} at offset (?P<offset>\d{1,9}) in frame:", _place, Part.DETAIL),
    Rule("this frame has", r"this frame has \d{1,6} objects?:",                                 _other,       Part.DETAIL),
    Rule(") '",            r"\[(?P<first>\d{1,9}), (?P<end>\d{1,9})\) '(?P<name>[^']{1,100})'",  _variable,    Part.DETAIL),
    Rule("Memory state",   r"Memory state around the buggy address",                            _other,       Part.DETAIL),
    Rule(": ",             r"(?P<mark>>)?(?P<addr>[0-9a-f]{16}): (?P<bytes>[0-9a-f]{2}(?: [0-9a-f]{2}){15})$", _row, Part.DETAIL),
    Rule(": ",             r">?[0-9a-f]{16}: (?:[0-9a-f.]{2}(?: |$)){8,16}",                    _other,       Part.DETAIL),
    Rule("stack is not a", r"\(stack is not available\)",                                       _other,       Part.DETAIL),
    # KFENCE
    Rule(" at 0x",         r"(?:Out-of-bounds|Use-after-free|Invalid) (?P<what>read|write) at 0x(?P<addr>[0-9a-f]{8,16})(?: \((?P<note>[^)]{1,80})\))?:", kfence_access, Part.DETAIL),
    Rule("orrupted memory", r"Corrupted memory at 0x(?P<addr>[0-9a-f]{8,16}) (?:.{0,120}?\((?P<note>in kfence-#\d{1,6})\):?)?", kfence_access, Part.DETAIL),
    Rule("nvalid free of", r"Invalid free of 0x(?P<addr>[0-9a-f]{8,16})(?: \((?P<note>[^)]{1,80})\))?:", kfence_access, Part.DETAIL),
    Rule("kfence-#",       r"kfence-#\d{1,6} \[0x[0-9a-f]{8,16}-0x[0-9a-f]{8,16}, size=(?P<size>\d{1,9}), cache=(?P<cache>\S{1,100})\] allocated by task \d+:", lambda m, s: (*_object(m, s), *_other_stack(m, s)), Part.DETAIL),
    Rule("kfence-#",       r"kfence-#\d{1,6}: 0x[0-9a-f]{8,16}-0x[0-9a-f]{8,16}, size=(?P<size>\d{1,9}), cache=(?P<cache>\S{1,100})", _object, Part.DETAIL),
    Rule(" by task ",      r"(?:allocated|freed|rcu freeing) by task \d+",                      _other_stack, Part.DETAIL),
    # KCSAN
    Rule(" bytes by ",     r"(?:race at unknown origin, with )?(?P<what>(?:read|write|read-write|assert no (?:accesses|writes))(?: \([a-z, ]{1,40}\))?) to 0x(?P<addr>[0-9a-f]{8,16}) of (?P<size>\d{1,9}) bytes by (?:task (?P<pid>\d{1,10})|interrupt) on cpu (?P<cpu>\d{1,5}):", kcsan_access, Part.DETAIL),
    Rule("value changed:", r"value changed: 0x[0-9a-f]{1,16} -> 0x[0-9a-f]{1,16}",               _race,        Part.DETAIL),
    Rule("bits changed:",  r"bits changed: 0x[0-9a-f]{1,16} with mask",                         _race,        Part.DETAIL),
    Rule("Concurrency San", r"Reported by Kernel Concurrency Sanitizer on:",                    _other,       Part.DETAIL),
    # UBSAN
    Rule(" is out of range", r"index -?\d{1,40} is out of range for type ",                     _ubsan,       Part.DETAIL),
    Rule("shift exponent", r"shift exponent -?\d{1,40} is ",                                    _ubsan,       Part.DETAIL),
    Rule("left shift of",  r"left shift of .{1,120}",                                           _ubsan,       Part.DETAIL),
    Rule("cannot be repre", r"-?\d{1,40} [-+*] -?\d{1,40} cannot be represented in type ",      _ubsan,       Part.DETAIL),
    Rule("be represented", r"(?:negation|division) of .{1,80} cannot be represented in type ",  _ubsan,       Part.DETAIL),
    Rule("division by zero", r"division by zero$",                                             _ubsan,       Part.DETAIL),
    Rule("not a valid val", r"load of value -?\d{1,40} is not a valid value for type ",         _ubsan,       Part.DETAIL),
    Rule(" of type ",      r".{3,40} (?:null pointer|misaligned address (?:0x)?[0-9a-f]{8,16}) (?:of|for) type ", _ubsan, Part.DETAIL),
    Rule("misaligned addr", r".{3,40} misaligned address (?:0x)?[0-9a-f]{8,16} for type ",      _ubsan,       Part.DETAIL),
    Rule("insufficient sp", r".{3,40} address (?:0x)?[0-9a-f]{8,16} with insufficient space",    _ubsan,       Part.DETAIL),
    Rule("for an object o", r"for an object of type ",                                          _ubsan,       Part.DETAIL),
    Rule("byte alignment", r"which requires \d{1,9} byte alignment",                            _ubsan,       Part.DETAIL),
    Rule("byte alignment", r"assumption of \d{1,9} byte alignment",                             _ubsan,       Part.DETAIL),
    Rule("builtin_unreach", r"calling __builtin_unreachable\(\)",                               _ubsan,       Part.DETAIL),
    # Pages and SLUB
    Rule("page dumped",    r"page dumped because: ?(?P<why>.{1,120})",                          _reason,      Part.DETAIL),
    Rule("because of flag", r"bad because of flags: ?(?P<why>.{1,200})",                         _reason,      Part.DETAIL),
    Rule("vm_flags:",      r"addr:[0-9a-f]{8,16} vm_flags:",                                    _page,        Part.DETAIL),
    Rule("mmap:",          r"file:.{1,60} fault:.{1,80} mmap:",                                 _page,        Part.DETAIL),
    Rule("aops:",          r"aops:\S{1,100} ino:",                                              _page,        Part.DETAIL),
    Rule("age=",           r"(?:INFO: )?(?:Allocated|Freed) in .{1,160} age=\d",                _other_stack, Part.DETAIL),
    Rule("overwritten] ",  r"\[.{1,40} overwritten\] 0x[0-9a-f]{8,16}",                         _slab,        Part.DETAIL),
    Rule("INFO: ",         r"INFO: (?:0x[0-9a-f]{8,16}-0x[0-9a-f]{8,16}|Slab 0x|Object 0x)",    _slab,        Part.DETAIL),
    Rule("0x",             r"0x[0-9a-f]{8,16}-0x[0-9a-f]{8,16} @offset=\d+\. First byte ",      _slab,        Part.DETAIL),
    Rule("Slab 0x",        r"Slab 0x[0-9a-f]{8,16} objects=",                                   _slab,        Part.DETAIL),
    Rule("Object 0x",      r"Object 0x[0-9a-f]{8,16} @offset=",                                 _slab,        Part.DETAIL),
    Rule(": ",             r"(?:Bytes b4|Object|Redzone|Padding) *(?:0x)?[0-9a-f]{8,16}: (?:[0-9a-f]{2} ){1,16}", _slab, Part.DETAIL),
    Rule("FIX ",           r"FIX \S{1,60}: ",                                                   _slab,        Part.DETAIL),
)
# fmt: on
