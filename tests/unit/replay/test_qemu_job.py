import struct

import pytest

from whypanic.replay.protocol import MAX_STEPS, Job, Permission, Region, Stub
from whypanic.replay.qemu_job import (
    FILLINGS,
    NOISE,
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
from whypanic.replay.qemu_wire import ANSWER_CALL, RETURN_IMMEDIATE, SYSTEM_NAMES, Answer, smc

BASE = 0x8000_0010_0000
NOP, RET = 0xD503201F, 0xD65F03C0
MRS_MMFR0, MRS_TPIDR = 0xD5380703, 0xD53CD043  # mrs x3, id_aa64mmfr0_el1; mrs x3, tpidr_el2
MSR_SCTLR, MSR_TPIDR, ERET = 0xD51C1004, 0xD51CD040, 0xD69F03E0
KNOWN = {f"x{n}": n for n in range(30)} | {"sp": 0x1000}


def _code(*words: int, va: int = BASE) -> Region:
    return Region(va, struct.pack(f"<{len(words)}I", *words), Permission.EXECUTE, "text")


def _page(*words: int) -> Region:
    return _code(*words, *(NOP for _ in range(1024 - len(words))))


def _job(*regions: Region, **fields: object) -> Job:
    return Job("j", "Cortex-A53", BASE, regions)._replace(**fields)  # type: ignore[arg-type]


def test_a_job_of_which_all_is_known_runs_once() -> None:
    plan = plan_job(_job(_page(NOP), registers=KNOWN, nzcv=0))
    assert plan.fillings == (NOISE,)
    assert not plan.alone
    assert not plan.modelled


@pytest.mark.parametrize(
    "job",
    [
        _job(_page(NOP), registers=KNOWN),
        _job(_page(NOP), registers=KNOWN | {"x7": None}, nzcv=0),
        _job(_page(NOP), registers={k: v for k, v in KNOWN.items() if k != "sp"}, nzcv=0),
        _job(_code(NOP), registers=KNOWN, nzcv=0),
        _job(_page(NOP)._replace(known=((0, 8),)), registers=KNOWN, nzcv=0),
        _job(_page(NOP), registers=KNOWN, nzcv=0, stubs=(Stub(BASE + 4, "f"),)),
        _job(_page(MRS_TPIDR), registers=KNOWN, nzcv=0),
    ],
    ids=["flags", "x7", "sp", "rest of the page", "known", "stub", "tpidr_el2"],
)
def test_a_job_with_something_unknown_runs_with_every_filling(job: Job) -> None:
    assert plan_job(job).fillings == FILLINGS


def test_a_system_register_that_is_given_is_known() -> None:
    job = _job(_page(MRS_TPIDR), registers=KNOWN, nzcv=0, system={"TPIDR_EL2": 5})
    plan = plan_job(job)
    assert plan.fillings == (NOISE,)
    assert not plan.modelled
    values = first_system(plan, NOISE, 0x4000_0000, 0xFFFF_0000)
    assert values[SYSTEM_NAMES.index("tpidr_el2")] == 5
    assert values[SYSTEM_NAMES.index("ttbr0_el2")] == 0x4000_0000
    assert values[SYSTEM_NAMES.index("vbar_el2")] == 0xFFFF_0000
    assert values[SYSTEM_NAMES.index("sp_el2")] == 0x1000


def test_the_mmu_stays_on_whatever_sctlr_is_given() -> None:
    plan = plan_job(_job(_page(NOP), system={"sctlr_el2": 0x30C5_0832}))
    values = first_system(plan, NOISE, 0, 0)
    assert values[SYSTEM_NAMES.index("sctlr_el2")] == 0x30C5_0833


def test_an_identification_register_is_answered_in_place() -> None:
    job = _job(_code(NOP, MRS_MMFR0, NOP, MRS_MMFR0), system={"id_aa64mmfr0_el1": 0x1125})
    plan = plan_job(job)
    assert plan.modelled
    assert plan.answers == (Answer(BASE + 4, 3, 0x1125), Answer(BASE + 12, 3, 0x1125))
    page = compose(job, plan.pages, plan.words, NOISE)[BASE]
    assert struct.unpack_from("<4I", page) == (NOP, smc(0x4000), NOP, smc(0x4001))


def test_only_code_is_answered() -> None:
    table = _code(MRS_MMFR0, va=BASE + 0x1000)._replace(permission=Permission.READ)
    plan = plan_job(_job(_code(NOP), table, system={"id_aa64mmfr0_el1": 0x1125}))
    assert plan.answers == ()


def test_a_stub_returns_its_value_and_leaves_the_rest_unknown() -> None:
    stub = Stub(BASE + 0x40, "f", returns=7)
    plan = plan_job(_job(_code(NOP), stubs=(stub, Stub(BASE + 0x44, "g", returns=None))))
    answers = [filled_answers(plan, filling) for filling in FILLINGS]
    assert {(a[0].va, a[0].kind, a[0].value) for a in answers} == {(stub.va, ANSWER_CALL, 7)}
    assert len({a[1].value for a in answers}) == len(FILLINGS)
    assert {a[0].clobber >> 28 & 0xF for a in answers} == {f.nzcv for f in FILLINGS}


def test_returning_into_mapped_code_is_seen_by_the_harness() -> None:
    assert plan_job(_job(_code(NOP), return_va=BASE + 8)).words == {BASE + 8: smc(RETURN_IMMEDIATE)}
    assert plan_job(_job(_code(NOP), return_va=0x5000)).words == {}


@pytest.mark.parametrize("word", [MSR_SCTLR, ERET, 0xD51B9D00], ids=["sctlr", "eret", "pmcr"])
def test_code_that_could_reach_other_jobs_has_a_machine_to_itself(word: int) -> None:
    assert plan_job(_job(_code(NOP, word))).alone


@pytest.mark.parametrize("word", [MSR_TPIDR, MRS_MMFR0, 0xD53C1004, RET, 0xD51C2148])
def test_other_code_shares_one(word: int) -> None:
    assert not plan_job(_job(_code(NOP, word))).alone


def test_words_that_cross_regions_are_looked_at_whole() -> None:
    half = MSR_SCTLR.to_bytes(4, "little")
    job = _job(
        Region(BASE, half[:2], Permission.EXECUTE, "a"),
        Region(BASE + 2, half[2:], Permission.EXECUTE, "b"),
    )
    assert plan_job(job).alone


def test_what_is_around_the_data_is_filled() -> None:
    job = _job(
        _code(NOP),
        Region(BASE + 0x1FF0, b"abcdefgh" * 4, Permission.READ, "table", ((0, 4), (24, 32))),
    )
    plan = plan_job(job)
    assert plan.pages == {
        BASE: Permission.EXECUTE,
        BASE + 0x1000: Permission.READ,
        BASE + 0x2000: Permission.READ,
    }
    for filling in FILLINGS:
        pages = compose(job, plan.pages, plan.words, filling)
        blank = bytes([filling.data])
        assert struct.unpack_from("<2I", pages[BASE]) == (NOP, filling.code)
        assert pages[BASE + 0x1000][0xFF0:] == b"abcd" + blank * 12
        assert pages[BASE + 0x2000][:17] == blank * 8 + b"abcdefgh" + blank
    assert plan.is_known(BASE + 3)
    assert not plan.is_known(BASE + 4)
    assert plan.is_unknown_code(BASE + 4)
    assert not plan.is_unknown_code(BASE + 0x1000)
    assert not plan.is_known(BASE - 1)


def test_a_page_of_code_and_constants_is_executable() -> None:
    table = Region(BASE + 0x100, b"x", Permission.READ, "table")
    assert plan_job(_job(_code(NOP), table)).pages == {BASE: Permission.EXECUTE}
    assert plan_job(_job(table, _code(NOP))).pages == {BASE: Permission.EXECUTE}


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (_job(_code(NOP, va=0xFFFF_0000_089E_6F84)), "outside what TTBR0_EL2 translates"),
        (_job(_code(NOP, va=(1 << 48) - 2)), "outside what TTBR0_EL2 translates"),
        (_job(_code(NOP, va=-4096)), "outside what TTBR0_EL2 translates"),
        (_job(stubs=(Stub(0xFFFF_0000_0000_0000, "f"),)), "outside what TTBR0_EL2 translates"),
        (_job(stubs=(Stub(BASE + 2, "f"),)), "not aligned"),
        (_job(_code(NOP), Region(BASE + 8, b"x", Permission.READ_WRITE, "data")), "writable and"),
        (_job(Region(BASE, bytes((16 << 20) + 1), Permission.READ, "big")), "more than 16 MiB"),
    ],
)
def test_what_cannot_be_set_up_is_refused(job: Job, reason: str) -> None:
    with pytest.raises(UnrunnableError, match=reason):
        plan_job(job)


def test_the_page_of_the_harness_is_where_the_job_has_none() -> None:
    usual = vector_pages(plan_job(_job(_code(NOP))))
    assert len(set(usual)) == len(FILLINGS)
    taken = _code(NOP, va=usual[1])
    moved = vector_pages(plan_job(_job(taken)))
    assert usual[1] not in moved
    assert usual[0] not in vector_pages(plan_job(_job(_code(NOP), return_va=usual[0] + 8)))


def test_first_state() -> None:
    job = _job(_code(NOP), registers={"x1": 5, "x30": 6}, nzcv=0b1010, daif=0b0110, return_va=0x77)
    plan = plan_job(job)
    x = first_registers(plan, NOISE)
    assert (x[1], x[30], len(x)) == (5, 0x77, 31)
    assert len({first_registers(plan, f)[2] for f in FILLINGS}) == len(FILLINGS)
    assert first_pstate(job, NOISE) == 0xA0000189
    assert first_pstate(job._replace(nzcv=None), FILLINGS[2]) >> 28 == 0xF


@pytest.mark.parametrize(("asked", "given"), [(5, 5), (0, 1), (10**9, MAX_STEPS)])
def test_steps_are_bounded(asked: int, given: int) -> None:
    assert step_limit(_job(_code(NOP), max_steps=asked)) == given
