"""One job, instruction by instruction: what is modelled of EL2 around an executor that only computes.

Every register is known or unknown. Unknown ones hold fixed stand-ins, and what would depend on one (an address, a
condition, a target) ends the run.
"""

from collections import deque
from typing import Protocol

from whypanic.arch.insn.arithmetic import condition_holds
from whypanic.arch.insn.decode import decode
from whypanic.arch.insn.record import MASK_32, MASK_64, Group, Insn
from whypanic.replay import architecture, el2_access, el2_system, taint
from whypanic.replay.address_space import AddressSpace
from whypanic.replay.architecture import ExceptionTakenError, Fault, Pstate, UnansweredError
from whypanic.replay.el2_registers import El2Registers
from whypanic.replay.instruction_set import (
    Standing,
    allocation,
    has_authentication,
    needs_authentication,
)
from whypanic.replay.pointer_authentication import SignedPointers, key_of, modifier_of
from whypanic.replay.protocol import (
    MAX_STEPS,
    Job,
    MemoryAccess,
    Observation,
    Outcome,
    Stub,
    TraceLine,
)

MAX_TRACE_LINES = 2000

_GENERAL = taint.REGISTERS[:32]
"""x0..x30, sp."""
_CALL_CLOBBERS = tuple(
    name for name in taint.REGISTERS if name[0] == "v" or name == "nzcv" or name in _GENERAL[:19]
)
"""What a callee may change under AAPCS64; x18 because the kernel may use it as the shadow call stack."""
_STAND_IN = 0x9E37_79B9_7F4A_7C15
_ALWAYS = 14
"""Conditions AL (14) and NV (15)."""


class Executor(Protocol):
    """Computes single instructions on registers and on the memory of a job."""

    def read(self, name: str) -> int:
        """Return x0..x30, sp, v0..v31, or the flags as bits 3..0."""

    def write(self, name: str, value: int) -> None:
        """Set such a register."""

    def read_memory(self, va: int, n_bytes: int) -> int:
        """Return mapped bytes as a little-endian number."""

    def write_memory(self, va: int, n_bytes: int, value: int) -> None:
        """Set mapped bytes to a little-endian number."""

    def step(self, pc: int) -> None:
        """Run the instruction at `pc`, which does not branch.

        :raises UnansweredError: if it cannot.
        """

    def is_allocated(self, word: int) -> bool:
        """Return whether every core has an FP or SIMD word."""


class _Trace:
    """The first and the last executed instructions."""

    def __init__(self) -> None:
        self._first: list[TraceLine] = []
        self._last: deque[TraceLine] = deque(maxlen=MAX_TRACE_LINES // 2)
        self._n = 0

    def add(self, line: TraceLine) -> None:
        self._n += 1
        if len(self._first) < MAX_TRACE_LINES // 2:
            self._first.append(line)
        else:
            self._last.append(line)

    def lines(self) -> tuple[TraceLine, ...]:
        return (*self._first, *self._last)

    @property
    def n_skipped(self) -> int:
        return self._n - len(self._first) - len(self._last)


class El2Run:
    """The state of a job under way."""

    def __init__(self, job: Job, space: AddressSpace, system: El2Registers, cpu: Executor) -> None:
        self.job, self.space, self.system, self.cpu = job, space, system, cpu
        self.pstate = Pstate(job.daif, system.identification)
        self.pc = job.entry & MASK_64
        self.values: dict[str, int] = {}
        """x0..x30, sp, nzcv; of unknown ones the stand-in."""
        self.known: dict[str, bool] = dict.fromkeys(taint.REGISTERS, False)
        self.monitor: tuple[int, int] | None = None
        """Address and bytes that the last load-exclusive marked."""
        self._return_va = job.return_va & MASK_64
        self._stubs = {stub.va & MASK_64: stub for stub in reversed(job.stubs)}
        self._signed = SignedPointers()
        self._trace = _Trace()
        self._n_stand_ins = 0
        given = {**job.registers, "x30": job.return_va, "nzcv": job.nzcv}
        for name in (*_GENERAL, "nzcv"):
            self.put(name, given.get(name))

    # Registers

    def put(self, name: str, value: int | None) -> None:
        """Write a register; None makes it unknown."""
        self.known[name] = value is not None
        if value is None:
            # Odd multiples of an odd number: each differs, and none is likely to be an address.
            self._n_stand_ins += 1
            value = self._n_stand_ins * _STAND_IN
        value &= 15 if name == "nzcv" else MASK_64
        if name[0] != "v":
            self.values[name] = value
        self.cpu.write(name, value)

    def look(self, name: str) -> int | None:
        """Return the value of a register where it is known."""
        if name == "xzr":
            return 0
        if not self.known[name]:
            return None
        return self.cpu.read(name) if name[0] == "v" else self.values[name]

    def take(self, known: dict[str, bool]) -> None:
        """Read back what the executor wrote, known or not."""
        for name, is_known in known.items():
            self.known[name] = is_known
            if name[0] != "v":
                self.values[name] = self.cpu.read(name)

    def need(self, name: str, what: str) -> int:
        """Return the value of a register on which it depends how the run goes on.

        :raises UnansweredError: if it is unknown; `what` is the subject of the sentence.
        """
        value = self.look(name)
        if value is None:
            shown = "the flags are" if name == "nzcv" else f"{name} is"
            message = f"{what} at {self.place(self.pc)} is unknown: {shown} not known"
            raise UnansweredError(message)
        return value

    def place(self, va: int) -> str:
        """Return an address in words, as an offset where it lies close behind the entry."""
        offset = va - self.job.entry
        return f"+{offset:#x}" if 0 <= offset < 1 << 20 else f"{va:#x}"

    # The run

    def finish(self) -> Observation:
        """Run until something ends it."""
        limit = max(0, min(self.job.max_steps, MAX_STEPS))
        try:
            for n in range(limit + 1):
                if self.pc == self._return_va:
                    return self._observe(Outcome.RETURNED, f"returned to {self.pc:#x}", self.pc)
                if n < limit:
                    self._advance()
        except ExceptionTakenError as taken:
            return self._observe(Outcome.FAULT, taken.fault.reason, taken.fault.elr, taken.fault)
        except UnansweredError as error:
            return self._observe(Outcome.UNKNOWN, str(error), self.pc)
        reason = f"still running after {limit} instructions, at {self.place(self.pc)}"
        return self._observe(Outcome.LIMIT, reason, self.pc)

    def _observe(
        self, outcome: Outcome, reason: str, pc: int, fault: Fault | None = None
    ) -> Observation:
        pstate, pstate_known = self.pstate.saved(self.look("nzcv"))
        return Observation(
            job=self.job.id,
            engine="unicorn",
            modelled=True,
            outcome=outcome,
            reason=reason,
            pc=pc,
            esr=fault.esr if fault else None,
            far=fault.far if fault else None,
            pstate=pstate,
            pstate_known=pstate_known,
            registers={name: self.look(name) for name in _GENERAL},
            system=dict(self.system.written),
            trace=self._trace.lines(),
            n_trace_skipped=self._trace.n_skipped,
        )

    def _advance(self) -> None:
        stub = self._stubs.get(self.pc)
        if stub is None:
            self._step()
        else:
            self._return_from(stub)

    def _return_from(self, stub: Stub) -> None:
        target = self.look("x30")
        if target is None:
            message = f"the return address of the call of `{stub.name}` is unknown"
            raise UnansweredError(message)
        for name in _CALL_CLOBBERS:
            self.put(name, None)
        self.put("x0", stub.returns)
        self.pstate.after_branch(indirect=False)
        self.pc = target

    def _step(self) -> None:
        pc = self.pc
        fault = architecture.fetch_fault(self.space, pc)
        if fault is not None:
            raise ExceptionTakenError(fault)
        word = self.space.word_at(pc)
        if word is None:
            message = f"the instruction at {self.place(pc)} is unknown"
            raise UnansweredError(message)
        insn = decode(word)
        reads = tuple((name, self.look(name)) for name in insn.reads)
        accesses: list[MemoryAccess] = []
        writes: tuple[tuple[str, int | None], ...] = ()
        try:
            self._check(insn)
            after = self._execute(insn, accesses)
            writes = tuple((name, self.look(name)) for name in insn.writes)
        finally:
            page = self.space.page_at(pc)
            region = page.name if page else None
            self._trace.add(TraceLine(pc, word, reads, writes, tuple(accesses), region))
        indirect = insn.branch is not None and insn.branch.kind in ("br", "blr")
        self.pstate.after_branch(indirect=indirect)
        self.pc = after

    def _check(self, insn: Insn) -> None:
        """Stop at what the core lacks, what EL2 traps, and what no run can answer."""
        if insn.group is Group.UDF:
            raise ExceptionTakenError(
                architecture.undefined(self.pc, f"the word {insn.word:#010x}")
            )
        found = allocation(insn, self.system.identification)
        if found.standing is Standing.UNKNOWN:
            message = f"{found.what}: {insn.mnemonic} at {self.place(self.pc)}"
            raise UnansweredError(message)
        if found.standing is Standing.UNDEFINED:
            what = f"{insn.mnemonic} on a core without {found.what}"
            raise ExceptionTakenError(architecture.undefined(self.pc, what))
        is_fp = insn.group is Group.FP_SIMD or (insn.memory is not None and insn.memory.fp)
        if is_fp or self.system.is_fp(insn.system_register or ""):
            self._check_fp(insn)

    def _check_fp(self, insn: Insn) -> None:
        if insn.group is Group.FP_SIMD and not self.cpu.is_allocated(insn.word):
            message = f"whether the core has the word {insn.word:#010x} at {self.place(self.pc)} is unknown"
            raise UnansweredError(message)
        trapped = self.system.traps_fp()
        if trapped is None:
            message = f"whether cptr_el2 traps the instruction at {self.place(self.pc)} is unknown"
            raise UnansweredError(message)
        if trapped:
            raise ExceptionTakenError(architecture.fp_trap(self.pc))

    def _execute(self, insn: Insn, accesses: list[MemoryAccess]) -> int:
        """Return the address of the next instruction."""
        after = (self.pc + 4) & MASK_64
        memory = insn.memory
        if insn.branch is not None:
            return self._branch(insn, after)
        if insn.group is Group.EXCEPTION:
            raise ExceptionTakenError(self._exception(insn))
        if memory is not None and memory.cache:
            el2_system.maintain(self, insn, memory.base, accesses)
        elif memory is not None:
            # A prefetch has no size and no effect.
            if memory.size:
                el2_access.perform(self, insn, accesses)
        elif insn.system_register is not None:
            el2_system.move(self, insn)
        elif insn.group is Group.POINTER_AUTH:
            self._authenticate(insn)
        elif not _is_silent(insn):
            known = taint.results(insn, self.known, self.values["nzcv"])
            self.cpu.step(self.pc)
            self.take(known)
        if insn.mnemonic == "clrex":
            self.monitor = None
        return after

    # Branches and exceptions

    def _branch(self, insn: Insn, after: int) -> int:
        branch = insn.branch
        if branch is None:
            return after
        if branch.kind == "eret":
            message = f"the code leaves EL2 by {insn.mnemonic} at {self.place(self.pc)}"
            raise UnansweredError(message)
        if branch.offset is None:
            target = self._target(insn, branch.register or "x30")
        elif insn.group is Group.BRANCH_CONDITIONAL and not self._is_taken(insn):
            target = after
        else:
            target = (self.pc + branch.offset) & MASK_64
        if branch.link:
            self.put("x30", after)
        return target

    def _target(self, insn: Insn, register: str) -> int:
        if not needs_authentication(insn):
            return 0 if register == "xzr" else self.need(register, "the target of the branch")
        pointer = self._authenticated(register, insn)
        if pointer is None:
            message = f"the target of {insn.mnemonic} at {self.place(self.pc)} is unknown: it was not signed so"
            raise UnansweredError(message)
        return pointer

    def _is_taken(self, insn: Insn) -> bool:
        branch, what = insn.branch, "the condition of the branch"
        if branch is None or branch.register is None:
            condition = insn.word & 15
            return condition >= _ALWAYS or condition_holds(condition, self.need("nzcv", what))
        value = 0 if branch.register == "xzr" else self.need(branch.register, what)
        if branch.kind in ("tbz", "tbnz"):
            return bool(value >> (insn.immediate or 0) & 1) == (branch.kind == "tbnz")
        is_zero = not value & (MASK_32 if insn.is_32bit else MASK_64)
        return is_zero == (branch.kind == "cbz")

    def _exception(self, insn: Insn) -> Fault:
        name, immediate = insn.mnemonic, insn.immediate or 0
        if name == "brk":
            return architecture.breakpoint_instruction(self.pc, immediate)
        if name in ("svc", "hvc"):
            return architecture.call(self.pc, name, immediate)
        if name == "smc":
            message = f"what the firmware answers to smc at {self.place(self.pc)} is unknown"
            raise UnansweredError(message)
        # HLT where no debugger may halt the core, DCPS outside Debug state.
        return architecture.undefined(self.pc, name)

    # Pointer authentication

    def _authenticate(self, insn: Insn) -> None:
        """PAC*, AUT* and XPAC*; those among the hints do nothing on a core without the feature."""
        if not insn.writes or not has_authentication(self.system.identification):
            return
        register = insn.writes[0]
        if insn.mnemonic.startswith("xpac"):
            stand_in = None if self.known[register] else self.values[register]
            self.put(register, None if stand_in is None else self._signed.strip(stand_in))
        elif insn.mnemonic.startswith("aut"):
            self.put(register, self._authenticated(register, insn))
        elif insn.mnemonic == "pacga":
            self.put(register, None)
        else:
            pointer, modifier = self.look(register), self.look(modifier_of(insn))
            self.put(register, None)
            if pointer is not None and modifier is not None:
                self._signed.sign(self.values[register], pointer, modifier, key_of(insn))

    def _authenticated(self, register: str, insn: Insn) -> int | None:
        modifier = self.look(modifier_of(insn))
        if modifier is None or register == "xzr" or self.known[register]:
            return None
        return self._signed.authenticate(self.values[register], modifier, key_of(insn))


def _is_silent(insn: Insn) -> bool:
    """Return whether an instruction changes nothing that a run shows: hints, barriers, TLBI, whole caches."""
    if insn.group is Group.HINT:
        return True
    return insn.group is Group.SYSTEM and not insn.writes and insn.mnemonic != "clrex"
