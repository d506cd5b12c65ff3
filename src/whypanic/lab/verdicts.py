"""From what a boot left to one verdict: a pure function.

Order of evidence: how the machine ended, what our init said, what the kernel reported, where the CPUs are, the
deadline. Exit codes of QEMU tell nothing: a machine that panicked and one that was turned off both end with 0.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from whypanic.lab.modes import Proof
from whypanic.lab.sampling import Motion
from whypanic.lab.watch import End, is_hang
from whypanic.model.fault import InternalError, PanicMessage
from whypanic.model.hyp import HypPanic
from whypanic.model.kinds import Kind
from whypanic.model.lab import CpuSample, ExceptionRecord, GuestResult, LabVerdict
from whypanic.model.report import LogReport


class Evidence(NamedTuple):
    """All that a verdict rests on."""

    end: End
    proof: Proof
    wanted: str
    """Id of the mode."""
    reports: tuple[LogReport, ...] = ()
    guest: GuestResult | None = None
    done: bool = False
    """Our init said that it is done."""
    no_kvm: bool = False
    """The mode has KVM, and our init found no /dev/kvm."""
    running: str | None = None
    """The test of the exerciser that had begun and not ended."""
    n_console_bytes: int = 0
    quiet_s: float = 0.0
    busy_s: float = 0.0
    """CPU time that the machine had in its silence."""
    deadline_s: float = 0.0
    motions: Mapping[int, Motion] = {}
    samples: tuple[CpuSample, ...] = ()
    exceptions: tuple[ExceptionRecord, ...] = ()
    n_exceptions: int = 0
    complaint: str = ""
    """QEMU's own words."""


class Judgement(NamedTuple):
    verdict: LabVerdict
    reason: str


_STALLS = frozenset(
    {
        Kind.SOFT_LOCKUP,
        Kind.HARD_LOCKUP,
        Kind.RCU_STALL,
        Kind.HUNG_TASK,
        Kind.WORKQUEUE_LOCKUP,
    }
)
_SURVIVED = frozenset(
    {
        Kind.WARNING,
        Kind.UBSAN,
        Kind.KASAN,
        Kind.KFENCE,
        Kind.KCSAN,
        Kind.LOCKDEP,
        Kind.SLEEP_IN_ATOMIC,
        Kind.BAD_PAGE,
        Kind.REFCOUNT,
        Kind.FORTIFY,
        Kind.LIST_CORRUPTION,
        Kind.HARDWARE_ERROR,
    }
)
"""Reports after which the kernel goes on, unless they come with die() or panic()."""
_NOT_OURS = frozenset({Kind.USER_FAULT, Kind.FIRMWARE_CRASH, Kind.BOOT_HANG})
_WORST = (
    LabVerdict.HYP_PANIC,
    LabVerdict.PANIC,
    LabVerdict.OOPS,
    LabVerdict.STALL,
    LabVerdict.WARNING,
)
FATAL = _WORST[:3]
"""What a kernel does not survive."""


def verdict_of_report(report: LogReport) -> LabVerdict | None:
    """Return what one crash report means for a boot; None: nothing."""
    if report.kind is Kind.HYP_PANIC or any(isinstance(f, HypPanic) for f in report.facts):
        return LabVerdict.HYP_PANIC
    if report.kind is Kind.PANIC or any(isinstance(f, PanicMessage) for f in report.facts):
        return LabVerdict.PANIC
    if report.kind in _NOT_OURS:
        return None
    if report.kind in _STALLS:
        return LabVerdict.STALL
    died = any(isinstance(f, InternalError) for f in report.facts)
    return LabVerdict.WARNING if report.kind in _SURVIVED and not died else LabVerdict.OOPS


def worst_report(reports: Sequence[LogReport]) -> Judgement | None:
    """Return the gravest of the crash reports, by the title of the one that it follows from."""
    found = [(v, r) for r in reports if (v := verdict_of_report(r)) is not None]
    for verdict in _WORST:
        for its, report in found:
            if its is verdict:
                root = report
                # A report follows one that stands before it, so this comes to an end.
                while root.follows is not None and root.follows < len(reports):
                    root = reports[root.follows]
                return Judgement(verdict, root.title)
    return None


def judge(evidence: Evidence) -> Judgement:
    """Return the verdict on a boot, with its reason in one line."""
    said = worst_report(evidence.reports)
    fatal = said is not None and said.verdict in FATAL
    if evidence.end is End.DIED and not fatal:
        return Judgement(LabVerdict.INFRASTRUCTURE, evidence.complaint)
    if said is not None and fatal:
        return said
    if evidence.end is End.POWER_OFF:
        return _powered_off(evidence, said)
    ended = _by_end(evidence)
    if said is not None and evidence.end is not End.STORM:
        return Judgement(said.verdict, f"{said.reason}; then {ended.reason}")
    return ended


def _by_end(evidence: Evidence) -> Judgement:
    """Return what the end of a boot tells by itself, of one that was not powered off."""
    match evidence.end:
        case End.PANICKED | End.PANIC_TEXT:
            return Judgement(LabVerdict.PANIC, "the kernel panicked, and its report cannot be read")
        case End.RESET:
            return Judgement(LabVerdict.RESET_LOOP, "the machine was reset, and no panic was said")
        case End.STORM:
            return Judgement(LabVerdict.EXCEPTION_STORM, _storm(evidence))
        case End.FLOOD:
            reason = f"{evidence.n_console_bytes >> 20} MiB of output, and no end"
            return Judgement(LabVerdict.SLOW, reason)
        case End.SILENT:
            return _silent(evidence)
        case _:
            return _late(evidence)


def _powered_off(evidence: Evidence, said: Judgement | None) -> Judgement:
    guest, proof = evidence.guest, evidence.proof
    if proof.proved is False:
        reason = f"asked for {evidence.wanted}, and the console says: {proof.words}"
        return Judgement(LabVerdict.WRONG_MODE, reason)
    if guest is not None and guest.failed:
        reason = guest.failures[0] if guest.failures else f"{guest.failed} tests failed"
        return Judgement(LabVerdict.KVM_FAIL, reason)
    if not evidence.done:
        where = f" while test {evidence.running} ran" if evidence.running else ""
        reason = f"the power went off{where}, and init had not said that it was done"
        return Judgement(LabVerdict.KVM_FAIL, reason)
    if evidence.no_kvm:
        return Judgement(LabVerdict.KVM_FAIL, "init found no /dev/kvm: KVM did not come up")
    if said is not None:
        return said
    return Judgement(LabVerdict.OK, proof.words or "nothing on the console tells the mode")


def _silent(evidence: Evidence) -> Judgement:
    verdict = LabVerdict.SILENT_HANG
    if not evidence.n_console_bytes:
        verdict = LabVerdict.NO_EARLY_OUTPUT
    return Judgement(verdict, _silence(evidence))


def _late(evidence: Evidence) -> Judgement:
    if is_hang(set(evidence.motions.values()), evidence.quiet_s, evidence.busy_s):
        return _silent(evidence)
    limit = f"{evidence.deadline_s:g} s"
    if not evidence.n_console_bytes:
        reason = f"no output within {limit}"
        return Judgement(LabVerdict.NO_EARLY_OUTPUT, reason)
    return Judgement(LabVerdict.SLOW, f"not at its end after {limit}: {_silence(evidence)}")


def _silence(evidence: Evidence) -> str:
    what = "no output at all" if not evidence.n_console_bytes else "no output"
    text = f"{what} for {evidence.quiet_s:.1f} s"
    if evidence.running:
        text += f" in test {evidence.running}"
    busy = [s for s in evidence.samples if not s.halted] or evidence.samples[:1]
    clauses = [
        f"CPU {s.cpu} {evidence.motions[s.cpu].value}{_place(s)}"
        for s in busy
        if s.cpu in evidence.motions
    ]
    levels = {s.el for s in busy}
    faults = [record for record in evidence.exceptions if record.to_el in levels]
    if faults:
        clauses.append(f"the last fault there: {describe(faults[-1])}")
    return ", ".join((text, *clauses))


def _place(sample: CpuSample) -> str:
    level = "" if sample.el is None else f" at EL{sample.el}"
    name = f" ({sample.symbol})" if sample.symbol else ""
    return f"{level}, PC {sample.pc:#x}{name}"


def _storm(evidence: Evidence) -> str:
    text = f"{evidence.n_exceptions} exceptions and no output for {evidence.quiet_s:.1f} s"
    first = next(iter(evidence.exceptions), None)
    return text if first is None else f"{text}; the first: {describe(first)}"


def describe(record: ExceptionRecord) -> str:
    """Return an exception in one line."""
    parts = [f"{record.kind} from EL{record.from_el} to EL{record.to_el}"]
    for name, value in (("ESR", record.esr), ("FAR", record.far), ("ELR", record.elr)):
        if value is not None:
            parts.append(f"{name} {value:#x}")
    place = f" ({record.symbol})" if record.symbol else ""
    return ", ".join(parts) + place
