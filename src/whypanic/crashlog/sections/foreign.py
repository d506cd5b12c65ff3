"""Lines that only another architecture prints: their reports stand in the same lists and captures.

Sources: Linux arch/arm/kernel/traps.c (`S_ISA` behind `Internal error`, dump_backtrace_entry), arch/arm/kernel/process.c,
arch/riscv/kernel/process.c (__show_regs). From memory: x86, PowerPC, MIPS, s390 and LoongArch.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule
from whypanic.model.provenance import Source


def _nothing(_match: re.Match[str], _source: Source) -> Facts:
    return ()


# fmt: off
ERRORS: tuple[Rule, ...] = (
    Rule("Internal error:", r"Internal error: .{1,120}\[#\d{1,6}\].{0,40}\b(?:ARM|THUMB2)$",          _nothing, Part.FOREIGN),
)
"""Read before the lines of arm64's own die(), which has no instruction set to name."""
RULES: tuple[Rule, ...] = (
    # 32-bit Arm
    Rule("psr",         r"(?:pc : \[<[0-9a-f]{8}>\]|.*\bpsr ?: [0-9a-f]{8}\b)",                       _nothing, Part.FOREIGN),
    Rule("pc : [<",     r"pc : \[<[0-9a-f]{8}>\]",                                                    _nothing, Part.FOREIGN),
    Rule(" from ",      r"(?:\[<[0-9a-f]{8}>\] )?\(?[\w.]{1,100}(?: \[\w+\])?\)? from (?:\[<[0-9a-f]{8}>\] )?\(?[\w.]{1,100}\+0x[0-9a-f]{1,6}/", _nothing, Part.FOREIGN),
    Rule("Function ent", r"Function entered at \[<[0-9a-f]{8}>\] from ",                             _nothing, Part.FOREIGN),
    Rule("task: ",      r"task: [0-9a-f]{8} (?:ti|task\.stack): [0-9a-f]{8}\b",                       _nothing, Part.FOREIGN),
    Rule("r",           r"r(?:3|7|10) ?: [0-9a-f]{8} {1,2}(?:r|fp)",                                  _nothing, Part.FOREIGN),
    Rule("sp : ",       r"sp : [0-9a-f]{8} +ip : [0-9a-f]{8}\b",                                      _nothing, Part.FOREIGN),
    Rule("Flags: ",     r"Flags: [nN][zZ][cC][vV] +IRQs o",                                           _nothing, Part.FOREIGN),
    Rule("DAC: ",       r"Control: [0-9a-f]{8} +Table: [0-9a-f]{8} +DAC: ",                           _nothing, Part.FOREIGN),
    # x86, PowerPC
    Rule("IP: ",        r"(?:RIP|EIP|NIP): ?[0-9a-f]{4}",                                             _nothing, Part.FOREIGN),
    Rule("RAX: ",       r"RAX: [0-9a-f]{16}",                                                         _nothing, Part.FOREIGN),
    Rule("CR2: ",       r".*\bCR2: [0-9a-f]{16}",                                                     _nothing, Part.FOREIGN),
    # RISC-V, MIPS, LoongArch, s390
    Rule("epc",         r"epc ?: \S{1,100} +ra ?: ",                                                   _nothing, Part.FOREIGN),
    Rule("tp : ",       r"gp : [0-9a-f]{16} tp : ",                                                   _nothing, Part.FOREIGN),
    Rule("badaddr: ",   r"status: [0-9a-f]{16} badaddr: ",                                            _nothing, Part.FOREIGN),
    Rule("$ 0",         r"\$ 0 +: [0-9a-f]{8}",                                                       _nothing, Part.FOREIGN),
    Rule("era",         r".*(?:, epc ==|, era ==)",                                                   _nothing, Part.FOREIGN),
    Rule("Krnl ",       r"Krnl (?:PSW|GPRS|Code)",                                                    _nothing, Part.FOREIGN),
    Rule("Oops",        r"Oops \[#\d{1,6}\]$",                                                        _nothing, Part.FOREIGN),
    Rule("Call Trace:", r"Call Trace:",                                                               _nothing, Part.FOREIGN_HINT),
)
# fmt: on
