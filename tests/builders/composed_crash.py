"""Oopses composed from a real vmlinux: what a kernel of this image would print, and beside it what is true of it.

Text as Linux 6.1 prints it: arch/arm64/kernel/traps.c (__die, dump_kernel_instr), process.c (__show_regs),
stacktrace.c (dump_backtrace), lib/dump_stack.c with Debian's package version, and what `builders.oops_text` has.

The calls of a trace are real ones: before each return address stands a `bl` to the function before it. Everything in a
crash follows from image, seed and number.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from builders.image_truth import HeldVariable, ImageTruth, Position, PrintedName
from builders.oops_text import Base, header, meaningless_registers, panic_tail, pointer_of

_MASK = (1 << 64) - 1
_NOP, _SAVE_LR = 0xD503201F, 0xAA1E03E9
_CALLBACK = 0x8000
_N_CAPABILITIES = 85
"""ARM64_NCAPS of 6.1.y; another number widens the first group of the bitmap, no more."""
_ALWAYS = frozenset({0, 1})
"""ALWAYS_BOOT, ALWAYS_SYSTEM."""
_UNTOUCHED = 16
"""Bytes that `Code:` shows before PC."""
_MAX_TRIES = 20_000


class Offset(StrEnum):
    """How a text tells where the kernel ran."""

    PRINTED = "printed"
    PAIRS = "addresses beside names"
    ABSENT = "absent"


@dataclass(frozen=True)
class Access:
    """One load or store [xN, #imm]."""

    place: int
    base: int
    offset: int
    n_bytes: int
    is_store: bool
    has_record: bool
    """A frame record was made before it: the trace has the caller too."""


@dataclass(frozen=True)
class TrueFrame:
    printed: PrintedName
    lookup: int
    """Link VA of the instruction: of the fault, or of the call."""
    address: int
    """Link VA that was printed."""


@dataclass(frozen=True)
class NamedRegister:
    register: str
    symbol: str
    offset: int


@dataclass(frozen=True)
class ComposedCrash:
    number: int
    text: str
    frames: tuple[TrueFrame, ...]
    access: Access
    variables: tuple[HeldVariable, ...]
    base: Base
    pointer: int
    slide: int
    how: Offset
    named: NamedRegister
    patched: int
    """Words of `Code:` that are not as in the file."""


class Composer:
    """Makes crashes of one image."""

    def __init__(self, truth: ImageTruth, *, release: str, package: str) -> None:
        self._truth = truth
        self._release = release
        self._package = package

    def crash(self, seed: int, number: int, *, n_frames: int | None = None) -> ComposedCrash:
        """Return crash `number` of a seed.

        :param n_frames: exactly so many frames; None: 3 to 14.
        """
        rng = random.Random(f"{seed}/{number}")
        wanted = n_frames or rng.randint(3, 14)
        features = _ALWAYS | {c for c in range(_N_CAPABILITIES) if rng.random() < 0.4}
        for _ in range(_MAX_TRIES):
            start = rng.choice(self._truth.function_starts)
            accesses = list(self._accesses(start))
            if not accesses or start not in self._truth.callers:
                continue
            access = rng.choice(accesses)
            words = self._code_words(access.place, features)
            variables = self._variables(access) if words else []
            if not variables:
                continue
            chain = self._chain(rng, start, wanted - 1 + (not access.has_record))
            if chain is not None:
                calls = chain if access.has_record else chain[1:]
                frames = self._frames(access.place, calls)
                lr = self._link_register(rng, start, access, chain[0])
                return self._write(
                    rng, number, access, tuple(variables), frames, lr, words, features
                )
        message = f"no crash {number} of seed {seed} in {_MAX_TRIES} tries"
        raise LookupError(message)

    def crashes(self, seed: int, count: int) -> Iterator[ComposedCrash]:
        return (self.crash(seed, number) for number in range(count))

    # --- where it happens

    def _accesses(self, start: int) -> Iterator[Access]:
        """Yield the accesses of a function that may fault and end in an oops."""
        record_stored = record_set = False
        for place in range(start, start + (self._truth.functions[start] & ~3), 4):
            word = self._truth.word(place)
            if word & 0xFFC07FFF in {0xA9807BFD, 0xA9007BFD}:  # stp x29, x30, [sp...]
                record_stored = True
            elif word & 0xFFC003FF == 0x910003FD:  # add x29, sp, #imm
                record_set = record_stored
            elif word & 0xFFC07FFF in {
                0xA8C07BFD,
                0xA9407BFD,
            }:  # ldp x29, x30: what follows is not known
                return
            elif word & 0x3F000000 == 0x39000000:  # LDR, STR and their kin, unsigned immediate
                size, opc, base = word >> 30, word >> 22 & 3, word >> 5 & 31
                if base == 31 or (size == 3 and opc >= 2) or record_stored is not record_set:
                    continue
                if place not in self._fixed_up:
                    yield Access(
                        place,
                        base,
                        (word >> 10 & 0xFFF) << size,
                        1 << size,
                        opc == 0,
                        record_set,
                    )

    def _variables(self, access: Access) -> list[HeldVariable]:
        """Return the variables that the base register makes, where the access is that of a member of one in it."""
        found = self._truth.held(access.place, access.base)
        exact = (v for v in found if not v.distance)
        return found if any(v.at(access.offset, access.n_bytes) for v in exact) else []

    @cached_property
    def _fixed_up(self) -> frozenset[int]:
        """Instructions whose faults the exception table catches."""
        rows = self._truth.rows_between("__start___ex_table", "__stop___ex_table", 12)
        return frozenset(place + struct.unpack_from("<i", row)[0] for place, row in rows)

    @cached_property
    def _alternatives(self) -> dict[int, tuple[int, int, tuple[int, ...] | None]]:
        """Return by address of a word: its capability, its index, and the words that replace it; None: not known."""
        found: dict[int, tuple[int, int, tuple[int, ...] | None]] = {}
        rows = self._truth.rows_between("__alt_instructions", "__alt_instructions_end", 12)
        for place, row in rows:
            original, instead, capability, length, _ = struct.unpack("<iiHBB", row)
            source = place + 4 + instead
            words: tuple[int, ...] | None = None
            if not capability & _CALLBACK:
                words = struct.unpack(f"<{length // 4}I", self._truth.read(source, length))
                if any(_is_relative(w) for w in words):
                    words = None
            elif source == self._truth.marks["alt_cb_patch_nops"]:
                words = (_NOP,) * (length // 4)
            for i in range(length // 4):
                at = place + original + 4 * i
                again = at in found
                found[at] = (capability & ~_CALLBACK, i, None if again else words)
        return found

    @cached_property
    def _jump_labels(self) -> frozenset[int]:
        rows = self._truth.rows_between("__start___jump_table", "__stop___jump_table", 16)
        return frozenset(place + struct.unpack_from("<i", row)[0] for place, row in rows)

    def _code_words(self, place: int, features: frozenset[int]) -> list[tuple[int, int]]:
        """Return the five words of `Code:` as built and as in memory; [] where they are not known."""
        found = []
        for at in range(place - _UNTOUCHED, place + 4, 4):
            if not self._truth.text <= at < self._truth.text_end or at in self._jump_labels:
                return []
            built = now = self._truth.word(at)
            if at in self._alternatives:
                capability, i, words = self._alternatives[at]
                if words is None:
                    return []
                now = words[i] if capability in features else built
            elif built == _NOP and self._truth.word(at + 4) == _NOP:
                if self._truth.function_at(at) not in {at, at - 4}:
                    return []
                now = _SAVE_LR  # ftrace_init_nop
            found.append((built, now))
        return found if found[-1][0] == found[-1][1] else []

    # --- how it came there

    def _chain(self, rng: random.Random, start: int, n_calls: int) -> list[int] | None:
        """Return the addresses of calls that lead to a function, the last call first."""
        visited = {start}
        calls: list[int] = []
        budget = 40 * n_calls

        def grow(callee: int) -> bool:
            nonlocal budget
            if len(calls) == n_calls:
                return True
            sites = list(self._truth.callers.get(callee, ()))
            rng.shuffle(sites)
            for site in sites[:8]:
                caller = self._truth.function_at(site)
                budget -= 1
                if budget < 0:
                    return False
                if caller is None or caller in visited or not self._truth.has_lines(site):
                    continue
                visited.add(caller)
                calls.append(site)
                if grow(caller):
                    return True
                calls.pop()
            return False

        return calls if grow(start) else None

    def _frames(self, pc: int, calls: list[int]) -> tuple[TrueFrame, ...]:
        places = [(pc, pc), *((site, site + 4) for site in calls)]
        return tuple(TrueFrame(self._truth.printed(at, back=1), look, at) for look, at in places)

    def _link_register(self, rng: random.Random, start: int, access: Access, call: int) -> int:
        """Return what lr may hold: behind a call that the function made before the fault, or its return address."""
        made = [a for a in range(start, access.place, 4) if self._truth.word(a) >> 26 == 0x25]
        return (rng.choice(made) if made else call) + 4

    # --- what is printed

    def _write(
        self,
        rng: random.Random,
        number: int,
        access: Access,
        variables: tuple[HeldVariable, ...],
        frames: tuple[TrueFrame, ...],
        lr: int,
        words: list[tuple[int, int]],
        features: frozenset[int],
    ) -> ComposedCrash:
        slide = 0 if rng.random() < 0.1 else rng.randrange(1 << 12, 1 << 28) << 16
        how = list(Offset)[number % len(Offset)]
        base = list(Base)[number // len(Offset) % len(Base)]
        held = pointer_of(rng, base)
        link_base = self._truth.marks["_text"]
        registers = meaningless_registers(rng, link_base + slide)
        registers[access.base] = held
        named = self._name_register(rng, registers, access, slide)
        lines = list(header(rng, held, access.offset, is_store=access.is_store))
        lines += [
            "Modules linked in:",
            f"CPU: {rng.randrange(8)} PID: {rng.randrange(1, 32768)} Comm: {rng.choice(('kworker/u8:2', 'cat', 'kswapd0'))}"
            f" Not tainted {self._release} #1 Debian {self._package}",
            "Hardware name: Example Cloud Server/Example Board, BIOS 1.0 01/01/2022",
            "pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)",
        ]
        shown = "pc : {}", "lr : {}", " {}"
        if how is Offset.PAIRS:
            shown = (
                "pc : [<{address:016x}>] {}",
                "lr : [<{address:016x}>] {}",
                " [<{address:016x}>] {}",
            )
        at_pc, at_lr, in_trace = shown
        pc = access.place
        lines.append(at_pc.format(self._truth.printed(pc), address=pc + slide))
        lines.append(at_lr.format(self._truth.printed(lr), address=lr + slide))
        lines.append(f"sp : {registers[31]:016x}")
        for top in range(29, -1, -3):
            lines.append(" ".join(f"x{i:<2}: {registers[i]:016x}" for i in range(top, top - 3, -1)))
        lines.append("Call trace:")
        lines += [in_trace.format(f.printed, address=f.address + slide) for f in frames]
        shown_words = [f"{now:08x}" for _, now in words]
        lines.append(f"Code: {' '.join(shown_words[:4])} ({shown_words[4]}) ")
        lines.append("---[ end trace 0000000000000000 ]---")
        if how is Offset.PRINTED:
            lines += panic_tail(rng, slide, link_base, features)
        seconds = rng.uniform(20, 90_000)
        stamped = [f"[{seconds + i * 0.004:12.6f}] {line}" for i, line in enumerate(lines)]
        return ComposedCrash(
            number,
            "\n".join(stamped) + "\n",
            frames,
            access,
            variables,
            base,
            held,
            slide,
            how,
            named,
            sum(built != now for built, now in words),
        )

    def _name_register(
        self, rng: random.Random, registers: list[int], access: Access, slide: int
    ) -> NamedRegister:
        """Let a register point into a variable of the image."""
        while True:
            i = rng.randrange(len(self._truth.data_symbols) - 1)
            address, name = self._truth.data_symbols[i]
            if self._truth.data_symbols[i + 1][0] >= address + 16:
                break
        register = rng.choice([r for r in range(20) if r != access.base])
        registers[register] = (address + 8 + slide) & _MASK
        return NamedRegister(f"x{register}", name, 8)


def _is_relative(word: int) -> bool:
    """Tell whether the kernel rewrites an instruction when it copies it: branches, ADR, ADRP and literals."""
    return (
        word & 0x7C000000 == 0x14000000
        or word & 0x7E000000 in {0x34000000, 0x36000000}
        or word & 0xFF000010 == 0x54000000
        or word & 0x1F000000 == 0x10000000
        or word & 0x3B000000 == 0x18000000
    )


def positions_of(truth: ImageTruth, crash: ComposedCrash) -> list[tuple[Position, ...]]:
    """Return the chain of functions of each frame, innermost first."""
    return truth.positions([f.lookup for f in crash.frames])
