"""Code at EL2 of a real QEMU."""

import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from builders.engines import qemu_engine
from builders.listings import REFERENCE_SWITCH
from whypanic.host.process import start_program
from whypanic.host.qmp import MachineEnd
from whypanic.model.errors import HostError
from whypanic.replay import qemu
from whypanic.replay.protocol import Job, Observation, Outcome, Permission, Region, Stub
from whypanic.replay.qemu_job import plan_job
from whypanic.replay.qemu_wire import CONTROL

LINK = 0xFFFF_0000_089E_6F84
RUN = 0x8000_089E_6F84
TABLE = 0x8000_08F3_0018
TARGETS = (0x5C, 0x34, 0x54, 0x48, 0x50)

BASE, DATA, STACK, RETURN = 0x8000_0010_0000, 0x8000_0020_0000, 0x8000_0030_0000, 0x8000_0040_0000
NOP, RET, LOOP, WFI = 0xD503201F, 0xD65F03C0, 0x14000000, 0xD503207F
LDR, STR = 0xF9400001, 0xF9000001  # x1, [x0]
BR_X9, BLR_X9 = 0xD61F0120, 0xD63F0120
MRS_MMFR0, MRS_TPIDR, MSR_TPIDR = 0xD5380703, 0xD53CD043, 0xD51CD040
# mrs x4, sctlr_el2; and x4, x4, #~1; msr sctlr_el2, x4; isb
MMU_OFF = (0xD53C1004, 0x927FF884, 0xD51C1004, 0xD5033FDF)
HVC, SVC = 0xD4000062, 0xD4000121  # hvc #3; svc #9
MARK = 0x1234_5678_9ABC_DEF0


def _words(words: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


def _page(data: bytes = b"") -> bytes:
    return data.ljust(4096, b"\0")


def _job(*words: int, cpu: str = "Cortex-A53", **fields: object) -> Job:
    regions = (
        Region(BASE, _page(_words(words)), Permission.EXECUTE, "text"),
        Region(DATA, _page(MARK.to_bytes(8, "little")), Permission.READ, "rodata"),
        Region(STACK, _page(), Permission.READ_WRITE, "stack"),
    )
    registers = {f"x{n}": 0x100 + n for n in range(30)} | {"sp": STACK + 4096}
    job = Job("job", cpu, BASE, regions, registers=registers, nzcv=0, return_va=RETURN)
    given = fields.pop("registers", {})
    assert isinstance(given, dict)
    return job._replace(registers=registers | given, **fields)  # type: ignore[arg-type]


def _run(job: Job) -> Observation:
    (seen,) = qemu_engine().run([job])
    assert (seen.job, seen.engine, seen.trace) == (job.id, "qemu", ())
    return seen


def _reference(cpu: str, first: int) -> Job:
    words = list(REFERENCE_SWITCH)
    # adrp x10, TABLE; add x10, x10, :lo12:TABLE
    pages = (TABLE >> 12) - (RUN + 0x14 >> 12)
    words[5] |= (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
    words[7] |= (TABLE & 0xFFF) << 10
    table = struct.pack("<5Q", *(first + offset for offset in TARGETS))
    regions = (
        Region(RUN, _words(words), Permission.EXECUTE, "hyp text"),
        Region(TABLE, table, Permission.READ, "kernel rodata"),
    )
    return Job("reference", cpu, RUN, regions)


def test_the_reference_case_on_the_core_it_happened_on() -> None:
    seen = _run(_reference("Cortex-A53", LINK))
    assert seen.outcome is Outcome.FAULT
    assert not seen.modelled
    assert seen.pc == seen.far == 0xFFFF_0000_089E_6FD8
    assert (seen.esr, seen.pstate, seen.pstate_known) == (0x86000004, 0x800003C9, 0xFFFFFFFF)
    assert seen.registers["x11"] == seen.pc
    assert seen.registers["x1"] is None
    assert seen.hpfar is None
    assert seen.system == {}


def test_the_reference_case_on_the_other_core_of_the_machine() -> None:
    seen = _run(_reference("Cortex-A57", LINK))
    assert seen.pc == seen.far == LINK + 0x50
    assert (seen.esr, seen.pstate) == (0x86000004, 0x600003C9)


def test_the_reference_case_with_a_table_of_run_addresses() -> None:
    seen = _run(_reference("Cortex-A53", RUN))
    assert (seen.outcome, seen.pc, seen.esr, seen.far) == (Outcome.RETURNED, 0, None, None)
    assert seen.registers["x0"] == 40
    # PS is PARange, and T0SZ leaves 40 bits.
    vtcr = seen.system["vtcr_el2"]
    assert vtcr is not None
    assert (vtcr >> 16 & 7, vtcr & 0x3F) == (2, 24)


@pytest.mark.parametrize(
    ("word", "x0", "esr", "far"),
    [
        (LDR, 0x8000_0050_0010, 0x96000006, 0x8000_0050_0010),
        (LDR, DATA + 0x1000, 0x96000007, DATA + 0x1000),
        (LDR, 0xFFFF_0000_0800_0000, 0x96000004, 0xFFFF_0000_0800_0000),
        (LDR, 0, 0x96000004, 0),
        (STR, DATA, 0x9600004F, DATA),
        (STR, BASE, 0x9600004F, BASE),
        (0xD4210000, 0, 0xF2000800, None),  # brk #0x800
        (0x00000000, 0, 0x02000000, None),  # udf
        (0x9E670000, 0, 0x1FE00000, None),  # fmov d0, x0
        (HVC, 0, 0x5A000003, None),
        (SVC, 0, 0x56000009, None),
        (BR_X9, 0, 0x8600000F, DATA),
    ],
    ids=[
        "unmapped",
        "no-page",
        "el1",
        "null",
        "rodata",
        "text",
        "brk",
        "udf",
        "fp",
        "hvc",
        "svc",
        "data",
    ],
)
def test_faults(word: int, x0: int, esr: int, far: int | None) -> None:
    seen = _run(_job(NOP, word, registers={"x0": x0, "x9": DATA}))
    assert seen.outcome is Outcome.FAULT, seen.reason
    assert (seen.esr, seen.far) == (esr, far)
    # ELR of a call is behind it.
    assert seen.pc == {BR_X9: DATA, HVC: BASE + 8, SVC: BASE + 8}.get(word, BASE + 4)
    assert seen.pstate == 0x3C9
    assert seen.registers["x0"] == x0


def test_fp_that_is_not_trapped_runs() -> None:
    seen = _run(_job(0x9E670000, RET, system={"cptr_el2": 0x33FF}))
    assert (seen.outcome, seen.modelled) == (Outcome.RETURNED, False)


def test_the_stack_is_there_and_ends() -> None:
    # stp x29, x30, [sp, #-16]!; ldp x29, x30, [sp], #16; ret
    seen = _run(_job(0xA9BF7BFD, 0xA8C17BFD, RET, registers={"x29": 77}))
    assert seen.outcome is Outcome.RETURNED
    assert (seen.registers["sp"], seen.registers["x29"]) == (STACK + 4096, 77)
    over = _run(_job(0xA9BF7BFD, registers={"sp": STACK}))
    assert (over.esr, over.far) == (0x96000047, STACK - 16)


def test_loads_read_what_was_put_there() -> None:
    seen = _run(_job(LDR, RET, registers={"x0": DATA}))
    assert (seen.outcome, seen.registers["x1"]) == (Outcome.RETURNED, MARK)


def test_flags_and_masks_before_the_first_instruction() -> None:
    assert _run(_job(0, nzcv=0b1010, daif=0b0110)).pstate == 0xA0000189


@pytest.mark.parametrize("word", [LOOP, WFI])
def test_a_loop_is_stopped(word: int) -> None:
    # wfi; b .-4
    words = (WFI, 0x17FFFFFF) if word == WFI else (LOOP,)
    seen = _run(_job(NOP, *words, registers={"x5": 55}))
    assert seen.outcome is Outcome.LIMIT
    assert seen.pc in (BASE + 4, BASE + 8)
    assert seen.registers["x5"] == 55


def test_the_limit_counts_instructions() -> None:
    # add x0, x0, #1; b .-4
    counts = []
    for n_steps in (1_000, 20_000):
        loop = _job(0x91000400, 0x17FFFFFF, registers={"x0": 0}, max_steps=n_steps)
        count = _run(loop).registers["x0"]
        assert count is not None
        counts.append(count)
        assert abs(2 * count - n_steps) < 100
    assert counts[0] < counts[1]


def test_a_call_to_a_stub_comes_back() -> None:
    # blr x9; mov x29, x0; br x10
    words = (BLR_X9, 0xAA0003FD, 0xD61F0140)
    job = _job(*words, registers={"x9": BASE + 0x800, "x10": RETURN})
    seen = _run(job._replace(stubs=(Stub(BASE + 0x800, "f", returns=0x1234_5678_9ABC),)))
    # x10 is caller-saved: where the code goes after the call is not known
    assert seen.outcome is Outcome.UNKNOWN
    words = (BLR_X9, 0xAA0003FD, 0xD61F0260)  # br x19
    job = _job(*words, registers={"x9": BASE + 0x800, "x19": RETURN})
    seen = _run(job._replace(stubs=(Stub(BASE + 0x800, "f", returns=0x1234_5678_9ABC),)))
    assert seen.outcome is Outcome.RETURNED
    assert seen.registers["x29"] == 0x1234_5678_9ABC
    assert seen.registers["x1"] is None
    assert seen.registers["x19"] == RETURN
    assert seen.pstate_known & 0xF0000000 == 0


def test_an_identification_register_can_be_answered() -> None:
    seen = _run(_job(MRS_MMFR0, RET, system={"ID_AA64MMFR0_EL1": 0xABCD}))
    assert (seen.outcome, seen.registers["x3"], seen.modelled) == (Outcome.RETURNED, 0xABCD, True)
    own = _run(_job(MRS_MMFR0, RET))
    assert (own.registers["x3"], own.modelled) == (0x1122, False)


def test_what_is_read_from_an_unknown_register_is_unknown() -> None:
    seen = _run(_job(MRS_TPIDR, RET))
    assert (seen.outcome, seen.registers["x3"], seen.registers["x4"]) == (
        Outcome.RETURNED,
        None,
        0x104,
    )
    given = _run(_job(MRS_TPIDR, RET, system={"tpidr_el2": 9}))
    assert (given.registers["x3"], given.modelled) == (9, False)


def test_a_written_system_register_is_told() -> None:
    assert _run(_job(MSR_TPIDR, RET)).system == {"tpidr_el2": 0x100}


def test_a_branch_on_an_unknown_value_is_unknown() -> None:
    # cbz x7, +8; brk #0; brk #1
    seen = _run(_job(0xB4000047, 0xD4200000, 0xD4200020, registers={"x7": None}))
    assert seen.outcome is Outcome.UNKNOWN
    assert "not known" in seen.reason


def test_unknown_memory_gives_unknown_values() -> None:
    job = _job(LDR, RET, registers={"x0": DATA})
    table = job.regions[1]._replace(known=((0, 4),))
    seen = _run(job._replace(regions=(job.regions[0], table)))
    assert (seen.outcome, seen.registers["x1"]) == (Outcome.RETURNED, None)


def test_running_past_the_listing_is_unknown() -> None:
    job = _job()
    seen = _run(
        job._replace(regions=(Region(BASE, _words([NOP, NOP]), Permission.EXECUTE, "text"),))
    )
    assert seen.outcome is Outcome.UNKNOWN
    assert f"{BASE + 8:#x}" in seen.reason


def test_a_secure_monitor_call_is_unknown() -> None:
    seen = _run(_job(NOP, 0xD40000E3))
    assert (seen.outcome, seen.pc) == (Outcome.UNKNOWN, BASE + 4)


def _mixed(n_jobs: int) -> tuple[list[Job], list[tuple[Outcome, int | None]]]:
    kinds = (
        ((NOP, RET), Outcome.RETURNED, None),
        ((0xD4210000,), Outcome.FAULT, 0xF2000800),
        ((LOOP,), Outcome.LIMIT, None),
        ((LDR,), Outcome.FAULT, 0x96000004),
    )
    jobs, expected = [], []
    for n in range(n_jobs):
        words, outcome, esr = kinds[n * 7 % 4]
        jobs.append(_job(*words, registers={"x0": 0, "x20": n}, id=f"{n}", max_steps=1_000))
        expected.append((outcome, esr))
    return jobs, expected


def test_many_jobs_in_one_start_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = qemu_engine()
    starts = []

    def count(*arguments: object, **named: object) -> object:
        starts.append(arguments)
        return start_program(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(qemu, "start_program", count)
    jobs, expected = _mixed(200)
    seen = engine.run(jobs)
    assert len(starts) == 1
    assert [o.job for o in seen] == [job.id for job in jobs]
    assert [(o.outcome, o.esr) for o in seen] == expected
    assert [o.registers["x20"] for o in seen] == list(range(200))


def test_runs_repeat() -> None:
    jobs, _ = _mixed(8)
    assert qemu_engine().run(jobs) == qemu_engine().run(jobs)


def test_jobs_of_several_cores_keep_their_order() -> None:
    cores = ("Cortex-A57", "Cortex-A53", "Cortex-A57")
    seen = qemu_engine().run([_job(MRS_MMFR0, RET, cpu=cpu, id=cpu) for cpu in cores])
    assert [o.registers["x3"] for o in seen] == [0x1124, 0x1122, 0x1124]


@pytest.mark.parametrize(
    "cpu",
    [
        "Cortex-A35",
        "Cortex-A53",
        "Cortex-A57",
        "Cortex-A72",
        "Cortex-A76",
        "Neoverse-N1",
        "A64FX",
        "max",
    ],
)
def test_every_model_runs_at_el2(cpu: str) -> None:
    # mrs x3, currentel
    assert qemu_engine().supports(cpu)
    seen = _run(_job(0xD5384243, RET, cpu=cpu))
    assert (seen.outcome, seen.registers["x3"]) == (Outcome.RETURNED, 2 << 2), seen.reason


@pytest.mark.parametrize("cpu", ["Cortex-A55", "Neoverse-N2", "cortex-a53", ""])
def test_a_core_without_a_model(cpu: str) -> None:
    assert not qemu_engine().supports(cpu)
    seen = _run(_job(RET, cpu=cpu))
    assert (seen.outcome, seen.modelled) == (Outcome.UNKNOWN, False)


def test_the_memory_of_the_harness_is_out_of_reach() -> None:
    for address in (0, 0x4020_0000, 0x4020_1000, 0x0800_0000, 0x090B_0000):
        seen = _run(_job(STR, registers={"x0": address}))
        assert (seen.outcome, seen.far) == (Outcome.FAULT, address)


def test_code_that_turns_its_translation_off_spoils_no_other_job() -> None:
    fine = _job(NOP, RET, id="fine")
    hostile = _job(*MMU_OFF, STR, LOOP, id="hostile", registers={"x0": 0x4020_0010})
    seen = qemu_engine().run([fine, hostile, fine])
    assert [o.outcome for o in seen[::2]] == [Outcome.RETURNED, Outcome.RETURNED]
    assert seen[1].outcome is Outcome.LIMIT


def test_a_start_that_takes_too_long_is_ended() -> None:
    qemu_engine()
    with pytest.raises(HostError, match="too slow to start"):
        qemu.QemuEngine(base_s=0.0001).run([_job(RET)])


def test_a_missing_program_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(HostError) as caught:
        qemu.QemuEngine().run([_job(RET)])
    assert "qemu-system-arm" in caught.value.hints[0]


class _Ram:
    """Memory after a start in which two of three jobs were begun and one has a result."""

    def read(self, pa: int, n_bytes: int) -> bytes:
        progress = struct.pack("<5Q", 3, 2, 1, 0, 0)
        return progress.ljust(n_bytes, b"\0") if pa == CONTROL else bytes(n_bytes)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [("DEADLINE", Outcome.LIMIT), ("DIED", Outcome.UNKNOWN), ("SHUTDOWN", Outcome.UNKNOWN)],
)
def test_the_job_that_stopped_the_machine_gets_the_blame(end: str, outcome: Outcome) -> None:
    plan = plan_job(_job(RET))
    runs = [qemu._Run(n, plan, plan.fillings[0], 0xFFFF_FFFF_F000) for n in range(3)]
    endings = qemu._read_endings(_Ram(), 0x4100_0000, runs, MachineEnd[end], "")  # type: ignore[arg-type]
    assert [e.outcome for e in endings] == [Outcome.UNKNOWN, outcome]
    assert endings[1].raw is None


def test_a_machine_that_never_ran_is_an_error() -> None:
    class Nothing(_Ram):
        def read(self, pa: int, n_bytes: int) -> bytes:
            return bytes(n_bytes)

    with pytest.raises(HostError, match="did not run: bad option"):
        qemu._read_endings(Nothing(), 0, [], MachineEnd.DIED, "bad option")  # type: ignore[arg-type]


def test_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    qemu_engine()
    assert qemu.is_installed()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not qemu.is_installed()
