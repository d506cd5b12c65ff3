"""The engine that runs code at EL2 of QEMU's CPU models: ESR, FAR, SPSR and the registers are the model's.

One start of QEMU runs many jobs. The machine has no disk and no network; the code sees the memory of its job alone,
and harness/README.md says what keeps it there.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from importlib.resources import as_file, files
from typing import NamedTuple

from whypanic.host.clock import Deadline
from whypanic.host.memory import SharedMemory
from whypanic.host.process import find_program, run_program, start_program
from whypanic.host.qmp import MachineEnd, control_arguments, control_sockets, run_machine
from whypanic.model.errors import HostError
from whypanic.replay.protocol import PAGE_BYTES, Job, Observation, Outcome, Permission
from whypanic.replay.qemu_job import (
    Filling,
    Plan,
    UnrunnableError,
    compose,
    filled_answers,
    first_pstate,
    first_registers,
    first_system,
    plan_job,
    step_limit,
    vector_pages,
)
from whypanic.replay.qemu_result import Ending, merge_endings, not_run, read_ending
from whypanic.replay.qemu_wire import (
    ANSWER_BYTES,
    CONTROL,
    DESCRIPTOR_BYTES,
    RESULT_BYTES,
    Descriptor,
    pack_answer,
    pack_control,
    pack_descriptor,
    unpack_progress,
    unpack_result,
    vectors_of,
)
from whypanic.replay.stage1 import MAX_RAM_BYTES, Ram, Tables

PROGRAM = "qemu-system-aarch64"
_HINTS = ("as root: `apt-get install qemu-system-arm` (Debian and Ubuntu)",)

# Core of arch/cores.py -> CPU model. A model counts only if the program on this machine lists it.
# fmt: off
_MODELS = {
    "Cortex-A35":  "cortex-a35",
    "Cortex-A53":  "cortex-a53",
    "Cortex-A57":  "cortex-a57",
    "Cortex-A72":  "cortex-a72",
    "Cortex-A76":  "cortex-a76",
    "Neoverse-N1": "neoverse-n1",
    "A64FX":       "a64fx",
    "max":         "max",
}
# fmt: on

# EL3 and secure memory are where the harness is out of the code's reach.
_MACHINE = "virt,secure=on,virtualization=on,gic-version=3,memory-backend=ram"
_BARE = (
    *("-smp", "1", "-display", "none", "-nodefaults", "-no-user-config", "-no-reboot"),
    *("-monitor", "none", "-serial", "null", "-S"),
    # An instruction takes one nanosecond of the machine's time: the limit of a job is exact to the tick of the timer,
    # and a run is the same each time.
    *("-icount", "shift=0,sleep=off"),
)
_SANDBOX = (
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
)
_PROBE_S = 20.0
_BASE_S = 10.0
_BASE_CPU_S = 2
_RUNS_A_SECOND = 1_000
_STEPS_A_SECOND = 5_000_000
_MAX_WORK_S = 60.0
_DYING_S = 5.0
_MAX_RESTARTS = 20
_MAX_PAGES_A_START = MAX_RAM_BYTES // PAGE_BYTES * 3 // 4
_MAX_RUNS_A_START = 20_000


class _Run(NamedTuple):
    """One job with one filling."""

    job: int
    plan: Plan
    filling: Filling
    vectors_va: int

    @property
    def most_pages(self) -> int:
        """Pages it can take: its own, three tables for each, and those of every job."""
        return 4 * len(self.plan.pages) + 8


@cache
def _models(program: str) -> frozenset[str]:
    """Return the CPU models that a QEMU lists."""
    listed = run_program([program, "-M", "virt", "-cpu", "help"], timeout_s=_PROBE_S)
    return frozenset(listed.stdout.split())


@cache
def _sandbox(program: str) -> tuple[str, ...]:
    """Return the arguments that confine a QEMU to few system calls; none if it was built without."""
    probe = [program, *_SANDBOX, "-M", "virt", "-cpu", "help"]
    return _SANDBOX if run_program(probe, timeout_s=_PROBE_S).returncode == 0 else ()


def is_installed() -> bool:
    """Return whether this machine has the program."""
    try:
        _program()
    except HostError:
        return False
    return True


class QemuEngine:
    """Runs jobs on `qemu-system-aarch64`."""

    name = "qemu"
    modelled = False

    def __init__(self, *, base_s: float = _BASE_S) -> None:
        """Make an engine.

        :param base_s: seconds of wall time that a start may take beyond the time for its instructions.
        """
        self._base_s = base_s

    def supports(self, cpu: str) -> bool:
        """Return whether the QEMU of this machine has a model of the core.

        :raises HostError: if there is no QEMU.
        """
        return _MODELS.get(cpu) in _models(_program())

    def run(self, jobs: Sequence[Job]) -> tuple[Observation, ...]:
        """Return one observation a job, in order.

        :raises HostError: if QEMU is missing, or does not run.
        """
        program = _program()
        models = _models(program)
        observations: dict[int, Observation] = {}
        plans: dict[int, Plan] = {}
        for index, job in enumerate(jobs):
            if _MODELS.get(job.cpu) not in models:
                observations[index] = not_run(job, f"this QEMU has no model of {job.cpu}")
                continue
            try:
                plans[index] = plan_job(job)
            except UnrunnableError as error:
                observations[index] = not_run(job, str(error))
        endings: dict[int, list[Ending]] = {index: [] for index in plans}
        for model, runs in _starts(plans):
            for run, ending in self._run_all(program, model, runs):
                endings[run.job].append(ending)
        for index, plan in plans.items():
            observations[index] = merge_endings(plan, endings[index])
        return tuple(observations[index] for index in range(len(jobs)))

    def _run_all(
        self, program: str, model: str, runs: Sequence[_Run]
    ) -> Iterator[tuple[_Run, Ending]]:
        """Yield every run with its ending; QEMU is started again when one run stops it."""
        for _ in range(_MAX_RESTARTS):
            endings = self._start(program, model, runs)
            yield from zip(runs, endings, strict=False)
            if len(endings) < len(runs):
                # With another filling it would only stop the machine again.
                stopped = runs[len(endings) - 1].job
                runs = [run for run in runs[len(endings) :] if run.job != stopped]
            else:
                runs = []
            if not runs:
                return
        message = f"`{PROGRAM}` stopped {_MAX_RESTARTS} times while it ran these jobs"
        raise HostError(message)

    def _start(self, program: str, model: str, runs: Sequence[_Run]) -> list[Ending]:
        """Return the endings of the first runs: all, or those up to the one that stopped the machine."""
        n_steps = sum(step_limit(run.plan.job) for run in runs)
        work_s = min(_MAX_WORK_S, len(runs) / _RUNS_A_SECOND + n_steps / _STEPS_A_SECOND)
        with ExitStack() as stack:
            memory = stack.enter_context(SharedMemory("whypanic-ram", MAX_RAM_BYTES))
            ours, theirs = stack.enter_context(control_sockets())
            harness = stack.enter_context(as_file(files(__package__) / "harness" / "harness.bin"))
            ram = Ram(memory.view, CONTROL)
            results_pa = _write_image(ram, vectors_of(harness.read_bytes()), runs)
            mib = -(-ram.used_bytes >> 20)
            argv = (
                *(program, "-M", _MACHINE, "-cpu", model, "-bios", str(harness)),
                *("-m", f"{mib}M", "-object"),
                f"memory-backend-file,id=ram,size={mib}M,mem-path={memory.path},share=on",
                *_BARE,
                *control_arguments(theirs),
                *_sandbox(program),
            )
            inherit = (memory.descriptor, theirs.fileno())
            child = stack.enter_context(start_program(argv, inherit=inherit))
            # An exception whose vector faults again, for ever, executes no instruction: the machine's own time stands
            # still, and only the time of the host ends it. CPU time does not depend on what else the host does.
            child.limit(cpu_s=_BASE_CPU_S + int(2 * work_s))
            theirs.close()
            end = run_machine(ours, Deadline(self._base_s + 4 * work_s))
            if end is MachineEnd.DIED and child.ran_out_of_time(_DYING_S):
                end = MachineEnd.DEADLINE
            child.end()
            return _read_endings(ram, results_pa, runs, end, child.complaint())


def _program() -> str:
    return find_program(PROGRAM, hints=_HINTS)


def _starts(plans: dict[int, Plan]) -> Iterator[tuple[str, list[_Run]]]:
    """Yield the CPU model and runs of each start; a job that could reach the memory of others has one to itself."""
    together: dict[str, list[_Run]] = {}
    for index, plan in plans.items():
        vectors = vector_pages(plan)
        runs = [
            _Run(index, plan, filling, va)
            for filling, va in zip(plan.fillings, vectors, strict=False)
        ]
        model = _MODELS[plan.job.cpu]
        if plan.alone:
            yield model, runs
        else:
            together.setdefault(model, []).extend(runs)
    for model, runs in together.items():
        batch: list[_Run] = []
        n_pages = 0
        for run in runs:
            n_pages += run.most_pages
            if batch and (n_pages > _MAX_PAGES_A_START or len(batch) == _MAX_RUNS_A_START):
                yield model, batch
                batch, n_pages = [], run.most_pages
            batch.append(run)
        yield model, batch


def _write_image(ram: Ram, vectors: bytes, runs: Sequence[_Run]) -> int:
    """Write all that the harness needs, and return the PA of the results."""
    control = ram.allocate(PAGE_BYTES)
    vectors_pa = ram.page(vectors.ljust(PAGE_BYTES, b"\0"), shared=False)
    descriptors = ram.allocate(DESCRIPTOR_BYTES * len(runs))
    results = ram.allocate(RESULT_BYTES * len(runs))
    tables = Tables(ram)
    for index, run in enumerate(runs):
        ram.write(
            descriptors + index * DESCRIPTOR_BYTES,
            pack_descriptor(_describe(ram, tables, vectors_pa, run)),
        )
    ram.write(control, pack_control(len(runs), descriptors, results))
    return results


def _describe(ram: Ram, tables: Tables, vectors_pa: int, run: _Run) -> Descriptor:
    plan, job = run.plan, run.plan.job
    contents = compose(job, plan.pages, plan.words, run.filling)
    pages = {
        va: (ram.page(content, shared=plan.pages[va] is not Permission.READ_WRITE), plan.pages[va])
        for va, content in contents.items()
    }
    vectors = dict.fromkeys(vector_pages(plan), vectors_pa)
    answers = filled_answers(plan, run.filling)
    answers_pa = ram.allocate(ANSWER_BYTES * len(answers))
    for index, answer in enumerate(answers):
        ram.write(answers_pa + index * ANSWER_BYTES, pack_answer(answer))
    ttbr0 = tables.build(pages, vectors)
    return Descriptor(
        entry=job.entry & (1 << 64) - 1,
        spsr=first_pstate(job, run.filling),
        steps=step_limit(job),
        answers_pa=answers_pa,
        n_answers=len(answers),
        x=first_registers(plan, run.filling),
        system=first_system(plan, run.filling, ttbr0, run.vectors_va),
    )


def _read_endings(
    ram: Ram, results_pa: int, runs: Sequence[_Run], end: MachineEnd, complaint: str
) -> list[Ending]:
    n_started, n_done = unpack_progress(ram.read(CONTROL, PAGE_BYTES))
    if n_started == 0 and end is not MachineEnd.SHUTDOWN:
        why = complaint or ("too slow to start" if end is MachineEnd.DEADLINE else "no word why")
        message = f"`{PROGRAM}` did not run: {why}"
        raise HostError(message)
    n_done = min(n_done, len(runs))
    endings = [
        read_ending(
            unpack_result(ram.read(results_pa + index * RESULT_BYTES, RESULT_BYTES)),
            run.plan,
            run.vectors_va,
        )
        for index, run in enumerate(runs[:n_done])
    ]
    if n_done < len(runs):
        endings.append(
            Ending(Outcome.LIMIT, "still running at the deadline of the machine")
            if end is MachineEnd.DEADLINE
            else Ending(Outcome.UNKNOWN, "stopped the machine it ran on")
        )
    return endings
