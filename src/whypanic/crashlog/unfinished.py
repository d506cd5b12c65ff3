"""The shapes of log lines that are visibly unfinished, and of the line that is the rest of them.

Pure tables, read top down for the lead at hand. Grammar: the formats of Linux
arch/arm64/kernel/{process,traps,stacktrace}.c, arch/arm64/mm/fault.c, arch/arm64/kvm/handle_exit.c,
kernel/panic.c, mm/kasan/report.c and lib/dump_stack.c.
"""

from typing import NamedTuple

_HEX = r"(?:0x)?[0-9a-f]{8,16}"
REF = r"[\w.$]{1,200}\+0x[0-9a-f]+/0x[0-9a-f]+"
_INSN = r"(?:0x)?[0-9a-f]{1,16}:\s+[0-9a-f]{8}\s"
_FLAGS = r"[A-Za-z+\-= ]{1,60}\)"
_FIELD = r"(?:IL = )?(?:\d+ )?bits|0x[0-9a-f]+(?:, .{1,60})?|\w+ = .{1,80}"
_FIELDS = r".*(?:,| =| IL(?: = \d+)?)"
_WALK = r"[,+]? ?\*?(?:pgd|p4d|pud|pmd|pte)=[0-9a-f]+.*"
_MODULE = r"[a-z0-9_]{2,60}(?:\([A-Z+-]{1,8}\))?"
_CONTENT = r"(?=.*(?:\d\.\d|#\d|rc\d|Tainted:|Not tainted)).{1,160}"
_BEHIND_VERSION = r"(?:PREEMPT\S{0,20}|SMP|NONE|PREEMPT \(?\w+\)?)(?: .{0,40})?"


class Unfinished(NamedTuple):
    """One pair of shapes; both must match the whole text of their line."""

    lead: str
    """BY_LEAD: letters that the first line begins with, alternatives between `|`; BY_FIRST: the
    first character of the second line."""
    begun: str
    rest: str
    loose: bool = False
    """`rest` says little: the second line must not be the start of another known line."""
    printed: bool = False
    """The kernel prints the rest with a call of its own, so it may carry a stamp."""


# fmt: off
BY_LEAD: tuple[Unfinished, ...] = (
    Unfinished("Internal",
        r"Internal error:(?!.*\[#\d).*",
        r"(?:[\w/ -]{1,60}: )?(?:[0-9a-f]{1,16} ?)?(?:\[#\d+\].{0,40})?"),
    Unfinished("Internal",
        r"Internal error:.*\[#\d+\].*",
        _BEHIND_VERSION),
    Unfinished("Unable|BUG",
        rf"(?:BUG: )?Unable to handle (?!.*address:? {_HEX}).*",
        rf"[a-z /-]{{0,60}}:? ?{_HEX}"),
    Unfinished("pstate",
        r"pstate ?: [0-9a-f]+ \([^)]*",
        _FLAGS),
    Unfinished("pstate",
        r"pstate ?: [0-9a-f]+",
        rf"\({_FLAGS}"),
    Unfinished("x",
        r"(?:.*\s)?x\d\d? ?:",
        rf"{_HEX}(?:\s+x\d\d? ?:.*)?"),
    Unfinished("x",
        r"(?:.*\s)?x\d\d?",
        rf": ?{_HEX}.*"),
    Unfinished("pc|lr",
        r"(?:pc|lr) ?:",
        rf"{REF}.*|(?:\[<)?{_HEX}.*"),
    Unfinished("pc",
        rf"pc : \[<{_HEX}>\]",
        rf"lr : \[<{_HEX}>\](?: pstate: [0-9a-f]{{8}})?"),
    Unfinished("pc",
        rf"pc : \[<{_HEX}>\] lr : \[<{_HEX}>\](?: pstate:)?",
        r"(?:pstate: )?[0-9a-f]{8}"),
    Unfinished("sp",
        r"sp ?:",
        _HEX),
    Unfinished("CPU",
        r"CPU: \d+ (?!.* #\d).*(?:PID|Comm):.*",
        _CONTENT, loose=True),
    Unfinished("CPU",
        r"CPU: \d+ .* #\d.*",
        rf"{_BEHIND_VERSION}|[0-9a-f]{{40}}"),
    Unfinished("Linux",
        r"Linux version (?!.* #\d).*",
        _CONTENT, loose=True),
    Unfinished("Modules",
        r"Modules linked in:(?!.*\]$).*",
        rf"(?=.*[_(\d]){_MODULE}(?: {_MODULE})*(?: \[last .*)?", printed=True),
    Unfinished("Modules",
        r"Modules linked in:(?!.*\]$).*\[last.*",
        r"(?:unloaded: ?)?\S{1,60}\]"),
    Unfinished("Modules",
        r"Modules linked in:.*",
        r"\[last unloaded: .*", printed=True),
    Unfinished("swapper|user",
        r"(?:swapper|user) pgtable:(?!.*pgdp? ?= ?[0-9a-f_(]).*",
        r"(?:.{0,40}\W)?pgdp? ?= ?\S+|[0-9a-f]{8,16}"),
    Unfinished("[",
        r"\[[0-9a-f]{8,16}\](?:\s\*?pgd=(?!.*pte=).*)?",
        _WALK, printed=True),
    Unfinished("[",
        rf"\[<{_HEX}>\]",
        rf"{REF}.*"),
    Unfinished("[",
        r"\[[0-9a-f]{8,16}\] user address.*",
        r"(?:is )?swapper"),
    Unfinished("[",
        r"\[[0-9a-f]{8,16}\] address.*",
        r"[a-z ]{0,40}ranges"),
    Unfinished("EC|Exception|SET|EA|ISV|CM|GCS",
        _FIELDS,
        _FIELD),
    Unfinished("ESR",
        r"ESR =",
        r"0x[0-9a-f]{8,16}"),
    Unfinished("ESR",
        r"ESR: 0x[0-9a-f]+",
        r"-- .*"),
    Unfinished("FSC",
        r"FSC = 0x[0-9a-f]+:(?!.*(?:fault|abort|error)).*",
        r"[\w() -]{0,60}(?:fault|abort|error)\b.{0,40}"),
    Unfinished("PS",
        r"PS:[0-9a-f]+(?: PC:[0-9a-f]+)?",
        r"(?:PC|ESR):[0-9a-f]+.*"),
    Unfinished("FAR",
        r"FAR:[0-9a-f]+(?: HPFAR:[0-9a-f]+)?",
        r"(?:HPFAR|PAR):[0-9a-f]+.*"),
    Unfinished("kvm",
        r"kvm(?: \[\d+\])?: .*nVHE hyp [^!]*",
        rf"(?:at:? )?(?:\[<{_HEX}>\] ?)?(?:{REF}|\S+:\d+|{_HEX})!"),
    Unfinished("WARNING",
        r"WARNING: (?:CPU: \d+ PID: \d+ )?at(?: \S+:\d+)?",
        r"\S+:\d+.*|[\w.$]+\+0x.*"),
    Unfinished("WARNING",
        r"WARNING: CPU: \d+ PID: \d+",
        r"at \S+.*"),
    Unfinished("kernel",
        r"kernel BUG at",
        r"\S+:\d+ ?!"),
    Unfinished("Kernel",
        r"Kernel BUG at \S+ \[verbose(?: debug(?: info)?)?",
        r"(?:debug )?(?:info )?unavailable\]"),
    Unfinished("Kernel",
        r"Kernel panic - not syncing: Attempted to kill init!",
        r"exitcode=.*"),
    Unfinished("Kernel",
        r"Kernel panic - not syncing:",
        r"[A-Za-z](?!.*[.,!]$).{1,100}|\w+ set \.\.\.", loose=True),
    Unfinished("Kernel",
        r"Kernel panic -(?: not)?",
        r"(?:not )?syncing.*"),
    Unfinished("Kernel",
        r"Kernel panic - not syncing: Asynchronous(?: SError)?",
        r"(?:SError )?Interrupt\S{0,4}"),
    Unfinished("Kernel",
        r"Kernel Offset: 0x[0-9a-f]+(?: from)?",
        r"(?:from )?0x[0-9a-f]+"),
    Unfinished("Code",
        r"Code:[0-9a-f ]*",
        r"\(?[0-9a-f]{8}\)?(?: \(?[0-9a-f]{8}\)?)*", printed=True),
    Unfinished("-",
        r"---\[ end (?!.*\]-).*",
        r"(?!PS:|FAR:|VCPU:).{0,160}\]-+"),
    Unfinished("Task|IRQ|Overflow",
        r"(?:Task|IRQ|Overflow) stack:",
        r"\[0x[0-9a-f]{8,16}\.\.0x[0-9a-f]{8,16}\]"),
    Unfinished("KASAN",
        r"KASAN: [\w-]+(?: [\w-]+){0,2} in range",
        r"\[0x[0-9a-f]{1,16}-0x[0-9a-f]{1,16}\]"),
    Unfinished("Process",
        r"Process .{1,40} \(pid: \d+,(?: stack(?: limit(?: =)?)?)?",
        r"(?:stack )?(?:limit )?(?:= )?0x[0-9a-f]{8,16}\)"),
    Unfinished("Hardware",
        r"Hardware name: .*,",
        r"BIOS .{1,80}"),
    Unfinished("SError",
        r"SError Interrupt on CPU\d+, code 0x[0-9a-f]+",
        r"-- .*"),
    Unfinished("Bad",
        r"Bad mode in .*code 0x[0-9a-f]+",
        r"-- .*"),
    Unfinished("Unhandled",
        r"Unhandled .*ESR 0x[0-9a-f]+",
        r"-- .*"),
    Unfinished("SError",
        r"SError Interrupt(?!.*code 0x).*",
        r"(?:(?:on|CPU\d+,|code) ){0,3}0x[0-9a-f]+(?: .*)?"),
    Unfinished("Bad",
        r"Bad mode in(?!.*code 0x).*",
        r"(?:(?:Synchronous|Abort|Error|IRQ|handler|detected|on|CPU\d+,|code) ){0,7}0x[0-9a-f]+(?: .*)?"),
    Unfinished("Unhandled",
        r"Unhandled .*exception(?!.*ESR 0x).*",
        r"(?:(?:on|CPU\d+,|ESR) ){0,3}0x[0-9a-f]+(?: .*)?"),
    Unfinished("INFO",
        r"INFO: task .{1,60}:\d+(?!.*seconds).*",
        r"(?:(?:blocked|in|I/O|wait|for|more|than|\d+) ){0,7}seconds\.?.*"),
    Unfinished("UBSAN",
        r"UBSAN: [\w -]{2,60} in",
        r"\S{1,200}:\d+(?::\d+)?"),
    Unfinished("watchdog",
        r"watchdog: BUG: soft lockup(?!.*\d+s!).*",
        r"(?:(?:-|CPU#\d+|stuck|for) ){0,4}\d+s!.*"),
    Unfinished("watchdog",
        r"watchdog: BUG: soft lockup .* \d+s!",
        r"\[.{1,40}:\d+\]"),
    Unfinished("rcu",
        r"rcu: INFO: rcu\w*(?: self-)?(?: ?detected)?(?: expedited)?",
        r"(?:detected )?(?:expedited )?stalls? on .*"),
    Unfinished("BUG",
        r"BUG: K[A-Z]+: .* in",
        rf"{REF}.*|[\w.$]{{1,200}}(?: \(.*)?"),
    Unfinished("BUG",
        r"BUG: soft lockup.* stuck for",
        r"\d+s!.*"),
    Unfinished("Read|Write",
        r"(?:Read|Write) of size \d+(?!.* by task).*",
        r"(?:at |addr |[0-9a-f]{8,16} |by )+task .*|(?:at )?addr .*"),
)
BY_FIRST: tuple[Unfinished, ...] = (
    Unfinished("[",
        rf"(?:.* )?{REF}(?: \(.*\))?",
        r"\[[\w-]{2,60}(?: [0-9a-f]{16,40})?\](?: \([A-Z]{1,4}\))?"),
    Unfinished("[",
        rf"(?:.* )?{REF} .*:\d+",
        r"\[inline\]"),
    Unfinished("(",
        rf"(?:.* )?{REF}(?: \[[\w-]+\])?",
        r"\([A-Z]{1,4}\)|\([\w/.+-]+:\d+.*\)"),
    Unfinished("<",
        rf"(?:.* )?{_INSN}.*",
        r"<[\w.$]+(?:\+0x[0-9a-f]+)?>(?:\s.*)?"),
    Unfinished("/",
        rf"(?:.* )?{_INSN}.*",
        r"// .{1,60}"),
    Unfinished("#",
        rf"(?:.* )?{_INSN}.*,",
        r"#-?(?:0x)?[0-9a-f]+.*"),
)
# fmt: on
STARTS = (
    # how lines begin that never are the rest of another
    r"[A-Z][\w /]{1,30}:|[a-z]\d\d? ?: ?[0-9a-f]"
    r"|(?:pc|lr|sp|pstate|pmr_save|task|note|kvm|rcu|watchdog)\b ?[:\[]"
    r"|-{3}|={3}|\[[<0-9a-f]|<|[\w.$]+\+0x[0-9a-f]+/|(?:0x)?[0-9a-f]{1,16}:|[\w.$]+:\s"
    r"|(?:PS|FAR|VCPU|HPFAR|ESR|PAR|PC|LR):|(?:PC|LR) is at|HYP panic|[A-Z]\w{1,4} ="
    r"|Unable to|Insufficient|Internal error|Kernel panic|kernel BUG|Call [tT]race|swapper pg"
    r"|user pg|Modules linked|Hardware name|Rebooting|Read of|Write of|Allocated by|Freed by"
    r"|The buggy|SError|Bad mode|Process |Stack|[A-Z][a-z]{2} +\d{1,2} \d\d:|\d{4}-\d\d-|\[ |```|~~~|[#$%] |\*\* "
)
