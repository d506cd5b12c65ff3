"""The lines that make a report: a ranked table of headlines, the most specific first.

Sources, all from memory of the tree after the catalogue of formats: arch/arm64/mm/fault.c,
arch/arm64/kernel/{traps,entry-common}.c, kernel/{panic,cfi,watchdog,hung_task,workqueue}.c, lib/bug.c, lib/ubsan.c,
mm/kasan/report.c, mm/kfence/report.c, kernel/kcsan/report.c, kernel/locking/lockdep.c, kernel/rcu/tree_stall.h.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from whypanic.crashlog.sections.hardware import edac, memory_failure
from whypanic.crashlog.sections.rule import (
    Facts,
    compiled,
    hex_digits,
    number,
    optional_int,
    read_ref,
)
from whypanic.crashlog.sections.stalls import stalled_cpus
from whypanic.model.fault import (
    Detail,
    ErrorInterrupt,
    FaultAddress,
    Headline,
    Syndrome,
    SyndromePlace,
)
from whypanic.model.kinds import Kind
from whypanic.model.progress import Context, OomKill, RootDevice
from whypanic.model.provenance import Fact, Source


class Entry(IntEnum):
    """How a headline stands to the report that is open before it."""

    MESSAGE = 1
    """Words that a BUG, WARN, die() or panic() of the same event follows."""
    FAULT = 2
    """A fault: die() follows."""
    BUG = 3
    WARN = 4
    ERROR_INTERRUPT = 5
    """SError or a bad vector: registers and panic() follow."""
    CHECKER = 6
    """A report of its own that the kernel survives: sanitizer, lockdep, stall."""
    USER = 7
    OTHER = 8
    """Another program's crash in the same capture."""
    PRELUDE = 9
    """Words that are of a report only if panic() follows: the OOM killer's, a root device that cannot be opened."""


Row = Callable[["HeadlineRule", re.Match[str], Source], Facts]


class HeadlineRule(NamedTuple):
    """One kind of headline."""

    needle: str
    pattern: str
    kind: Kind
    entry: Entry
    build: Row
    message: str = ""
    """The words to show; where empty, the group `message`, else the kernel's words themselves."""


_ADDRESSES = r"\b(?:0x)?[0-9a-f]{8,16}\b"


def _headline(
    rule: HeadlineRule, match: re.Match[str], source: Source, kind: Kind | None = None
) -> Headline:
    groups = match.groupdict()
    message = rule.message or (groups.get("message") or match[0]).strip()
    where, address = groups.get("where"), groups.get("addr")
    line = groups.get("line")
    return Headline(
        kind=kind or rule.kind,
        message=compiled(_ADDRESSES).sub("", message).strip(" :,-")[:200],
        address=number(address) if address else None,
        ref=read_ref(where.strip()) if where else None,
        file=groups.get("file"),
        line=int(line) if line else None,
        cpu=optional_int(groups.get("cpu")),
        pid=optional_int(groups.get("pid")),
        comm=groups.get("comm"),
        target=groups.get("target"),
        seconds=optional_int(groups.get("secs")),
        source=source,
    )


def _plain(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    return (_headline(rule, match, source),)


def _rcu_stall(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    """Return the header, and the CPUs that an expedited stall lists in the same line."""
    return (_headline(rule, match, source), *stalled_cpus(match.string[match.end() :], source))


def _while_atomic(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    """Return the header and its preempt_count."""
    count = match["count"]
    context = (Context(preempt_count=number(count), source=source),) if count else ()
    return (_headline(rule, match, source), *context)


def _memory_failure(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    return (_headline(rule, match, source), *memory_failure(match, source))


def _edac(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    return (_headline(rule, match, source), *edac(match, source))


def _oom(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    order = optional_int(match["order"])
    kill = OomKill(comm=match["comm"], order=order, mask=match["mask"], source=source)
    return (_headline(rule, match, source), kill)


def _root_over_network(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    return (_headline(rule, match, source), Detail(name="root", value=match[0], source=source))


def _no_root(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    error = match["error"]
    device = RootDevice(
        device=match["device"],
        block=match["block"],
        error=int(error) if error else None,
        source=source,
    )
    return (_headline(rule, match, source), device)


_LOOKALIKE = (
    r".*(?:, epc ==|, era ==|\bin virtual kernel address|\bfor data at|\bfor instruction fetch)"
)


def fault(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    """Return the header of a fault with its address; MIPS, s390 and PowerPC print like words."""
    if compiled(_LOOKALIKE).match(match.string):
        return ()
    facts: list[Fact] = [_headline(rule, match, source)]
    digits = match["addr"]
    if digits:
        facts.append(
            FaultAddress(
                va=number(digits), place="header", n_digits=hex_digits(digits), source=source
            )
        )
    return tuple(facts)


# fmt: off
FAULT_NAMES: tuple[tuple[str, Kind], ...] = (
    ("alignment fault",             Kind.ALIGNMENT_FAULT),
    ("SP/PC alignment",             Kind.SP_PC_ALIGNMENT),
    ("sp/pc alignment",             Kind.SP_PC_ALIGNMENT),
    ("ynchronous external abort",   Kind.EXTERNAL_ABORT),
    ("ynchronous abort (translation table walk)", Kind.EXTERNAL_ABORT),
    ("(translation table walk)",    Kind.EXTERNAL_ABORT),
    ("parity",                      Kind.EXTERNAL_ABORT),
    ("TLB conflict",                Kind.TLB_CONFLICT),
    ("tag check fault",             Kind.MTE),
    ("permission fault",            Kind.PERMISSION_FAULT),
    ("debug",                       Kind.BRK),
    ("BRK",                         Kind.BRK),
    ("BKPT",                        Kind.BRK),
)
"""Parts of fault_info[] and debug_fault_info[] names; any other name is an ordinary bad address."""
# fmt: on


FROM_USER_SPACE = (0x20, 0x24)
"""Exception classes of aborts taken from a lower level."""


def kind_of_fault(name: str) -> Kind | None:
    """Return the kind that the name of a fault tells; None where it is no special one."""
    return next((kind for words, kind in FAULT_NAMES if words in name), None)


def unhandled_fault(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    """Return header, ESR and address of `Unhandled fault: NAME (0xESR) at 0xFAR`.

    32-bit Arm prints the same words with an FSR of three and an address of eight digits.
    """
    digits, address = match["esr"], match["addr"]
    if (digits and len(digits) < len("0x96000010")) or (address and len(address) < len("0x") + 9):
        return ()
    name = (match["message"] or "").strip()
    kind = kind_of_fault(name)
    if digits and number(digits) >> 26 & 0x3F in FROM_USER_SPACE:
        kind = Kind.USER_FAULT
    facts: list[Fact] = [_headline(rule, match, source, kind)]
    if digits:
        facts.append(
            Syndrome(
                esr=number(digits),
                place=SyndromePlace.UNHANDLED_FAULT,
                n_digits=hex_digits(digits),
                source=source,
            )
        )
    if address:
        facts.append(
            FaultAddress(
                va=number(address),
                place="unhandled-fault",
                n_digits=hex_digits(address),
                source=source,
            )
        )
    return tuple(facts)


def error_interrupt(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    """Return header, the interrupt and its ESR: SError, bad mode, unhandled exception."""
    vector, digits = match["vector"], match["esr"]
    words = (match["words"] or "").strip()
    is_serror = rule.kind is Kind.SERROR or vector.lower() == "error" or "error" in vector.split()
    found: list[Fact] = [
        _headline(rule, match, source, Kind.SERROR if is_serror else None),
        ErrorInterrupt(
            vector=vector,
            cpu=optional_int(match["cpu"]),
            esr=number(digits) if digits else None,
            words=words,
            source=source,
        ),
    ]
    if digits:
        place = SyndromePlace.SERROR if is_serror else SyndromePlace.BAD_MODE
        found.append(
            Syndrome(esr=number(digits), place=place, n_digits=hex_digits(digits), source=source)
        )
    return tuple(found)


def _user(rule: HeadlineRule, match: re.Match[str], source: Source) -> Facts:
    return (
        _headline(rule, match, source),
        Detail(name="user-fault", value=match.string, source=source),
    )


_CPU = r"(?:CPU: ?-?(?P<cpu>\d{1,5}) PID: ?(?P<pid>\d{1,10}) )?"
_AT = r"at (?P<file>{FILE}|[^\s:]{1,300}):(?P<line>\d{1,7})"

# fmt: off
TABLE: tuple[HeadlineRule, ...] = (
    # What arch/arm64/mm/fault.c prints
    *(HeadlineRule("Unable to handle kernel", rf"(?:c\d +|\w+: )?Unable to handle kernel (?P<message>{words})"
                   r"(?: at(?: virtual)?(?: address)?:?(?: ?(?P<addr>(?:0x)?[0-9a-f]{1,16})\b)?)?", kind, Entry.FAULT, fault)
      for words, kind in (
        ("NULL pointer dereference",                          Kind.NULL_DEREFERENCE),
        ("paging request",                                    Kind.PAGING_REQUEST),
        ("write to read-only(?: memory)?",                    Kind.PERMISSION_FAULT),
        ("read from unreadable(?: memory)?",                  Kind.PERMISSION_FAULT),
        ("execute from non-executable(?: memory)?",           Kind.PERMISSION_FAULT),
        ("access to user memory(?: outside uaccess routines| with fs=KERNEL_DS)?", Kind.USER_ACCESS),
        ("execution of user memory",                          Kind.USER_ACCESS),
        ("NULL pointer",                                      Kind.NULL_DEREFERENCE),
        ("[a-z](?:(?! at )[a-z0-9 -]){2,60}",                 Kind.PAGING_REQUEST),
    )),
    HeadlineRule("Unhandled fault",     r"Unhandled fault: (?P<message>.{1,80}?) \((?P<esr>0x[0-9a-f]{1,16})\)(?: at (?P<addr>0x[0-9a-f]{1,16}))?",
                                                                                        Kind.PAGING_REQUEST,  Entry.FAULT, unhandled_fault),
    HeadlineRule("Unhandled fault",     r"(?P<message>Unhandled fault)(?P<esr>(?!))? at (?P<addr>0x[0-9a-f]{1,16})",
                                                                                        Kind.PAGING_REQUEST,  Entry.FAULT, unhandled_fault),
    HeadlineRule("Synchronous External", r"Synchronous External Abort: (?P<message>.{1,80}?) \((?P<esr>0x[0-9a-f]{1,16})\)(?: at (?P<addr>0x[0-9a-f]{1,16}))?",
                                                                                        Kind.EXTERNAL_ABORT,  Entry.FAULT, unhandled_fault),
    HeadlineRule("EFI runtime serv",    r"\[Firmware Bug\]: (?P<message>Unable to handle .{1,60} in EFI runtime service)",
                                                                                        Kind.PAGING_REQUEST,  Entry.FAULT, _plain),
    HeadlineRule("undefined instr",     r"(?P<message>undefined instruction): pc=(?P<addr>(?:0x)?[0-9a-f]{8,16})",
                                                                                        Kind.UNDEFINED_INSTRUCTION, Entry.MESSAGE, _plain),
    HeadlineRule("spurious kernel tr",  r"(?P<message>Ignoring spurious kernel translation fault) at virtual address (?P<addr>[0-9a-f]{8,16})",
                                                                                        Kind.WARNING,         Entry.MESSAGE, fault),
    # SError, bad vectors, stack overflow
    HeadlineRule("SError Interrupt",    r"(?P<vector>SError) Interrupt on CPU ?(?P<cpu>\d{1,5}), code (?P<esr>0x[0-9a-f]{1,16})(?: -- (?P<words>.*))?",
                                                                                        Kind.SERROR,          Entry.ERROR_INTERRUPT, error_interrupt, "SError Interrupt"),
    HeadlineRule("Bad mode in ",        r"Bad mode in (?P<vector>Synchronous Abort|IRQ|FIQ|Error) handler detected(?: on CPU(?P<cpu>\d{1,5}))?, code (?P<esr>0x[0-9a-f]{1,16})(?: -- (?P<words>.*))?",
                                                                                        Kind.BAD_MODE,        Entry.ERROR_INTERRUPT, error_interrupt, "Bad mode"),
    HeadlineRule("Bad EL0 synch",       r"Bad EL0 (?P<vector>synchronous) exception detected on CPU(?P<cpu>\d{1,5}), code (?P<esr>0x[0-9a-f]{1,16})(?: -- (?P<words>.*))?",
                                                                                        Kind.USER_FAULT,      Entry.USER, error_interrupt, "Bad EL0 synchronous exception"),
    HeadlineRule("exception on CPU",    r"Unhandled (?P<vector>\S.{1,40}?) exception on CPU(?P<cpu>\d{1,5}), ESR (?P<esr>0x[0-9a-f]{1,16})(?: -- (?P<words>.*))?",
                                                                                        Kind.BAD_MODE,        Entry.ERROR_INTERRUPT, error_interrupt, "Unhandled exception"),
    HeadlineRule("Insufficient stack",  r"(?P<message>Insufficient stack space to handle exception)",
                                                                                        Kind.STACK_OVERFLOW,  Entry.ERROR_INTERRUPT, _plain),
    HeadlineRule("Unexpected kernel",   r"(?P<message>Unexpected kernel (?:BRK|single-step) exception) at EL1",
                                                                                        Kind.BRK,             Entry.MESSAGE, _plain),
    # Hardening: a BUG or WARN may follow
    HeadlineRule("corruption",          r"(?P<message>list_(?:add|del|lru)\w* (?:double add|corruption))[.,:]? ?.*",   Kind.LIST_CORRUPTION, Entry.MESSAGE, _plain),
    HeadlineRule("list_add double",     r"(?P<message>list_add double add)",            Kind.LIST_CORRUPTION, Entry.MESSAGE, _plain),
    HeadlineRule("refcount_t: ",        r"(?P<message>refcount_t: [a-z].{1,80})",       Kind.REFCOUNT,        Entry.MESSAGE, _plain),
    HeadlineRule("usercopy: ",          r"usercopy: (?P<message>Kernel memory (?:exposure|overwrite) attempt detected) (?P<target>(?:to|from) .*)",
                                                                                        Kind.USERCOPY,        Entry.MESSAGE, _plain),
    HeadlineRule("Bad or missing use",  r".*(?P<message>Bad or missing usercopy whitelist)", Kind.USERCOPY,   Entry.MESSAGE, _plain),
    HeadlineRule("buffer overflow",     r"(?:detected|memcpy: detected|\w+: detected) (?P<message>(?:buffer overflow|field-spanning write).{0,20}) in (?P<where>\w.{0,80})",
                                                                                        Kind.FORTIFY,         Entry.MESSAGE, _plain),
    HeadlineRule("detected ",           r"(?P<message>\w+: detected (?:field-spanning|buffer overflow|\d+ byte).{0,120})", Kind.FORTIFY, Entry.MESSAGE, _plain),
    HeadlineRule("stack is corrupted",  r"Kernel panic.{1,20}stack-protector: (?P<message>Kernel stack is corrupted) in: (?P<where>\S+)",
                                                                                        Kind.STACK_PROTECTOR, Entry.ERROR_INTERRUPT, _plain),
    HeadlineRule("CFI failure",         r"CFI failure at (?P<where>\S+(?: \[\w+\])?)(?: \((?:target: (?P<target>[^;)]{1,120})|no target).*)?",
                                                                                        Kind.CFI_FAILURE,     Entry.MESSAGE, _plain, "CFI failure"),
    HeadlineRule("CFI failure",         r"CFI failure \(target: (?P<target>[^)]{1,160})\):?", Kind.CFI_FAILURE, Entry.MESSAGE, _plain, "CFI failure"),
    HeadlineRule("ODEBUG: ",            r"(?P<message>ODEBUG: [a-zA-Z]+).*",            Kind.WARNING,         Entry.MESSAGE, _plain),
    HeadlineRule("skb_",                r"(?:skbuff: )?(?P<message>skb_(?:over|under)_panic): ", Kind.KERNEL_BUG, Entry.MESSAGE, _plain),
    HeadlineRule("panicked at",         r"rust_kernel: panicked at '(?P<message>.{1,160})', (?P<file>[^\s:]{1,200}\.rs):(?P<line>\d{1,7})", Kind.KERNEL_BUG, Entry.MESSAGE, _plain),
    HeadlineRule("panicked at",         r"rust_kernel: (?P<message>panicked at (?P<file>[^\s:]{1,200}\.rs):(?P<line>\d{1,7}))", Kind.KERNEL_BUG, Entry.MESSAGE, _plain, "Rust code panicked"),
    HeadlineRule("panicked at",         r"rust_kernel: (?P<message>panicked at .{1,200})", Kind.KERNEL_BUG,   Entry.MESSAGE, _plain),
    HeadlineRule("assertion failed",    r"(?P<message>assertion failed: .{1,160}?), (?:in|at) (?P<file>{FILE}):(?P<line>\d{1,7})", Kind.KERNEL_BUG, Entry.MESSAGE, _plain),
    # Sanitizers
    HeadlineRule("BUG: KASAN",          r"BUG: KASAN: (?P<message>[a-z][a-z -]{2,60}?)(?: in (?P<where>\S+(?: \[\w+\])?).*)?$", Kind.KASAN, Entry.CHECKER, _plain),
    HeadlineRule("BUG: KFENCE",         r"BUG: KFENCE: (?P<message>[a-z][a-z -]{2,60}?)(?: in (?P<where>\S+(?: \[\w+\])?).*)?$", Kind.KFENCE, Entry.CHECKER, _plain),
    HeadlineRule("BUG: KCSAN",          r"BUG: KCSAN: (?P<message>[a-z][a-z -]{2,60}?)(?: in (?P<where>\S+)(?: / (?P<target>\S+))?)?$", Kind.KCSAN, Entry.CHECKER, _plain),
    HeadlineRule("UBSAN: ",             r"UBSAN: (?P<message>[A-Za-z][\w -]{2,60}) in (?P<file>[^\s:]{1,300}):(?P<line>\d{1,7})", Kind.UBSAN, Entry.CHECKER, _plain),
    # Locks and context
    HeadlineRule("WARNING: ",           r"WARNING: (?P<message>possible (?:circular|recursive|irq lock inversion).{0,60}|inconsistent lock state|suspicious RCU usage|bad unlock balance detected.{0,3}"
                                        r"|.{1,20}-safe -> .{1,20}-unsafe lock order detected|Nested lock was not taken|lock held when returning to user space.{0,3}|still has locks held.{0,3}|held lock freed.{0,3})",
                                                                                        Kind.LOCKDEP,         Entry.CHECKER, _plain),
    HeadlineRule("[ ",                  r"=*\[ (?P<message>BUG: (?:Invalid wait context|.{3,50}held.{0,40}|bad (?:unlock|contention).{0,40})|INFO: (?:possible|suspicious|inconsistent).{0,60}) \]",
                                                                                        Kind.LOCKDEP,         Entry.CHECKER, _plain),
    HeadlineRule("INFO: ",              r"INFO: (?P<message>trying to register non-static key)", Kind.LOCKDEP, Entry.CHECKER, _plain),
    HeadlineRule("DEBUG_LOCKS_WARN",    r"(?P<message>DEBUG_LOCKS_WARN_ON\(.{1,80}\))", Kind.LOCKDEP,         Entry.MESSAGE, _plain),
    HeadlineRule("sleeping function",   r"(?:BUG: )?(?P<message>sleeping function called from invalid context) " + _AT, Kind.SLEEP_IN_ATOMIC, Entry.CHECKER, _plain),
    HeadlineRule("while atomic",        r"(?:BUG: )?(?P<message>scheduling while atomic)(?:: (?P<comm>.{1,40}?)/(?P<pid>\d{1,10})/(?:0x)?(?P<count>[0-9a-f]{1,8})?)?", Kind.SLEEP_IN_ATOMIC, Entry.CHECKER, _while_atomic),
    HeadlineRule("the idle thread",     r"bad: (?P<message>scheduling from the idle thread)", Kind.SLEEP_IN_ATOMIC, Entry.CHECKER, _plain),
    HeadlineRule("smp_processor_id",    r"BUG: (?P<message>using \w+\(\) in preemptible)(?: \[\w+\] code: (?P<comm>.{1,40})/(?P<pid>\d{1,10}))?", Kind.SLEEP_IN_ATOMIC, Entry.CHECKER, _plain),
    HeadlineRule("spinlock ",           r"BUG: (?P<message>spinlock (?:bad magic|lockup suspected|recursion|already unlocked|wrong.{3,10}))", Kind.LOCKDEP, Entry.CHECKER, _plain),
    # No progress
    HeadlineRule("soft lockup",         r"(?:NMI )?(?:watchdog: )?BUG: (?P<message>soft lockup) - CPU#(?P<cpu>\d{1,5}) stuck for (?P<secs>\d{1,7})s!(?: \[(?P<comm>.{1,40}):(?P<pid>\d{1,10})\])?",
                                                                                        Kind.SOFT_LOCKUP,     Entry.CHECKER, _plain),
    HeadlineRule("hard LOCKUP",         r"(?:NMI )?(?:[Ww]atchdog:? )?(?:CPU\d+: )?(?:Watchdog |CPU\d+: )?detected (?P<message>hard LOCKUP)(?: on cpu (?P<cpu>\d{1,5}))?", Kind.HARD_LOCKUP, Entry.CHECKER, _plain),
    HeadlineRule("stall",               r"(?:.{1,20} login: )?(?:rcu: )?INFO: (?P<target>rcu\w*) (?P<message>(?:self-)?detected (?:expedited )?stalls?)(?: on CPUs?(?:/tasks:?)?)?", Kind.RCU_STALL, Entry.CHECKER, _rcu_stall),
    HeadlineRule("blocked for more",    r"INFO: task (?P<comm>\S.{0,60}):(?P<pid>\d{1,10}) (?P<message>blocked) (?:in I/O wait )?for more than (?P<secs>\d{1,9}) seconds", Kind.HUNG_TASK, Entry.CHECKER, _plain, "blocked task"),
    HeadlineRule("workqueue lockup",    r"BUG: (?P<message>workqueue lockup) - ?(?P<target>.{0,120}?)(?: stuck for (?P<secs>\d{1,9})s!?)?$", Kind.WORKQUEUE_LOCKUP, Entry.CHECKER, _plain),
    # Memory
    HeadlineRule("BUG: Bad ",           r"BUG: (?P<message>Bad (?:page|rss-counter)(?: (?:state|map|cache))?)(?: in process (?P<comm>\S{1,40}))?", Kind.BAD_PAGE, Entry.CHECKER, _plain),
    HeadlineRule("BUG ",                r"BUG (?P<target>[\w.:-]{1,60}?) ?(?:\(.{1,60}\))?: (?P<message>(?:Poison|Redzone|Left Redzone|Right Redzone|Object|Padding|Free(?:pointer|chain|list)|Attempt to free|Invalid object|Not a valid slab|Wrong).{0,60})",
                                                                                        Kind.BAD_PAGE,        Entry.CHECKER, _plain),
    # Hardware
    HeadlineRule("ardware Error]",      r"(?:\{\d+\})?\[Hardware Error\]: (?P<message>Hardware error from APEI .*)",  Kind.HARDWARE_ERROR, Entry.CHECKER, _plain),
    HeadlineRule("Memory failure",      r"(?P<message>Memory failure): (?P<pfn>0x[0-9a-f]{1,16}): (?P<words>.{1,200})", Kind.HARDWARE_ERROR, Entry.CHECKER, _memory_failure),
    HeadlineRule("EDAC ",               r"EDAC \S{1,40}: \d{1,10} (?P<what>UE) ",                       Kind.HARDWARE_ERROR, Entry.CHECKER, _edac, "uncorrected memory error"),
    # Before a panic
    HeadlineRule("invoked oom-kil",     r"(?P<comm>.{1,40}?) (?P<message>invoked oom-killer): gfp_mask=(?P<mask>0x[0-9a-f]{1,16}\S{0,120}?),.{0,60}?\border=(?P<order>-?\d{1,3})",
                                                                                                        Kind.PANIC,          Entry.PRELUDE, _oom),
    HeadlineRule("mount root fs via",   r"VFS: (?P<message>Unable to mount root fs via \w{1,10})",     Kind.PANIC,          Entry.PRELUDE, _root_over_network),
    HeadlineRule("open root device",    r"VFS: (?P<message>Cannot open root device) \"(?P<device>[^\"]{0,200})\" or (?P<block>[^:]{1,60})(?:: error (?P<error>-?\d{1,6}))?",
                                                                                                        Kind.PANIC,          Entry.PRELUDE, _no_root),
    # BUG and WARN
    HeadlineRule("ernel BUG at",        r"kernel BUG " + _AT,                                           Kind.KERNEL_BUG,     Entry.BUG, _plain, "kernel BUG"),
    HeadlineRule("ernel BUG at",        r"Kernel BUG at (?P<addr>[0-9a-f]{8,16}) \[verbose",            Kind.KERNEL_BUG,     Entry.BUG, _plain, "kernel BUG"),
    HeadlineRule("ernel BUG at",        r"Kernel BUG at (?P<where>\S+)",                                Kind.KERNEL_BUG,     Entry.BUG, _plain, "kernel BUG"),
    HeadlineRule("WARNING: ",           r"WARNING: " + _CPU + _AT + r"(?: (?P<where>\S+(?: \[\w+\])?))?", Kind.WARNING,      Entry.WARN, _plain, "WARNING"),
    HeadlineRule("WARNING: ",           r"WARNING: (?P<file>{FILE}):(?P<line>\d{1,7}) at (?P<where>\S+(?: \[\w+\])?), CPU#(?P<cpu>\d{1,5}): (?P<comm>.{1,40})/(?P<pid>\d{1,10})",
                                                                                                        Kind.WARNING,        Entry.WARN, _plain, "WARNING"),
    HeadlineRule("WARNING: ",           r"WARNING: (?:CPU: ?-?(?P<cpu>\d{1,5}) PID: ?(?P<pid>\d{1,10}) )?at (?P<where>\S+(?: \[\w+\])?)", Kind.WARNING, Entry.WARN, _plain, "WARNING"),
    # User space
    HeadlineRule("unhandled ",          r"(?P<comm>.{1,40})\[(?P<pid>\d{1,10})\]: (?P<message>unhandled (?:exception|level|input|.{2,40}fault)).*", Kind.USER_FAULT, Entry.USER, _user),
    HeadlineRule("undefined instr",     r"(?P<comm>.{1,40})\[(?P<pid>\d{1,10})\]: (?P<message>undefined instruction): pc=", Kind.USER_FAULT, Entry.USER, _user),
    # Firmware
    HeadlineRule("in EL3",              r"(?:ERROR: +)?(?P<message>Unhandled (?:Exception|External Abort|Interrupt Exception).{0,20} in EL3)", Kind.FIRMWARE_CRASH, Entry.OTHER, _plain),
    HeadlineRule("from EL3",            r"(?:ERROR: +)?(?P<message>Unhandled External Abort) received on 0x[0-9a-f]{1,16} from EL3", Kind.FIRMWARE_CRASH, Entry.OTHER, _plain),
    HeadlineRule("PANIC",               r"(?P<message>PANIC (?:at PC|in EL3)) ?: ?(?P<addr>0x[0-9a-f]{1,16})?",  Kind.FIRMWARE_CRASH, Entry.OTHER, _plain),
    HeadlineRule("handler, esr",        r'"(?P<message>(?:Synchronous Abort|Error|Fiq|Irq))" handler, esr 0x[0-9a-f]{1,16}', Kind.FIRMWARE_CRASH, Entry.OTHER, _plain),
    HeadlineRule("Exception at 0x",     r"(?P<message>(?:Synchronous|SError|IRQ|FIQ) Exception) at (?P<addr>0x[0-9a-fA-F]{1,16})", Kind.FIRMWARE_CRASH, Entry.OTHER, _plain),
    HeadlineRule("TC:",                 r"E/TC:\S{0,10} ?\S{0,10} ?(?P<message>(?:Core|User mode|User TA)?.{0,20}(?:data-abort|prefetch-abort|undef-abort|[Pp]anic).{0,40})", Kind.FIRMWARE_CRASH, Entry.OTHER, _plain),
)
# fmt: on


def match_headline(text: str, source: Source) -> tuple[HeadlineRule, Facts] | None:
    """Return the first rule of the table that the line satisfies, with its facts."""
    for rule in TABLE:
        if rule.needle in text:
            match = compiled(rule.pattern).match(text)
            if match is not None:
                facts = rule.build(rule, match, source)
                return (rule, facts) if facts else None
    return None
