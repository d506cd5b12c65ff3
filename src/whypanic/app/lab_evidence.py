"""From what a boot left beside its console to facts: CPUs, exceptions, registers, the Image itself."""

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from whypanic.arch.values import MASK64
from whypanic.lab.markers import running_test
from whypanic.lab.modes import cpu_for, find_cpu, find_mode
from whypanic.model.context import BuildId
from whypanic.model.fault import Headline, Syndrome, SyndromePlace
from whypanic.model.hyp import HypOffset, HypPanic
from whypanic.model.kinds import Kind
from whypanic.model.lab import BootResult, BootSpec, CpuSample, ExceptionRecord
from whypanic.model.lab_facts import (
    BootedOn,
    BootWatched,
    CpuStuck,
    ExceptionSeen,
    SystemRegister,
)
from whypanic.model.provenance import Fact, Origin, Source
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

_HYPERVISOR_MODES = ("nvhe", "nvhe-on-vhe", "hvhe", "protected")
"""Modes in which nothing but the hypervisor runs at EL2 once the kernel has left it."""
_EL2 = 2
_MEASURED = Source(origin=Origin.LAB)
_MAX_EXCEPTIONS = 12
_MAX_FRAMES = 48
_GENERAL = frozenset(("sp", *(f"x{n}" for n in range(31))))
_OF_ONE_EXCEPTION = (("ESR_EL2", "esr"), ("ELR_EL2", "elr"))


class Place(NamedTuple):
    """An address of the code that was running, with its symbol."""

    pc: int
    pstate: int | None
    symbol: str | None
    cpu: int


def cpu_of(spec: BootSpec) -> str:
    """Return the argument of `-cpu` of a boot."""
    return spec.cpu or cpu_for(find_mode(spec.mode), spec.page)


def image_facts(result: BootResult, build_id: str | None) -> Iterator[Fact]:
    """Yield what is known of the kernel and the machine of a boot, whatever it printed."""
    cpu = cpu_of(result.spec)
    known = find_cpu(cpu)
    yield BootedOn(
        source=_MEASURED,
        cpu=cpu.partition(",")[0],
        vhe=known.vhe if known is not None else None,
        mode=result.spec.mode,
    )
    if build_id is not None:
        words = f"the Image that was booted holds build id {build_id}"
        yield BuildId(source=_measured(words), hex=build_id)


def hang_facts(result: BootResult, console: str, n_bytes: int) -> Iterator[Fact]:
    """Yield what was measured of a boot that printed nothing to explain it, the headline first."""
    place = place_of(result)
    yield Headline(
        source=_measured(result.reason),
        kind=Kind.BOOT_HANG,
        message=result.reason,
        cpu=None if place is None else place.cpu,
    )
    yield BootWatched(
        source=_MEASURED,
        verdict=result.verdict.value,
        reason=result.reason,
        n_console_bytes=n_bytes,
        n_exceptions=result.n_exceptions,
        running=running_test(console),
    )
    yield from map(_cpu, result.samples)
    rows, half = exceptions_seen(result.exceptions), _MAX_EXCEPTIONS // 2
    # The first tell how it began, the last what it has come to.
    yield from rows if len(rows) <= _MAX_EXCEPTIONS else (*rows[:half], *rows[-half:])
    for name, value in result.system_registers.items():
        yield SystemRegister(source=_MEASURED, name=name, value=value)
    own = first_of_el2(result)
    if own is not None:
        yield from _panic(result, own)
    if place is not None:
        yield from _registers(place)
    if own is None:
        yield from _general(result, place)
    yield from frames_of(result.backtrace)


def place_of(result: BootResult) -> Place | None:
    """Return where the machine came to its end: the first exception that EL2 took from itself, else a busy CPU."""
    own = first_of_el2(result)
    if own is not None and own.elr is not None:
        return Place(own.elr, saved_pstate(result, own), own.symbol, own.cpu)
    sample = next((s for s in result.samples if not s.halted), None)
    sample = sample or next((s for s in result.samples if s.pc), None)
    return None if sample is None else Place(sample.pc, sample.pstate, sample.symbol, sample.cpu)


def first_of_el2(result: BootResult) -> ExceptionRecord | None:
    """Return the first exception that a hypervisor took from itself; None where the kernel is all that runs at EL2.

    Its ELR, ESR and FAR are what a hyp panic would have printed as PC, ESR and FAR: the same registers.
    """
    if result.spec.mode not in _HYPERVISOR_MODES or result.proved_mode is False:
        return None
    own = (e for e in result.exceptions if e.from_el == e.to_el == _EL2 and e.elr is not None)
    return next(own, None)


def saved_pstate(result: BootResult, own: ExceptionRecord) -> int | None:
    """Return SPSR_EL2 of an exception, if the registers still hold that exception; QEMU's log has none."""
    registers = result.system_registers
    same = all(registers.get(name) == getattr(own, field) for name, field in _OF_ONE_EXCEPTION)
    n_alike = sum(e.from_el == e.to_el == _EL2 for e in result.exceptions)
    return registers.get("SPSR_EL2") if same and n_alike == 1 else None


def exceptions_seen(records: tuple[ExceptionRecord, ...]) -> tuple[ExceptionSeen, ...]:
    """Return exceptions with equal ones in a row as one."""
    return tuple(
        ExceptionSeen(
            source=_MEASURED,
            kind=record.kind,
            from_el=record.from_el,
            to_el=record.to_el,
            cpu=record.cpu,
            esr=record.esr,
            far=record.far,
            elr=record.elr,
            symbol=record.symbol,
            n_times=sum(1 for _ in row),
        )
        for record, row in groupby(records)
    )


def hyp_offset(result: BootResult, links: dict[int, int]) -> HypOffset | None:
    """Return how far hyp VAs lie from link VAs, as a CPU's own translation of its PC at EL2 shows.

    A PC that is its own physical address runs in the identity map and tells nothing.

    :param links: link VA of each physical PC that lies in the Image.
    """
    if result.spec.mode not in _HYPERVISOR_MODES or result.proved_mode is False:
        return None
    for sample in result.samples:
        if sample.el != _EL2 or sample.pa is None or sample.pa == sample.pc:
            continue
        link = links.get(sample.pa)
        if link is not None:
            words = (
                f"CPU {sample.cpu} runs at EL2 at {sample.pc:#x}, physical {sample.pa:#x}, where "
                f"{link:#x} was linked"
            )
            return HypOffset(source=_measured(words), offset=(link - sample.pc) & MASK64)
    return None


def _cpu(sample: CpuSample) -> CpuStuck:
    return CpuStuck(
        source=_MEASURED,
        cpu=sample.cpu,
        pc=sample.pc,
        el=sample.el,
        motion=sample.motion,
        symbol=sample.symbol,
        mmu_off=sample.pa is not None and sample.pa == sample.pc,
        halted=sample.halted,
    )


def _panic(result: BootResult, own: ExceptionRecord) -> Iterator[Fact]:
    source = _measured(exceptions_seen((own,))[0].statement)
    yield HypPanic(
        source=source,
        ps=saved_pstate(result, own),
        pc=own.elr,
        esr=own.esr,
        far=own.far,
        hpfar=None,
        par=None,
        vcpu=None,
    )
    if own.esr is not None:
        yield Syndrome(source=source, esr=own.esr, place=SyndromePlace.HYP_PANIC, n_digits=8)


def _registers(place: Place) -> Iterator[Fact]:
    words = f"CPU {place.cpu}: PC {place.pc:#x}"
    yield Register(source=_measured(words), name="pc", value=place.pc, ref=symbol_ref(place.symbol))
    if place.pstate is not None:
        words = f"CPU {place.cpu}: PSTATE {place.pstate:#x}"
        yield Register(source=_measured(words), name="pstate", value=place.pstate)


def _general(result: BootResult, place: Place | None) -> Iterator[Fact]:
    """Yield the registers of the CPU whose PC is shown, if they are of the same moment."""
    sample = next((s for s in result.samples if place is not None and s.cpu == place.cpu), None)
    if sample is None or place is None or sample.registers.get("pc") != place.pc:
        return
    for name, value in sample.registers.items():
        if name in _GENERAL:
            words = f"CPU {sample.cpu}: {name} {value:#x}"
            yield Register(
                source=_measured(words), name="lr" if name == "x30" else name, value=value
            )


def frames_of(backtrace: tuple[str, ...]) -> Iterator[Frame]:
    """Yield the calls on the stack of the stopped CPU, innermost first.

    :param backtrace: `function at file:line:column`, with ` (inlined)` behind it where it is, or `symbol+0x4`.
    """
    for text in backtrace[:_MAX_FRAMES]:
        words, _, _ = text.partition(" (inlined)")
        name, at, place = words.partition(" at ")
        if not name or name.startswith("0x"):
            continue
        ref = symbol_ref(name)
        file, line = None, None
        if at and ref is not None:
            ref = SymbolRef(symbol=ref.symbol)
            file, _, rest = place.partition(":")
            number = rest.partition(":")[0]
            line = int(number) if number.isdecimal() else None
        yield Frame(
            source=_measured(text),
            ref=ref,
            role=TraceRole.FAULT,
            file=file,
            line=line,
            inlined=text != words,
        )


def symbol_ref(text: str | None) -> SymbolRef | None:
    """Return `symbol+0x4` taken apart."""
    if not text:
        return None
    name, plus, offset = text.partition("+0x")
    return SymbolRef(symbol=name, offset=int(offset, 16) if plus else 0)


def _measured(words: str) -> Source:
    return Source(origin=Origin.LAB, text=words)
