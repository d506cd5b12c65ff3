"""ECC or the RAS extension reported corrupted memory.

Supported by: a firmware record of a memory error or of an uncorrected cache error, a page taken out of use, an
uncorrected error of a memory controller, ECC in the fault status or in the core's own SError syndrome.
Refuted by: a firmware record of another device only.
Sources: Linux 6.12.117 drivers/firmware/efi/cper.c, cper-arm.c, mm/memory-failure.c, drivers/edac/edac_mc.c.
From memory: Arm ARM DDI 0487 L, ESR_EL1 (DFSC, AET).
"""

from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import fault_kind
from whypanic.causes.api import cause
from whypanic.causes.case import CaseView
from whypanic.causes.serror import SerrorSource, serror_source
from whypanic.model.claims import NextStep, Statements, consistent, refutes, supports
from whypanic.model.hardware import EdacError, HardwareRecord, MemoryFailure
from whypanic.model.kinds import Kind

_MEMORY_SECTIONS = ("memory error",)
_PROCESSOR_SECTIONS = ("ARM processor error", "general processor error")


@cause(
    id="memory-error",
    title="memory was corrupted, and the hardware noticed",
    kinds=frozenset({Kind.HARDWARE_ERROR, Kind.SERROR, Kind.EXTERNAL_ABORT, Kind.PANIC}),
    specificity=7,
)
def memory_error(case: CaseView) -> Statements:
    """Yield records of memory errors, and what the syndrome says."""
    found = False
    for statement in _recorded(case):
        found = True
        yield statement
    for failure in case.all(MemoryFailure)[:2]:
        found = True
        yield supports(
            f"page frame {failure.pfn:#x} was taken out of use: {failure.words}", failure
        )
    error = next((e for e in case.all(EdacError) if e.uncorrected), None)
    if error is not None:
        found = True
        yield supports("a memory controller reports an error that it could not correct", error)
    if fault_kind(case) is FaultKind.ECC and case.syndrome is not None:
        found = True
        yield supports("the fault status is a parity or ECC error", case.syndrome)
    if case.kind is Kind.SERROR and case.syndrome is not None:
        source = serror_source(case)
        if source is SerrorSource.ECC:
            found = True
            yield consistent(
                "the syndrome, as Cortex-A35 and A53 define it, is a double-bit error in the L2 cache",
                case.syndrome,
            )
    if found:
        yield NextStep(
            text="note the address and FRU of the record, and test or replace that module"
        )


def _recorded(case: CaseView) -> Statements:
    records = case.all(HardwareRecord)
    sections = [r for r in records if r.name == "section_type"]
    severity = next((r for r in records if r.name == "event severity"), None)
    for section in sections:
        corrected = severity is not None and severity.value == "corrected"
        if section.value in _MEMORY_SECTIONS:
            how = "and corrected" if corrected else "and not corrected"
            yield supports(f"firmware recorded a memory error, {how}", section)
        elif section.value in _PROCESSOR_SECTIONS:
            cache = next((r for r in records if r.name == "error_type" and "ache" in r.value), None)
            if cache is not None:
                yield supports("firmware recorded a cache error of a CPU", section, cache)
            else:
                yield consistent("firmware recorded an error of a CPU", section)
    address = next(
        (r for r in records if r.name.startswith("physical") and "mask" not in r.name), None
    )
    if sections and address is not None:
        yield consistent(f"at physical address {address.value}", address)
    if not sections and not records and case.kind is Kind.HARDWARE_ERROR:
        head = case.headline
        if head is not None and not case.all(MemoryFailure) and not case.all(EdacError):
            yield consistent("a hardware error of which the text has no details", head)
    known = (*_MEMORY_SECTIONS, *_PROCESSOR_SECTIONS)
    if sections and not any(s.value in known for s in sections):
        yield refutes(f"the record is of something else: {sections[0].value}", sections[0])
