"""Which runs a text calls for: the suspected mechanism, its rivals, and the remedy.

Each assumes one thing that the text leaves open. Addresses are solved from the log, never given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from whypanic.arch.cores import core_of_midr
from whypanic.arch.identification import replay_cores
from whypanic.arch.kvm_eras import entry_nzcv
from whypanic.arch.pstate import decode_pstate
from whypanic.code.indirect_branch import TargetOrigin
from whypanic.code.switch_values import CoreChoice, SwitchSolution
from whypanic.model.context import BootCpu, KernelVersion
from whypanic.model.hyp import HypOffset, HypPanic, HypVaRange, IdmapPage
from whypanic.model.provenance import Fact
from whypanic.model.sections import SectionRelocation
from whypanic.replay.compare import LogValues, Role
from whypanic.replay.protocol import PAGE_BYTES, Job
from whypanic.replay.relocate import Placement, place
from whypanic.replay.subject import Subject
from whypanic.replay.table_argument import (
    ANY_ARGUMENT,
    ARGUMENTS,
    Pick,
    entries_at,
    find_picks,
    kernel_slide,
)

DEFAULT_CPU = "Cortex-A53"
_BLOCK = 1 << 21
"""The image moves by multiples of 2 MiB: an address keeps its place in them."""
_HYP_BASE = 1 << 47
_MASK_64 = (1 << 64) - 1
_VA_BITS = 48
_SHOWN = 4
_RETURN_VA = 0x7F00_0000_0000
_DEFAULT_LINK = 0xFFFF_0000_0808_0000
"""Where a function of an object is taken to be linked when the log does not tell: an EL1 address like any other."""


class Options(NamedTuple):
    """What the command line asks for."""

    at: str = "hyp"
    """hyp | link | pa | an address"""
    cpu: str | None = None
    registers: Mapping[str, int] = {}
    """x0..x30 before the first instruction."""
    system: Mapping[str, int] = {}
    """Overridden identification registers."""


class Hypothesis(NamedTuple):
    """One run and what it stands for."""

    id: str
    assumes: str
    cause: str | None
    """Id of the cause whose mechanism it is; None for a remedy or a plain run."""
    job: Job
    run_address: int | None
    roles: Mapping[str, Role] = {}
    solved: tuple[tuple[str, int], ...] = ()
    against_log: bool = True
    """Whether its values are meant to be those of the log; a remedy's are not."""
    is_remedy: bool = False
    """The run that goes right: traces of the others are held against it."""


def log_values(facts: Iterable[Fact]) -> LogValues:
    """Return what the panic lines of a report say."""
    panic = next((f for f in facts if isinstance(f, HypPanic)), None)
    if panic is None:
        return LogValues()
    return LogValues(pc=panic.pc, far=panic.far, esr=panic.esr, pstate=panic.ps)


def build_hypotheses(
    subject: Subject, facts: Iterable[Fact], options: Options | None = None
) -> tuple[Hypothesis, ...]:
    """Return the runs for a subject, the suspected mechanism first.

    :raises InputError: if the subject cannot be laid out in memory.
    """
    known = tuple(facts)
    asked = options or Options()
    panic = next((f for f in known if isinstance(f, HypPanic)), None)
    tables = [t for t in subject.tables if t.origin is TargetOrigin.ABSOLUTE_TABLE]
    if panic is None or panic.pc is None or not panic.pc >> 55 & 1:
        return _plain(subject, known, asked, absolute=bool(tables))
    return (*_tables(subject, known, asked, panic), *_entry(subject, known, asked, panic))


# A function without a panic of its own in the text -------------------------------------------------


def _plain(
    subject: Subject, facts: tuple[Fact, ...], options: Options, *, absolute: bool
) -> tuple[Hypothesis, ...]:
    link = subject.link_address
    if link is None:
        link = _DEFAULT_LINK
    run = run_address(link, facts, options.at)
    cpu = options.cpu or DEFAULT_CPU
    made = place(subject, at=run, link_at=link)
    told = ""
    if not options.registers:
        options = options._replace(registers=dict.fromkeys(ARGUMENTS, ANY_ARGUMENT))
        told = f"; every argument is {ANY_ARGUMENT}, as none is given"
    as_linked = Hypothesis(
        id="as-linked",
        assumes=(
            f"it runs at {run:#x} as the linker left it"
            + (f", its table made for {link:#x}" if absolute else "")
            + told
        ),
        cause="absolute-jump-table-at-el2" if absolute else None,
        job=_job("as-linked", cpu, made, options),
        run_address=run,
        against_log=False,
        is_remedy=not absolute,
    )
    if not absolute or run == link:
        return (as_linked,)
    return (as_linked, _fixed_up(subject, run, cpu, None, options))


def _fixed_up(
    subject: Subject, run: int, cpu: str, entries: Mapping[int, int] | None, options: Options
) -> Hypothesis:
    made = place(subject, at=run, link_at=run, entries=entries)
    return Hypothesis(
        id="run-address-table",
        assumes="a fix-up has turned the table's entries into addresses of where the code runs",
        cause=None,
        job=_job("run-address-table", cpu, made, options),
        run_address=run,
        against_log=False,
        is_remedy=True,
    )


# The panic of the reference kind: a kernel address was fetched at EL2 --------------------------------


def _tables(
    subject: Subject, facts: tuple[Fact, ...], options: Options, panic: HypPanic
) -> tuple[Hypothesis, ...]:
    solution = _solution(subject, facts)
    if solution is None:
        picked = _picked(subject, facts, options, panic)
        return picked or _plain(
            subject, facts, options, absolute=any(t.is_absolute for t in subject.tables)
        )
    targets = {
        p.picked: p.target
        for p in solution.survey.paths
        if p.reached and p.picked is not None and p.target is not None
    }
    link = solution.load_address
    run = run_address(link, facts, options.at)
    entries = _entries(subject, targets, facts)
    made = place(subject, at=run, link_at=link, entries=entries)
    first = options.cpu or solution.core or DEFAULT_CPU
    others = [] if options.cpu else [c for c in _cores(facts) if c != first]
    solved = (("load_address", link), ("run_address", run), *_index(solution))
    found = []
    for cpu in (first, *others):
        own = cpu == first
        found.append(
            Hypothesis(
                id="absolute-table" if own else f"absolute-table-{cpu.lower()}",
                assumes=f"the table holds the blocks' linked addresses, and the core is a {cpu}",
                cause="absolute-jump-table-at-el2",
                job=_job(
                    "absolute-table" if own else f"absolute-table-{cpu.lower()}", cpu, made, options
                ),
                run_address=run,
                solved=solved,
            )
        )
    found.append(_fixed_up(subject, run, first, entries, options))
    return tuple(found)


def _picked(
    subject: Subject, facts: tuple[Fact, ...], options: Options, panic: HypPanic
) -> tuple[Hypothesis, ...]:
    """Return the runs for a table that the text shows whole, one entry of which is PC; none where none is.

    The listing of an image tells where function and table were linked, and the panic's ending how far the kernel ran
    from there: nothing but the argument that picks the entry is left to solve.
    """
    if subject.link_address is None or panic.pc is None:
        return ()
    # Entries are placed for the first table of addresses alone.
    table = next((t for t in subject.tables if t.is_absolute and t.symbol is not None), None)
    if table is None:
        return ()
    link = subject.link_address + kernel_slide(facts)
    picks = find_picks(subject, table, entries_at(table, panic.pc - link))
    if not picks:
        return ()
    flags = None if panic.ps is None else decode_pstate(panic.ps).nzcv
    pick = next((p for p in picks if p.nzcv == flags), picks[0])
    run = _hyp_va(subject.link_address, facts) if options.at == "hyp" else None
    if run is None:
        run = run_address(link, facts, options.at)
    made = place(subject, at=run, link_at=link, entries=table.entries)
    core = _boot_core(facts)
    usable = core if core in replay_cores() else None
    cpu = options.cpu or usable or DEFAULT_CPU
    by_hand = pick.register in options.registers
    picked = () if by_hand else (("index", pick.entry), (pick.register, pick.value))
    given = dict.fromkeys(ARGUMENTS, ANY_ARGUMENT) | {pick.register: pick.value}
    options = options._replace(registers={**given, **options.registers})
    return (
        Hypothesis(
            id="absolute-table",
            assumes=(
                f"the table is as listed, its entries moved with the kernel to {link:#x}"
                + ("" if by_hand else f"; {_picking(pick, picks)}")
                + (f"; no engine has the {core}" if core and core != usable else "")
            ),
            cause="absolute-jump-table-at-el2",
            job=_job("absolute-table", cpu, made, options),
            run_address=run,
            solved=(("load_address", link), ("run_address", run), *picked),
        ),
        _fixed_up(subject, run, cpu, table.entries, options),
    )


def _picking(pick: Pick, picks: Sequence[Pick]) -> str:
    text = f"{pick.register} is {pick.value:#x}, which picks the entry that is PC"
    others = [f"{p.value:#x}" for p in picks if p is not pick]
    more = " and more" if len(others) > _SHOWN else ""
    return f"{text}, as {', '.join(others[:_SHOWN])}{more} would" if others else text


def _boot_core(facts: tuple[Fact, ...]) -> str | None:
    """Return the core of the boot CPU, where the text has its MIDR."""
    boot = next((f for f in facts if isinstance(f, BootCpu)), None)
    return None if boot is None or boot.midr is None else core_of_midr(boot.midr)


def _solution(subject: Subject, facts: tuple[Fact, ...]) -> SwitchSolution | None:
    """Return what the panic and this function's listing solve; not what another function's does."""
    solutions = (f for f in facts if isinstance(f, SwitchSolution))
    return next((s for s in solutions if s.survey.branch.because[0] is subject.listing), None)


def _entries(
    subject: Subject, solved: Mapping[int, int], facts: tuple[Fact, ...]
) -> Mapping[int, int] | None:
    """Return the table's entries: those that the text tells, else the solved ones.

    None where the text shows what is no address of the function: then the table is as shown.
    """
    table = next((t for t in subject.tables if t.is_absolute and t.symbol is not None), None)
    if table is None or table.symbol is None:
        return solved
    if subject.targets[table.symbol].unresolved is not None and _contradicted(
        subject, solved, facts
    ):
        return None
    contents = subject.targets[table.symbol].contents
    patched = {patch.offset for patch in contents.patches}
    for index in solved:
        at = table.offset + index * 8
        if index not in table.entries and (at in patched or any(contents.read(at, 8) or b"")):
            return None
    return {**solved, **table.entries}


def _contradicted(subject: Subject, solved: Mapping[int, int], facts: tuple[Fact, ...]) -> bool:
    """Return whether the text shows tables of the function's addresses, though not which one it uses, and none fits."""
    shown: dict[tuple[str, int], int] = {}
    for fact in facts:
        if isinstance(fact, SectionRelocation) and fact.type == "R_AARCH64_ABS64":
            own = fact.addend - (0 if fact.symbol == subject.function else subject.start)
            is_code = fact.symbol == subject.function or fact.symbol.startswith(".text")
            if is_code and 0 <= own < subject.size:
                shown[fact.section, fact.offset] = own
    return bool(shown) and not any(
        all(shown.get((section, base + 8 * index)) == to for index, to in solved.items())
        for section, base in shown
    )


def _index(solution: SwitchSolution) -> tuple[tuple[str, int], ...]:
    return () if solution.path.picked is None else (("index", solution.path.picked),)


def _cores(facts: tuple[Fact, ...]) -> list[str]:
    choice = next((f for f in facts if isinstance(f, CoreChoice)), None)
    return [] if choice is None else [core for core, value in choice.cores if value is not None]


def _entry(
    subject: Subject, facts: tuple[Fact, ...], options: Options, panic: HypPanic
) -> tuple[Hypothesis, ...]:
    """Return the rival: the hyp call entered the function at its EL1 address, with the flags that its path leaves."""
    kernel = next((f for f in facts if isinstance(f, KernelVersion)), None)
    flags = entry_nzcv(kernel.release if kernel else None)
    if flags is None or panic.pc is None:
        return ()
    entry = _entered_at(subject, facts, panic.pc)
    run = run_address(entry, facts, options.at)
    solution = _solution(subject, facts)
    cpu = options.cpu or (solution.core if solution else None) or DEFAULT_CPU
    made = place(subject, at=run - run % PAGE_BYTES + entry % PAGE_BYTES, link_at=entry)
    job = _job("entered-at-el1-address", cpu, made, options)._replace(entry=entry, nzcv=flags)
    return (
        Hypothesis(
            id="entered-at-el1-address",
            assumes="the hyp call entered the function at its EL1 address, with the flags that el1_sync leaves",
            cause="absolute-pointer-at-el2",
            job=job,
            run_address=entry,
            roles={"pc": Role.SOLVED, "far": Role.SOLVED} if entry == panic.pc else {},
            solved=(("entry", entry),),
        ),
    )


def _entered_at(subject: Subject, facts: tuple[Fact, ...], pc: int) -> int:
    """Return the EL1 address of the function: PC, unless the listing is of an image, which says where it lies."""
    link = subject.link_address
    if link is None or (pc - link) % PAGE_BYTES == 0:
        return pc
    offset = kernel_slide(facts)
    return (link + offset - offset % PAGE_BYTES) & _MASK_64


# Addresses -------------------------------------------------------------------------------------


def run_address(link: int, facts: Iterable[Fact], at: str = "hyp") -> int:
    """Return where code linked at an address runs.

    :param at: `hyp`: in the HYP VA range (printed, else the upper half of 48 bits), at the same place in 2 MiB; `link`;
        `pa`: at the physical address that the IDMAP page tells, else in RAM at the same place in 2 MiB; or an address,
        of which the page counts.
    """
    known = tuple(facts)
    if at == "link":
        return link
    if at == "pa":
        page = next((f for f in known if isinstance(f, IdmapPage)), None)
        base = page.pa - page.pa % _BLOCK if page is not None else 0x8000_0000
        return base + link % _BLOCK
    if at == "hyp":
        printed = next((f for f in known if isinstance(f, HypVaRange)), None)
        base = printed.first if printed is not None else _HYP_BASE
        return base - base % _BLOCK + link % _BLOCK
    return int(at, 0) - int(at, 0) % PAGE_BYTES + link % PAGE_BYTES


def _hyp_va(link: int, facts: Iterable[Fact]) -> int | None:
    """Return the hyp VA of an address of the image by the Hyp Offset that is printed; None where none is."""
    printed = next((f for f in facts if isinstance(f, HypOffset)), None)
    if printed is None:
        return None
    address = (link - printed.offset) & _MASK_64
    is_moved_by_pages = not printed.offset % PAGE_BYTES
    return address if is_moved_by_pages and not address >> _VA_BITS else None


def _job(id_: str, cpu: str, made: Placement, options: Options) -> Job:
    return Job(
        id=id_,
        cpu=cpu,
        entry=made.entry,
        regions=made.regions,
        stubs=made.stubs,
        registers={**options.registers, "sp": made.sp, "x30": _RETURN_VA},
        system=dict(options.system),
        return_va=_RETURN_VA,
    )
