"""A job made ready for the harness: its pages, the words the harness answers, what stands for unknown values.

QEMU cannot carry an unknown value. A job with unknown values therefore runs once for each of FILLINGS, and what the
runs do not agree on is unknown (qemu_result.py). That finds dependence on an unknown value where the fillings
take different ways; it is no proof that there is none.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from whypanic.arch.insn import Insn, decode
from whypanic.replay.protocol import (
    MAX_MEMORY_BYTES,
    MAX_STEPS,
    PAGE_BYTES,
    Job,
    Permission,
    Region,
)
from whypanic.replay.qemu_wire import (
    ANSWER_CALL,
    ANSWER_IMMEDIATE,
    MAX_ANSWERS,
    OWNED,
    RETURN_IMMEDIATE,
    SYSTEM,
    SYSTEM_NAMES,
    UNKNOWN_IMMEDIATE,
    Answer,
    smc,
)
from whypanic.replay.stage1 import VA_LIMIT

_MASK_64 = (1 << 64) - 1
_MAX_PAGES = MAX_MEMORY_BYTES // PAGE_BYTES
_EL2H = 0b1001
_XZR = 31
_HARMLESS = frozenset({*SYSTEM_NAMES, "nzcv", "daif", "spsel", "fpcr", "fpsr"}) - {
    "sctlr_el2", "tcr_el2", "ttbr0_el2", "mair_el2", "hcr_el2", "mdcr_el2", "mdscr_el1",
}  # fmt: skip
"""Registers that a job may write beside others: set anew before each job, and they move no memory."""
_GIVEN = {name for name, value in SYSTEM if value is not None} - OWNED
_ERETS = frozenset({0xD69F03E0, 0xD69F0BFF, 0xD69F0FFF})


class UnrunnableError(Exception):
    """The job asks for what this engine cannot give; the message says what."""


class Filling(NamedTuple):
    """What stands for values that are not known."""

    code: int
    """A word that cannot be executed without the harness seeing it."""
    data: int
    """A byte."""
    factor: int
    """Register number n holds (n + 1) times this."""
    nzcv: int

    def value(self, number: int) -> int:
        """Return 64 bits for one unknown register."""
        if self.factor == _MASK_64:
            return _MASK_64
        return (number + 1) * self.factor & _MASK_64


NOISE = Filling(smc(UNKNOWN_IMMEDIATE), 0x5B, 0x5BD1_E995_9E37_79B9, 0b0110)
FILLINGS = (NOISE, Filling(0, 0, 0, 0), Filling(0xFFFF_FFFF, 0xFF, _MASK_64, 0b1111))


class Plan(NamedTuple):
    """What is the same in every run of a job."""

    job: Job
    pages: Mapping[int, Permission]
    """VA of each mapped page."""
    known: tuple[tuple[int, int], ...]
    """VA ranges [first, last) whose bytes are known, sorted and apart."""
    words: Mapping[int, int]
    """VA -> word of the harness that stands there instead of the job's."""
    calls: tuple[tuple[int, int | None], ...]
    """Index of the answer, and what it returns, of each stub."""
    answers: tuple[Answer, ...]
    fillings: tuple[Filling, ...]
    alone: bool
    """It has instructions that could reach the memory of other jobs."""
    modelled: bool

    def is_known(self, va: int) -> bool:
        """Return whether the byte at an address was given by the job."""
        place = bisect_right(self.known, (va, VA_LIMIT)) - 1
        return place >= 0 and self.known[place][0] <= va < self.known[place][1]

    def is_unknown_code(self, va: int) -> bool:
        """Return whether an address can be executed from but what stands there is not known."""
        page = va & -PAGE_BYTES
        return self.pages.get(page) is Permission.EXECUTE and not self.is_known(va)


def plan_job(job: Job) -> Plan:
    """Return what has to be set up for a job.

    :raises UnrunnableError: if that is not possible.
    """
    pages = _pages(job)
    known = _merged(_known_ranges(job.regions))
    words: dict[int, int] = {}
    answers: list[Answer] = []
    calls: list[tuple[int, int | None]] = []
    for stub in job.stubs:
        calls.append((len(answers), stub.returns))
        words[stub.va] = smc(ANSWER_IMMEDIATE + len(answers))
        answers.append(Answer(stub.va, ANSWER_CALL, stub.returns or 0))
    code = list(_system_code(compose(job, pages, {}, NOISE), pages))
    overrides = {name.lower(): value & _MASK_64 for name, value in job.system.items()}
    answered = {name: value for name, value in overrides.items() if not _is_set_directly(name)}
    for va, insn in code:
        if insn.mnemonic == "mrs" and insn.system_register in answered:
            words.setdefault(va, smc(ANSWER_IMMEDIATE + len(answers)))
            value = answered[insn.system_register]
            answers.append(Answer(va, insn.word & _XZR, value))
    if len(answers) > MAX_ANSWERS:
        message = f"more than {MAX_ANSWERS} instructions would have to be answered"
        raise UnrunnableError(message)
    if pages.get(job.return_va & -PAGE_BYTES) is Permission.EXECUTE and not job.return_va & 3:
        words[job.return_va] = smc(RETURN_IMMEDIATE)
    n_known = sum(last - first for first, last in known)
    is_complete = (
        not job.stubs
        and job.nzcv is not None
        and all(job.registers.get(f"x{n}") is not None for n in range(30))
        and job.registers.get("sp") is not None
        and n_known == len(pages) * PAGE_BYTES
        and not any(_reads_unknown(insn, overrides) for _, insn in code)
    )
    return Plan(
        job=job,
        pages=pages,
        known=known,
        words=words,
        calls=tuple(calls),
        answers=tuple(answers),
        fillings=FILLINGS[:1] if is_complete else FILLINGS,
        alone=any(_is_harmful(insn) for _, insn in code),
        modelled=bool(answered),
    )


def compose(
    job: Job, pages: Mapping[int, Permission], words: Mapping[int, int], filling: Filling
) -> dict[int, bytes]:
    """Return the bytes of each mapped page."""
    blank = {
        Permission.EXECUTE: filling.code.to_bytes(4, "little") * (PAGE_BYTES // 4),
        Permission.READ: bytes([filling.data]) * PAGE_BYTES,
    }
    blank[Permission.READ_WRITE] = blank[Permission.READ]
    contents = {va: bytearray(blank[permission]) for va, permission in pages.items()}
    for region in job.regions:
        for first, last in _ranges(region):
            _put(contents, region.va + first, memoryview(region.data)[first:last])
    for va, word in words.items():
        _put(contents, va, memoryview(word.to_bytes(4, "little")))
    return {va: bytes(content) for va, content in contents.items()}


def vector_pages(plan: Plan) -> tuple[int, ...]:
    """Return the VAs for the harness' vectors, one for each of FILLINGS, where the job maps nothing."""
    first = VA_LIMIT - len(FILLINGS) * PAGE_BYTES
    while True:
        found = tuple(first + n * PAGE_BYTES for n in range(len(FILLINGS)))
        if not any(va in plan.pages or plan.job.return_va & -PAGE_BYTES == va for va in found):
            return found
        first -= PAGE_BYTES


def filled_answers(plan: Plan, filling: Filling) -> tuple[Answer, ...]:
    """Return the answers of one run: calls leave the caller-saved registers unknown."""
    answers = list(plan.answers)
    clobber = filling.value(_XZR) & ~(0xF << 28) | filling.nzcv << 28
    for index, returns in plan.calls:
        value = filling.value(0) if returns is None else returns & _MASK_64
        answers[index] = answers[index]._replace(value=value, clobber=clobber)
    return tuple(answers)


def first_registers(plan: Plan, filling: Filling) -> tuple[int, ...]:
    """Return x0..x30 before the first instruction."""
    job = plan.job
    given = [job.registers.get(f"x{n}") for n in range(30)]
    values = [filling.value(n) if v is None else v & _MASK_64 for n, v in enumerate(given)]
    return (*values, job.return_va & _MASK_64)


def first_system(plan: Plan, filling: Filling, ttbr0: int, vbar: int) -> tuple[int, ...]:
    """Return the values of the harness' table of system registers before the first instruction."""
    sp = plan.job.registers.get("sp")
    values = dict(_usual_system(filling))
    for name, value in plan.job.system.items():
        if _is_set_directly(name.lower()):
            values[name.lower()] = value & _MASK_64
    values["sctlr_el2"] |= 1
    values["ttbr0_el2"] = ttbr0
    values["vbar_el2"] = vbar
    values["sp_el2"] = filling.value(_XZR) if sp is None else sp & _MASK_64
    return tuple(values.values())


@cache
def _usual_system(filling: Filling) -> tuple[tuple[str, int], ...]:
    return tuple(
        (name, filling.value(number) if usual is None else usual)
        for number, (name, usual) in enumerate(SYSTEM)
    )


def first_pstate(job: Job, filling: Filling) -> int:
    """Return SPSR for the entry: EL2h with the job's masks and flags."""
    nzcv = filling.nzcv if job.nzcv is None else job.nzcv & 0xF
    return nzcv << 28 | (job.daif & 0xF) << 6 | _EL2H


def step_limit(job: Job) -> int:
    """Return the number of instructions after which the job is stopped."""
    return max(1, min(job.max_steps, MAX_STEPS))


def _is_set_directly(name: str) -> bool:
    """Return whether an override is the register's value itself, so that no instruction has to be replaced."""
    return name in SYSTEM_NAMES and name not in OWNED


def _ranges(region: Region) -> tuple[tuple[int, int], ...]:
    """Return the known ranges of a region's data, cut to it."""
    size = len(region.data)
    ranges = ((0, size),) if region.known is None else region.known
    return tuple(
        (max(0, first), min(last, size)) for first, last in ranges if first < last and first < size
    )


def _known_ranges(regions: Iterable[Region]) -> list[tuple[int, int]]:
    return [
        (region.va + first, region.va + last)
        for region in regions
        for first, last in _ranges(region)
    ]


def _merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _pages(job: Job) -> dict[int, Permission]:
    pages: dict[int, Permission] = {}
    for region in job.regions:
        if region.data:
            _add_pages(pages, region.name, region.va, len(region.data), region.permission)
    for stub in job.stubs:
        if stub.va & 3:
            message = f"`{stub.name}` at {stub.va:#x} is not aligned as code is"
            raise UnrunnableError(message)
        _add_pages(pages, stub.name, stub.va, 4, Permission.EXECUTE)
    return pages


def _add_pages(
    pages: dict[int, Permission], name: str, va: int, n_bytes: int, permission: Permission
) -> None:
    if va < 0 or va + n_bytes > VA_LIMIT:
        message = f"`{name}` at {va:#x} is outside what TTBR0_EL2 translates"
        raise UnrunnableError(message)
    first = va & -PAGE_BYTES
    if len(pages) + (va + n_bytes - first - 1) // PAGE_BYTES >= _MAX_PAGES:
        message = f"more than {MAX_MEMORY_BYTES >> 20} MiB of memory"
        raise UnrunnableError(message)
    for page in range(first, va + n_bytes, PAGE_BYTES):
        both = {pages.get(page, permission), permission}
        if both == {Permission.READ_WRITE, Permission.EXECUTE}:
            message = f"the page at {page:#x} would be writable and executable"
            raise UnrunnableError(message)
        pages[page] = permission if pages.get(page) in (None, Permission.READ) else pages[page]


def _put(contents: Mapping[int, bytearray], va: int, data: memoryview) -> None:
    done = 0
    while done < len(data):
        offset = (va + done) % PAGE_BYTES
        part = data[done : done + PAGE_BYTES - offset]
        contents[va + done - offset][offset : offset + len(part)] = part
        done += len(part)


def _system_code(
    contents: Mapping[int, bytes], pages: Mapping[int, Permission]
) -> Iterator[tuple[int, Insn]]:
    """Yield the MRS, MSR and ERET instructions that can be executed: address and instruction."""
    for va, content in contents.items():
        if pages[va] is Permission.EXECUTE:
            top_bytes = content[3::4]
            for top in (0xD5, 0xD6):
                place = top_bytes.find(top)
                while place >= 0:
                    word = int.from_bytes(content[4 * place : 4 * place + 4], "little")
                    # MRS and MSR (register): 1101 0101 00L1, L the direction.
                    if word & 0xFFD00000 == 0xD5100000 or word in _ERETS:
                        yield va + 4 * place, decode(word)
                    place = top_bytes.find(top, place + 1)


def _reads_unknown(insn: Insn, overrides: Mapping[str, int]) -> bool:
    name = insn.system_register
    return (
        insn.mnemonic == "mrs"
        and name in SYSTEM_NAMES
        and name not in overrides
        and name not in _GIVEN
    )


def _is_harmful(insn: Insn) -> bool:
    return insn.mnemonic != "mrs" and insn.system_register not in _HARMLESS
