"""Lines of hardware error reports: APEI's CPER records, memory failure handling, EDAC.

Sources, read in Debian's linux-source-6.12 (6.12.117): drivers/acpi/apei/ghes.c (__ghes_print_estatus()),
drivers/firmware/efi/cper.c and cper-arm.c, mm/memory-failure.c, drivers/edac/edac_mc.c (edac_ue_error()).
"""

# ruff: noqa: E501 -- rows of tables, one a line

import re

from whypanic.crashlog.sections.rule import Facts, Part, Rule, number
from whypanic.model.fault import Detail
from whypanic.model.hardware import EdacError, HardwareRecord, MemoryFailure
from whypanic.model.provenance import Source

PREFIX = r"(?:\{\d{1,6}\})?\[Hardware Error\]: {0,12}"


def _detail(match: re.Match[str], source: Source) -> Facts:
    return (Detail(name="hardware-error", value=match.string, source=source),)


def _record(match: re.Match[str], source: Source) -> Facts:
    return (
        HardwareRecord(name=match["name"].strip(), value=match["value"].strip(), source=source),
    )


def memory_failure(match: re.Match[str], source: Source) -> Facts:
    """Return the page that was taken out of use."""
    return (MemoryFailure(pfn=number(match["pfn"]), words=match["words"].strip(), source=source),)


def edac(match: re.Match[str], source: Source) -> Facts:
    """Return a corrected or uncorrected error of a memory controller."""
    return (EdacError(uncorrected=match["what"] == "UE", words=match.string, source=source),)


# fmt: off
RULES: tuple[Rule, ...] = (
    Rule("ardware Error]",  PREFIX + r"(?P<name>[A-Za-z][\w .()-]{0,60}?): {0,4}(?P<value>\S.{0,200})$",    _record,        Part.DETAIL),
    Rule("ardware Error]",  PREFIX,                                                                        _detail,        Part.DETAIL),
    Rule("Memory failure:", r"Memory failure: (?P<pfn>0x[0-9a-f]{1,16}): (?P<words>.{1,200})",              memory_failure, Part.DETAIL),
    Rule("EDAC ",           r"EDAC \S{1,40}: \d{1,10} (?P<what>[UC]E) ",                                    edac,           Part.DETAIL),
    Rule("GHES: ",          r"GHES: ",                                                                     _detail,        Part.DETAIL),
)
# fmt: on
