"""Which values of a switch fit the flags of a panic, and where its table sends each of them.

The words before the branch are evaluated for every value of the field that selects; the blocks behind it are
evaluated to the return. Nothing is assumed of the table's contents: they are solved from what each block computes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from whypanic.arch.cores import PARANGE_BITS, cores_of_machine, id_aa64mmfr0
from whypanic.arch.cpucaps import cores_named_by, decode_features
from whypanic.arch.insn import decode
from whypanic.arch.insn.evaluate import Run, State, run
from whypanic.arch.pstate import decode_pstate
from whypanic.code.indirect_branch import IndirectBranch, index_at_load, is_taken_in
from whypanic.model.code import Listing, ListingLine
from whypanic.model.context import CpuFeatures, Hardware, KernelOffset, KernelVersion
from whypanic.model.hyp import HypPanic, VmidBits
from whypanic.model.provenance import Derived, Fact

_FIELD_BITS = 4
_REGISTER_BITS = 64
_MAX_STEPS = 400
_MAX_LEADERS = 64
_KERNEL_BIT = 63
_PARANGE = ("id_aa64mmfr0_el1", 0)
_FIELD_NAMES = {_PARANGE: "ID_AA64MMFR0_EL1.PARange"}


class SwitchPath(NamedTuple):
    """What the code does for one value of the selecting field."""

    value: int
    picked: int | None
    """Value of the index register at the load; None: not known or the branch is not reached."""
    nzcv: int | None
    """Flags at the branch; None where the function had not set them, or they depend on more than the field."""
    reached: bool
    target: int | None
    """Offset of the block in the listing that belongs to this value; None where the words do not tell."""


class SwitchSurvey(Derived, frozen=True, kw_only=True):
    """A table branch whose index comes from a field of a system register."""

    branch: IndirectBranch
    system_register: str
    lo: int
    paths: tuple[SwitchPath, ...]
    flag_line: ListingLine | None
    """The instruction that set the flags last before the branch."""
    base: int
    """Printed address of the first line."""

    @property
    def field(self) -> str:
        """The selecting field in the architecture's words."""
        name = _FIELD_NAMES.get((self.system_register, self.lo))
        top = self.lo + _FIELD_BITS - 1
        return name or f"{self.system_register.upper()}[{top}:{self.lo}]"

    @property
    def statement(self) -> str:
        targets = ", ".join(
            f"[{p.picked}] +{p.target:#x}"
            for p in self.paths
            if p.target is not None and p.picked is not None and p.reached
        )
        return f"{self.field} is the index of the table; targets from the words: {targets or 'not told'}"


class SwitchFit(Derived, frozen=True, kw_only=True):
    """The paths whose flags at the branch are those of the panic."""

    survey: SwitchSurvey
    nzcv: int
    paths: tuple[SwitchPath, ...]

    @property
    def statement(self) -> str:
        values = ", ".join(str(p.value) for p in self.paths) or "no value"
        return f"NZCV {self.nzcv:04b} at the branch: {self.survey.field} = {values}"


class CoreChoice(Derived, frozen=True, kw_only=True):
    """The core types of the machine and what the selecting field holds on each."""

    cores: tuple[tuple[str, int | None], ...]
    named_by: tuple[str, ...]

    @property
    def statement(self) -> str:
        listed = ", ".join(
            f"{core} ({'not known' if value is None else value})" for core, value in self.cores
        )
        return f"core types named by {', '.join(self.named_by)}: {listed}"


class SwitchSolution(Derived, frozen=True, kw_only=True):
    """Index, target and load address that explain PC."""

    survey: SwitchSurvey
    path: SwitchPath
    core: str | None
    load_address: int
    """Where the function lay in the EL1 mapping of the kernel that ran."""
    link_address: int
    """The same without the KASLR offset, where the text prints one."""
    pc: int

    @property
    def statement(self) -> str:
        target = self.path.target or 0
        return (
            f"index {self.path.picked}, target +{target:#x}: "
            f"the function lay at {self.load_address:#x} ({self.pc:#x} - {target:#x})"
        )


# The survey ----------------------------------------------------------------------------------


class _Code(NamedTuple):
    words: Mapping[int, int]
    start: int
    branch: IndirectBranch


def survey_switch(branch: IndirectBranch) -> SwitchSurvey | None:
    """Return how the index of a table branch depends on a system register; None where it does not."""
    listing = branch.because[0]
    if branch.index is None or not isinstance(listing, Listing):
        return None
    words = {line.address: line.word for line in listing.lines if line.word is not None}
    if not words or listing.lines[0].word is None:
        return None
    code = _Code(words, listing.lines[0].address, branch)
    selector = _find_selector(code)
    if selector is None:
        return None
    register, lo = selector
    blocks = _leaders(code)
    paths = []
    flag_address: int | None = None
    for value in PARANGE_BITS if selector == _PARANGE else range(1 << _FIELD_BITS):
        zeros = _run_to_branch(code, register, value << lo)
        if zeros is None:
            paths.append(SwitchPath(value, None, None, reached=False, target=None))
            continue
        ones = _run_to_branch(code, register, _with_ones(value, lo))
        index = _index_of(code, zeros, ones)
        nzcv = (
            zeros.final.nzcv if ones is not None and ones.final.nzcv == zeros.final.nzcv else None
        )
        if nzcv is not None:
            flag_address = _last_flag_setter(zeros)
        target = _find_target(code, blocks, zeros.final, value) if selector == _PARANGE else None
        paths.append(SwitchPath(value, index, nzcv, reached=True, target=target))
    if not any(path.reached for path in paths):
        return None
    by_address = {line.address: line for line in listing.lines}
    return SwitchSurvey(
        source=branch.source,
        because=(branch, *branch.slice),
        branch=branch,
        system_register=register,
        lo=lo,
        paths=tuple(paths),
        flag_line=by_address.get(flag_address) if flag_address is not None else None,
        base=code.start,
    )


def _state(register: str | None, value: int) -> State:
    return State(system={} if register is None else {register: value})


def _run_to_branch(code: _Code, register: str, value: int) -> Run | None:
    """Evaluate from the function's start; None when the branch is not reached."""
    outcome = run(code.words, code.start, _state(register, value), limit=_MAX_STEPS)
    return outcome if is_taken_in(outcome, code.branch) else None


def _with_ones(value: int, lo: int) -> int:
    field = ((1 << _FIELD_BITS) - 1) << lo
    return ((1 << _REGISTER_BITS) - 1) & ~field | value << lo


def _index_of(code: _Code, zeros: Run, ones: Run | None) -> int | None:
    """Return the index where it depends on the field alone."""
    if ones is None:
        return None
    index = index_at_load(zeros, code.branch)
    return index if index == index_at_load(ones, code.branch) else None


def _find_selector(code: _Code) -> tuple[str, int] | None:
    """Return the system register and low bit of the field that moves the index."""
    registers: list[str | None] = []
    for address in sorted(code.words):
        if address >= code.branch.line.address:
            break
        insn = decode(code.words[address])
        if insn.mnemonic == "mrs" and insn.system_register not in (None, *registers):
            registers.append(insn.system_register)
    for register in registers:
        if register is None:
            continue
        base = _run_to_branch(code, register, 0)
        if base is None:
            continue
        zero = index_at_load(base, code.branch)
        for lo in range(0, _REGISTER_BITS, _FIELD_BITS):
            moved = _run_to_branch(code, register, 1 << lo)
            if moved is not None and index_at_load(moved, code.branch) != zero:
                return register, lo
    return None


def _last_flag_setter(outcome: Run) -> int | None:
    setters = [step.address for step in outcome.steps if "nzcv" in step.insn.writes]
    return setters[-1] if setters else None


# Targets, from what the blocks compute ---------------------------------------------------------


def _leaders(code: _Code) -> tuple[int, ...]:
    """Return addresses where a block starts: branch targets, and what follows a branch."""
    found = set()
    for address, word in code.words.items():
        branch = decode(word).branch
        if branch is None:
            continue
        if branch.offset is not None and address + branch.offset in code.words and not branch.link:
            found.add(address + branch.offset)
        if address + 4 in code.words and not branch.link:
            found.add(address + 4)
    return tuple(sorted(found))[:_MAX_LEADERS]


def _find_target(code: _Code, blocks: Sequence[int], at_branch: State, value: int) -> int | None:
    """Return the offset of the one block from which the function returns the size that PARange stands for.

    None where two do, or where the end of a block is not in the listing.
    """
    bits = PARANGE_BITS.get(value)
    if bits is None:
        return None
    fitting = []
    for block in blocks:
        outcome = run(code.words, block, at_branch, limit=_MAX_STEPS)
        if is_taken_in(outcome, code.branch):
            continue
        if outcome.reason != "return":
            return None
        if outcome.final.get("x0") == bits:
            fitting.append(block - code.start)
    return fitting[0] if len(fitting) == 1 else None


# The solution, from what the panic shows -------------------------------------------------------


def solve(
    survey: SwitchSurvey, panic: HypPanic | None, facts: Iterable[Fact]
) -> tuple[Derived, ...]:
    """Return which values fit the flags, which cores the machine has, and the load address if one is left."""
    if panic is None or panic.ps is None:
        return ()
    nzcv = decode_pstate(panic.ps).nzcv
    known = tuple(facts)
    places = kernel_addresses(panic.pc, known)
    fitting = tuple(
        p
        for p in survey.paths
        if p.reached and p.nzcv in (nzcv, None) and _leads_to(survey, p, places)
    )
    fit = SwitchFit(
        source=panic.source, because=(panic, survey), survey=survey, nzcv=nzcv, paths=fitting
    )
    found: list[Derived] = [fit]
    choice = _cores(survey, known)
    if choice is not None:
        found.append(choice)
    on_cores: dict[int, str] = {}
    if choice is not None and all(value is not None for _, value in choice.cores):
        on_cores = {value: core for core, value in choice.cores if value is not None}
    left = [p for p in fitting if p.value in on_cores] if on_cores else list(fitting)
    if panic.pc is not None and len(left) == 1 and left[0].target is not None:
        because: tuple[Fact, ...] = (fit, survey) if choice is None else (fit, survey, choice)
        found.append(
            SwitchSolution(
                source=panic.source,
                because=because,
                survey=survey,
                path=left[0],
                core=on_cores.get(left[0].value),
                load_address=panic.pc - left[0].target,
                link_address=min(places) - left[0].target,
                pc=panic.pc,
            )
        )
    return tuple(found)


def kernel_addresses(pc: int | None, facts: Iterable[Fact]) -> tuple[int, ...]:
    """Return PC as it ran and, with KASLR, as it was linked."""
    if pc is None:
        return ()
    offset = next((f for f in facts if isinstance(f, KernelOffset)), None)
    if offset is None or not offset.slide or offset.slide > pc:
        return (pc,)
    return (pc, pc - offset.slide)


def _leads_to(survey: SwitchSurvey, path: SwitchPath, places: tuple[int, ...]) -> bool:
    """Return whether a path may lead to PC; the listing of an image tells it by its addresses."""
    if path.target is None or not places or not survey.base >> _KERNEL_BIT:
        return True
    return survey.base + path.target in places


def _cores(survey: SwitchSurvey, facts: tuple[Fact, ...]) -> CoreChoice | None:
    """Return the machine's core types: from errata in the capability bitmap, and from the machine's name."""
    if (survey.system_register, survey.lo) != _PARANGE:
        return None
    kernel = next((f for f in facts if isinstance(f, KernelVersion)), None)
    features = next((f for f in facts if isinstance(f, CpuFeatures)), None)
    cores: dict[str, None] = {}
    named_by: list[str] = []
    source: Fact | None = None
    if features is not None:
        release = kernel.release if kernel else None
        table = decode_features(features.raw, release)
        for evidence in cores_named_by([name for _, name in table.names if name], release):
            cores.setdefault(evidence.core)
            named_by.append(f"erratum {evidence.erratum} ({evidence.core})")
            source = features
    hardware = next((f for f in facts if isinstance(f, Hardware)), None)
    more = (
        [] if hardware is None else [c for c in cores_of_machine(hardware.name) if c not in cores]
    )
    sources = () if source is None else (source,)
    if hardware is not None and more:
        # An erratum proves that its core is there; without one, or with its workaround off, a core may be there too.
        cores.update(dict.fromkeys(more))
        named_by.append(f"the machine's name {hardware.name!r}")
        sources = (*sources, hardware)
    if not sources:
        return None
    listed = tuple((core, _parange(core)) for core in cores)
    return CoreChoice(
        source=sources[0].source, because=sources, cores=listed, named_by=tuple(named_by)
    )


def _parange(core: str) -> int | None:
    value = id_aa64mmfr0(core)
    return None if value is None else value & (1 << _FIELD_BITS) - 1


def flags_at_return(survey: SwitchSurvey, target: int, vmid: VmidBits | None) -> int | None:
    """Return NZCV at the function's return when entered at a target, for this VMID size.

    ID_AA64MMFR1_EL1.VMIDBits is 0 for 8 bits and 2 for 16 (DDI 0487).
    """
    listing = survey.branch.because[0]
    if not isinstance(listing, Listing) or vmid is None:
        return None
    words = {line.address: line.word for line in listing.lines if line.word is not None}
    value = 0x20 if vmid.bits == 16 else 0
    state = State(system={"id_aa64mmfr1_el1": value})
    outcome = run(words, survey.base + target, state, limit=_MAX_STEPS)
    return outcome.final.nzcv if outcome.reason == "return" else None
