"""The engine as a whole: the code of the 2017 mail, hostile jobs, and random words."""

import importlib
import random
import struct

import pytest

from builders.a64 import adrp
from builders.el2 import DATA, HOME, RET, STACK, TEXT, job, observe, run, text
from builders.listings import REFERENCE_SWITCH
from whypanic.arch.identification import replay_cores
from whypanic.replay import el2_run, unicorn
from whypanic.replay.protocol import Engine, Job, Observation, Outcome, Permission, Region, Stub
from whypanic.replay.unicorn import UnicornEngine

RUN_VA, TABLE_VA, LINK_VA = 0x8000_089E_6F84, 0x8000_08A0_0000, 0xFFFF_0000_089E_6F84
ENTRIES = (0x5C, 0x34, 0x54, 0x48, 0x50)


def reference(cpu: str, base: int) -> Job:
    """The 38 words at their hyp address, with a table of addresses of the function at `base`."""
    words = list(REFERENCE_SWITCH)
    place = words.index(0x9000000A)
    words[place] = adrp(10, RUN_VA + 4 * place, TABLE_VA)
    table = struct.pack("<5Q", *(base + entry for entry in ENTRIES))
    regions = (text(words, RUN_VA), Region(TABLE_VA, table, Permission.READ, "rodata"))
    return Job("reference", cpu, RUN_VA, regions, nzcv=0b1010, return_va=HOME)


def test_the_reference_run_faults_as_the_mail_says() -> None:
    seen = observe(reference("Cortex-A53", LINK_VA))
    assert seen.outcome is Outcome.FAULT
    assert seen.pc == seen.far == 0xFFFF_0000_089E_6FD8
    assert (seen.esr, seen.pstate, seen.pstate_known) == (0x8600_0004, 0x8000_03C9, 0xFFFF_FFFF)
    assert (seen.engine, seen.modelled) == ("unicorn", True)
    assert len(seen.trace) == 13
    assert seen.trace[-1].reads == (("x11", 0xFFFF_0000_089E_6FD8),)


def test_another_core_takes_another_way() -> None:
    seen = observe(reference("Cortex-A57", LINK_VA))
    assert (seen.pc, seen.pstate) == (0xFFFF_0000_089E_6FD4, 0x6000_03C9)


def test_a_table_of_run_addresses_returns() -> None:
    seen = observe(reference("Cortex-A53", RUN_VA))
    assert seen.outcome is Outcome.RETURNED
    assert (seen.pc, seen.registers["x0"]) == (HOME, 40)
    assert seen.system == {"vtcr_el2": 0xFFFF_FFFF_8002_3558}


@pytest.mark.parametrize("cpu", replay_cores())
def test_every_core_of_the_table_runs(cpu: str) -> None:
    assert UnicornEngine().supports(cpu)
    assert observe(reference(cpu, RUN_VA)).outcome is Outcome.RETURNED
    absolute = observe(reference(cpu, LINK_VA))
    # PARange 5 is beyond the table: the default case returns.
    survives = cpu in ("Neoverse-N1", "Neoverse-V1", "Neoverse-N2")
    assert absolute.outcome is (Outcome.RETURNED if survives else Outcome.FAULT)
    assert absolute.esr == (None if survives else 0x8600_0004)


def test_an_overridden_register_is_what_the_code_reads() -> None:
    given = reference("Cortex-A57", LINK_VA)._replace(system={"ID_AA64MMFR0_EL1": 0x1122})
    assert observe(given).pc == 0xFFFF_0000_089E_6FD8


def test_the_engine_is_an_engine() -> None:
    engine: Engine = UnicornEngine()
    assert not engine.supports("Cortex-M0")
    assert engine.run(()) == ()
    assert run([RET], cpu="Cortex-M0").outcome is Outcome.UNKNOWN


def test_jobs_do_not_see_each_other() -> None:
    store = job([0xF9000020, RET], {"x0": 7, "x1": STACK - 8})  # str x0, [x1]
    load = job([0xF9400020, RET], {"x1": STACK - 8})  # ldr x0, [x1]
    seen = UnicornEngine().run((store, load))
    assert [one.registers["x0"] for one in seen] == [7, 0]


# Hostile jobs


def test_an_endless_loop_ends() -> None:
    seen = run([0xD503201F, 0x17FFFFFF], max_steps=5000)  # nop; b .-4
    assert seen.outcome is Outcome.LIMIT
    assert len(seen.trace) == 2000
    assert seen.n_trace_skipped == 3000
    assert seen.pc == TEXT


def test_steps_are_bounded_whatever_the_job_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(el2_run, "MAX_STEPS", 50)
    seen = run([0x14000000], max_steps=1 << 40)
    assert (seen.outcome, len(seen.trace)) == (Outcome.LIMIT, 50)
    assert run([0x14000000], max_steps=-1).outcome is Outcome.LIMIT


def test_a_stub_that_returns_to_itself_ends() -> None:
    seen = run([0x94000400], stubs=(Stub(TEXT + 0x1000, "f"),), return_va=TEXT + 0x1000)
    assert seen.outcome is Outcome.RETURNED
    stub = Stub(TEXT + 4, "f")
    assert run([0x94000001], stubs=(stub,), max_steps=100).outcome is Outcome.LIMIT


def test_a_jump_into_nothing_faults() -> None:
    seen = run([0xD61F0020], {"x1": 0xDEAD_0000_0000_0000})
    assert (seen.outcome, seen.esr, seen.far) == (Outcome.FAULT, 0x8600_0004, 0xDEAD_0000_0000_0000)


def test_running_off_the_end_of_a_page_faults() -> None:
    nops = (text([0xD503201F] * 1024),)
    seen = observe(job([], regions=nops))
    assert (seen.outcome, seen.pc, seen.esr) == (Outcome.FAULT, TEXT + 4096, 0x8600_0007)


def test_bytes_behind_the_code_are_unknown() -> None:
    seen = run([0xD503201F])
    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, "the instruction at +0x4 is unknown")


@pytest.mark.parametrize(
    "region",
    [
        Region(0xFFFF_FFFF_FFFF_F000, bytes(8192), Permission.READ, "wraps"),
        Region(-4096, bytes(4096), Permission.READ, "negative"),
        Region(0xFFFF_0000_0000_0000, bytes(4), Permission.READ, "kernel"),
        Region(TEXT, bytes(4), Permission.READ_WRITE, "writable code"),
        Region(1 << 40, bytes(17 << 20), Permission.READ, "large"),
    ],
)
def test_regions_that_cannot_be_are_refused(region: Region) -> None:
    given = job([RET])
    seen = observe(given._replace(regions=(*given.regions, region)))
    assert seen.outcome is Outcome.UNKNOWN
    assert seen.reason


def test_an_empty_region_maps_nothing() -> None:
    given = job([0xF9400020], {"x1": 0x3000_0000})
    empty = Region(0x3000_0000, b"", Permission.READ, "empty")
    assert observe(given._replace(regions=(*given.regions, empty))).esr == 0x9600_0006
    assert observe(job([RET], regions=())).outcome is Outcome.FAULT


def test_an_impossible_translation_is_refused() -> None:
    assert run([RET], system={"tcr_el2": 1 << 14 | 16}).outcome is Outcome.UNKNOWN


def random_words(choose: random.Random, n: int) -> list[int]:
    """Words of all groups, most of them of those that are in use."""
    groups = (4, 5, 6, 8, 9, 10, 11, 12, 13, 14)
    words = [choose.getrandbits(32) for _ in range(n)]
    return [
        word & ~(15 << 25) | choose.choice(groups) << 25 if choose.random() < 0.8 else word
        for word in words
    ]


def random_job(choose: random.Random, *, share: float) -> Job:
    """A block of random words, with a share of its registers known."""
    values = (0, 1, (1 << 64) - 1, DATA + 64, STACK - 512, STACK - 504)
    registers = {
        f"x{n}": choose.choice((*values, choose.getrandbits(64)))
        for n in range(30)
        if choose.random() < share
    }
    return job(
        [*random_words(choose, choose.randrange(1, 6)), RET],
        registers,
        cpu=choose.choice(replay_cores()),
        data=bytes(range(256)) * 16,
        known=((0, 72), (128, 4096)),
        nzcv=choose.choice((None, 0b0110)),
        system=choose.choice(({}, {"cptr_el2": 0})),
        max_steps=40,
    )


def test_no_word_raises() -> None:
    choose = random.Random(20171107)
    seen = UnicornEngine().run([random_job(choose, share=0.9) for _ in range(600)])
    assert {one.outcome for one in seen} >= {Outcome.FAULT, Outcome.RETURNED, Outcome.UNKNOWN}
    assert all(one.reason for one in seen)


def test_what_is_known_does_not_depend_on_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def results(stand_in: int) -> list[Observation]:
        monkeypatch.setattr(el2_run, "_STAND_IN", stand_in)
        choose = random.Random(7)
        jobs = [random_job(choose, share=0.6) for _ in range(600)]
        return [
            one._replace(pstate=(one.pstate or 0) & one.pstate_known)
            for one in UnicornEngine().run(jobs)
        ]

    first, second = results(0x9E37_79B9_7F4A_7C15), results(0x0123_4567_89AB_CDEF)
    for mine, theirs in zip(first, second, strict=True):
        assert mine == theirs


def test_the_models_named_exist() -> None:
    constants = importlib.import_module("unicorn.arm64_const")
    names = {*unicorn._MODELS.values(), unicorn._LARGEST}
    assert all(hasattr(constants, name) for name in names)
