"""Which runs a text calls for."""

import pytest

from builders.replays import EXAMPLES, REFERENCE
from whypanic.app.replay import facts_of_text
from whypanic.model.errors import InputError
from whypanic.model.hyp import HypVaRange, IdmapPage
from whypanic.model.provenance import Source
from whypanic.replay.compare import LogValues, Role
from whypanic.replay.hypotheses import (
    Hypothesis,
    Options,
    build_hypotheses,
    log_values,
    run_address,
)
from whypanic.replay.subject import find_subject

MAIL = REFERENCE.read_text()
LINK = 0xFFFF0000089E6F84


def hypotheses(text: str = MAIL, **options: object) -> dict[str, Hypothesis]:
    facts = facts_of_text(text.encode())
    found = build_hypotheses(find_subject(facts), facts, Options(**options))  # type: ignore[arg-type]
    return {h.id: h for h in found}


def table_of(hypothesis: Hypothesis) -> list[int]:
    region = next(r for r in hypothesis.job.regions if "reference" in r.name)
    return [int.from_bytes(region.data[n : n + 8], "little") for n in range(0, 40, 8)]


def test_the_reference_mail() -> None:
    found = hypotheses()
    assert list(found) == [
        "absolute-table",
        "absolute-table-cortex-a57",
        "run-address-table",
        "entered-at-el1-address",
    ]
    first = found["absolute-table"]
    assert first.job.cpu == "Cortex-A53"
    assert dict(first.solved)["load_address"] == LINK
    assert table_of(first) == [LINK + n for n in (0x5C, 0x34, 0x54, 0x48, 0x50)]
    run = dict(first.solved)["run_address"]
    assert table_of(found["run-address-table"]) == [run + n for n in (0x5C, 0x34, 0x54, 0x48, 0x50)]
    assert found["absolute-table-cortex-a57"].job.cpu == "Cortex-A57"
    assert [h.is_remedy for h in found.values()] == [False, False, True, False]


def test_the_entry_at_the_el1_address_is_solved_not_derived() -> None:
    entry = hypotheses()["entered-at-el1-address"]
    assert entry.job.entry == 0xFFFF0000089E6FD8
    assert entry.job.nzcv == 0b1010
    assert entry.roles == {"pc": Role.SOLVED, "far": Role.SOLVED}
    assert entry.cause == "absolute-pointer-at-el2"


def test_other_flags_another_core() -> None:
    found = hypotheses(MAIL.replace("PS:800003c9", "PS:600003c9"))
    assert found["absolute-table"].job.cpu == "Cortex-A57"
    assert dict(found["absolute-table"].solved)["load_address"] == LINK + 4


def test_a_core_asked_for_is_the_only_one() -> None:
    found = hypotheses(cpu="Cortex-A72")
    assert {h.job.cpu for h in found.values()} == {"Cortex-A72"}
    assert "absolute-table-cortex-a57" not in found


def test_registers_and_overrides_reach_the_job() -> None:
    job = hypotheses(registers={"x0": 7}, system={"id_aa64mmfr0_el1": 0x1124})["absolute-table"].job
    assert job.registers["x0"] == 7
    assert job.system == {"id_aa64mmfr0_el1": 0x1124}
    assert job.registers["x30"] == job.return_va


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_compilers_listings(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    found = hypotheses(text)
    if path.stem.startswith("interpret"):  # type: ignore[attr-defined]
        assert list(found) == ["as-linked", "run-address-table"]
    else:
        assert list(found) == ["as-linked"]
    assert not any(h.against_log for h in found.values())


def test_a_text_without_code_is_an_error() -> None:
    with pytest.raises(InputError, match="no listing"):
        hypotheses("nothing\n")


def test_log_values() -> None:
    values = log_values(facts_of_text(MAIL.encode()))
    assert values == LogValues(
        pc=0xFFFF0000089E6FD8, far=0xFFFF0000089E6FD8, esr=0x86000004, pstate=0x800003C9
    )
    assert log_values(()) == LogValues()


def test_where_code_runs() -> None:
    source = Source(line=1)
    ranged = (HypVaRange(source=source, first=0x4000000000, last=0x7FFFFFFFFF),)
    assert run_address(LINK, ()) == 0x8000001E6F84
    assert run_address(LINK, ranged) == 0x40001E6F84
    assert run_address(LINK, (), "link") == LINK
    assert run_address(LINK, (), "0x123456789") == 0x123456F84
    page = (IdmapPage(source=source, pa=0x809E2000),)
    assert run_address(LINK, page, "pa") == 0x809E6F84


RELOCATED = MAIL.replace(
    "> 18: 924", "> 14: R_AARCH64_ADR_PREL_PG_HI21 .rodata\n> 18: 924"
).replace("> 20: f869", "> 1c: R_AARCH64_ADD_ABS_LO12_NC .rodata\n> 20: f869")
SOLVED = (0x5C, 0x34, 0x54, 0x48, 0x50)


def shown_table(
    targets: tuple[int, ...], symbol: str = ".text", kind: str = "R_AARCH64_ABS64"
) -> str:
    rows = [f"{8 * n:016x} {kind}   {symbol}+0x{t:016x}\n" for n, t in enumerate(targets)]
    return "\nRELOCATION RECORDS FOR [.rodata]:\nOFFSET TYPE VALUE\n" + "".join(rows)


def entries_of(text: str) -> list[int | None]:
    (region,) = (r for r in hypotheses(text)["absolute-table"].job.regions if r.name == ".rodata")
    known = [(0, len(region.data))] if region.known is None else region.known
    return [
        int.from_bytes(region.data[n : n + 8], "little") - LINK
        if any(first <= n and n + 8 <= last for first, last in known)
        else None
        for n in range(0, 40, 8)
    ]


def test_entries_that_the_text_shows_go_before_those_solved() -> None:
    assert entries_of(RELOCATED) == list(SOLVED)
    assert entries_of(RELOCATED + shown_table(SOLVED)) == list(SOLVED)
    other = (0x34, 0x54, 0x48, 0x5C, 0x50)
    assert entries_of(RELOCATED + shown_table(other)) == list(other)
    assert entries_of(RELOCATED + shown_table(other[:2])) == [0x34, 0x54, *SOLVED[2:]]


@pytest.mark.parametrize(
    ("symbol", "kind"), [("handler", "R_AARCH64_ABS64"), (".text", "R_AARCH64_PREL32")]
)
def test_a_table_of_something_else_is_taken_as_shown(symbol: str, kind: str) -> None:
    found = entries_of(RELOCATED + shown_table(SOLVED, symbol, kind))
    assert not {*SOLVED} & {*found}


def test_an_open_reference_to_a_table_that_does_not_fit_is_not_solved() -> None:
    def known(text: str) -> bool:
        job = hypotheses(text)["absolute-table"].job
        region = next(r for r in job.regions if "reference" in r.name)
        return region.known is None or any(last - first >= 40 for first, last in region.known)

    assert known(MAIL + shown_table(SOLVED))
    assert known(MAIL + shown_table((0x1000, *SOLVED)))  # the table is at +8
    assert not known(MAIL + shown_table((0x34, 0x54, 0x48, 0x5C, 0x50)))


def test_what_was_solved_of_another_listing_is_not_of_this_one() -> None:
    at = MAIL.index("> 0000000000000000 <__init")
    listing = MAIL[at : MAIL.index("\nThanks")].replace("__init_stage2_translation", "other")
    facts = facts_of_text((MAIL[:at] + listing + MAIL[at:]).encode())
    subject = find_subject(facts)
    assert subject.function == "__init_stage2_translation"
    assert build_hypotheses(subject, facts)[0].id == "absolute-table"
    alone = facts_of_text(
        (MAIL[:at] + listing.replace("7100111f", "d503201f") + MAIL[at:]).encode()
    )
    other = find_subject(alone, "other")
    assert "absolute-table" not in [h.id for h in build_hypotheses(other, alone)]
