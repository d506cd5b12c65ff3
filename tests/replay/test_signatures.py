"""Each crash signature that code can show: planted, run on both engines, printed as the kernel would, and explained."""

import pytest

from builders.engines import qemu_engine, unicorn_engine
from builders.panic_text import early_panic, late_panic, listing_text
from builders.snippets import (
    HYP_OFFSET,
    LINK,
    RUN,
    SIGNED_RETURN,
    SNIPPETS,
    SWITCH,
    Snippet,
    linked_switch,
)
from whypanic.app.explain import explain_input
from whypanic.app.explain_document import build_document
from whypanic.app.inputs import RawInput
from whypanic.arch.identification import identification, qemu_model, replay_cores
from whypanic.replay.protocol import Engine, Observation, Outcome
from whypanic.report.document import DocCause

CORE = "Cortex-A53"


@pytest.fixture(params=[unicorn_engine, qemu_engine], ids=["unicorn", "qemu"], scope="module")
def engine(request: pytest.FixtureRequest) -> Engine:
    made: Engine = request.param()
    return made


@pytest.fixture(scope="module")
def observed(engine: Engine) -> dict[str, Observation]:
    jobs = [snippet.job(CORE) for snippet in SNIPPETS]
    return {seen.job: seen for seen in engine.run(jobs)}


def _first_cause(text: str) -> DocCause:
    (report,) = build_document([explain_input(RawInput("planted", text.encode()))], []).reports
    return report.causes[0]


def _text(snippet: Snippet, seen: Observation) -> str:
    listing = listing_text("planted", snippet.listing) if snippet.listing else ""
    if snippet.place:
        return late_panic(seen, HYP_OFFSET, snippet.place) + listing
    return early_panic(seen) + listing


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: s.name)
def test_the_fault_is_that_of_the_signature(
    snippet: Snippet, observed: dict[str, Observation]
) -> None:
    seen = observed[snippet.name]
    assert seen.outcome is Outcome.FAULT, seen.reason
    assert (hex(seen.esr or 0), hex(seen.pc or 0)) == (hex(snippet.esr), hex(snippet.pc))
    if snippet.far is not None:
        assert seen.far == snippet.far
    assert seen.pstate is not None
    assert seen.pstate & 0x0FFF_FFFF == 0x3C9


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: s.name)
def test_the_panic_lines_lead_to_the_cause(
    snippet: Snippet, observed: dict[str, Observation]
) -> None:
    first = _first_cause(_text(snippet, observed[snippet.name]))
    if snippet.cause is None:
        assert first.verdict != "proven"
    else:
        assert first.id == snippet.cause


def test_the_switch_with_run_addresses_survives(engine: Engine) -> None:
    """The remedy of the table: what it holds after a fix-up."""
    (seen,) = engine.run([linked_switch(RUN).job(CORE)])
    assert (seen.outcome, seen.registers["x0"]) == (Outcome.RETURNED, 40)
    assert seen.system["vtcr_el2"] == 1 << 31 | (64 - 40)


def test_the_switch_on_every_core_that_both_engines_have() -> None:
    """PARange picks the block: the same place and flags from both engines."""
    cores = tuple(core for core in replay_cores() if qemu_model(core))
    jobs = [SWITCH.job(core) for core in cores]
    blocks = {2: 0x3C, 4: 0x24, 5: 0x4C}
    for core, ours, theirs in zip(
        cores, unicorn_engine().run(jobs), qemu_engine().run(jobs), strict=True
    ):
        assert (ours.outcome, ours.pc, ours.esr, ours.pstate, ours.registers["x0"]) == (
            theirs.outcome,
            theirs.pc,
            theirs.esr,
            theirs.pstate,
            theirs.registers["x0"],
        )
        pa_range = identification(core)["id_aa64mmfr0_el1"] & 15
        if pa_range > 4:
            assert (theirs.outcome, theirs.registers["x0"]) == (Outcome.RETURNED, 48)
        else:
            assert theirs.pc == LINK + blocks[pa_range]


@pytest.mark.parametrize("core", ["Neoverse-V1", "Neoverse-N2"])
def test_a_signed_return_address_that_was_overwritten_is_not_guessed(core: str) -> None:
    """What authentication leaves depends on keys that no log shows: unknown, never a fault."""
    (seen,) = unicorn_engine().run([SIGNED_RETURN.job(core)])
    assert seen.outcome is Outcome.UNKNOWN
    assert seen.esr is None


def test_signatures_that_no_snippet_shows() -> None:
    """EC 0x0d and 0x1c: no core that QEMU 7.2 models by name has the feature, and Unicorn knows no guarded pages."""
    bti = {core for core in replay_cores() if identification(core)["id_aa64pfr1_el1"] & 15}
    # FPAC: APA or API of ID_AA64ISAR1_EL1 is 4 or more.
    fpac = {
        core
        for core in replay_cores()
        if max(identification(core)["id_aa64isar1_el1"] >> shift & 15 for shift in (4, 8)) >= 4
    }
    assert bti == fpac == {"Neoverse-N2"}
    assert qemu_model("Neoverse-N2") is None
