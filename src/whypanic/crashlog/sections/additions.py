"""Lines that vendors, distributors and scripts add to the kernel's own report.

Sources: scripts/decodecode for the disassembly; the rest was read off posted logs: SUSE's `Supported:`, Huawei's
`TGID:`, Samsung's error registers and snapshot lines, Android's `Source Version:` and `GKI`.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, compiled
from whypanic.model.context import Taint
from whypanic.model.fault import Detail
from whypanic.model.provenance import Source


def _vendor(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="vendor", value=match.string, source=source),)


def _disassembly(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="disassembly", value=match.string, source=source),)


def _taint(match: re.Match[str], source: Source) -> Facts:
    letters = compiled(r"[A-Z]").findall(match["taint"])
    return (Taint(letters=tuple(letters), source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("ainted: ",      r"Tainted: (?P<taint>(?:[A-Z] *){1,20})$",                               _taint,       Part.IDENTITY),
    Rule("Supported: ",   r"Supported: (?:Yes|No)\b",                                              _vendor,      Part.DETAIL),
    Rule("TGID: ",        r"TGID: \d{1,10} Comm: \S",                                              _vendor,      Part.IDENTITY),
    Rule("Source Versi",  r"Source Version: \S",                                                   _vendor,      Part.DETAIL),
    Rule("MERRSR",        r"(?:CPU|L2)MERRSR: [0-9a-f]{8,16}",                                     _vendor,      Part.DETAIL),
    Rule("snapshot: ",    r"(?:exynos|debug)-snapshot: \S",                                        _vendor,      Part.DETAIL),
    Rule("All code",      r"All code$",                                                            _disassembly, Part.DETAIL),
    Rule("Code starting", r"Code starting with the faulting instruction$",                         _disassembly, Part.DETAIL),
    Rule(":",             r"[0-9a-f]{1,3}:\*?\s+(?:[0-9a-f]{2} ){1,12}\s*[a-z.(]",                 _disassembly, Part.DETAIL),
)
# fmt: on
