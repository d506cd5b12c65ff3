"""The `Internal error:` line that die() prints.

Source: arch/arm64/kernel/traps.c `__die()` (from memory): `%x` before 5.19, `%016lx` since.
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, hex_digits, number, optional_int
from whypanic.model.fault import InternalError, Syndrome, SyndromePlace
from whypanic.model.provenance import Source

EC_UNKNOWN_WITHOUT_IL = 1 << 25
"""An ESR below this has EC 0 and IL 0: die() was given a plain number (0, a signal) instead."""


def error(match: re.Match[str], source: Source) -> Facts:
    """Return the error line, and the ESR it holds where it holds one."""
    digits = match["err"]
    err = number(digits) if digits else None
    found: list[InternalError | Syndrome] = [
        InternalError(
            name=match["name"].strip(),
            err=err,
            n_digits=hex_digits(digits) if digits else 0,
            count=optional_int(match["count"]),
            suffix=(match["suffix"] or "").strip(),
            source=source,
        )
    ]
    if err is not None and err >= EC_UNKNOWN_WITHOUT_IL:
        found.append(
            Syndrome(
                esr=err,
                place=SyndromePlace.INTERNAL_ERROR,
                n_digits=hex_digits(digits),
                source=source,
            )
        )
    return tuple(found)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("Internal error:", r"Internal error: ?(?P<name>.{0,120}?):? (?P<err>[0-9a-fA-F]{1,16}) \[#(?P<count>\d{1,6})\](?P<suffix>.*)",
                                                                                          error, Part.ERROR),
    Rule("Internal error:", r"Internal error: ?(?P<name>[^:]{0,120}):(?: (?P<err>[0-9a-fA-F]{1,16}))?(?P<count>(?!))?(?P<suffix>.{0,40})$",
                                                                                          error, Part.ERROR),
    Rule("Internal error:", r"Internal error: ?(?P<name>[^:]{1,120})(?P<err>(?!))?(?P<count>(?!))?(?P<suffix>)$",
                                                                                          error, Part.ERROR),
)
# fmt: on
