"""The reference case and today's compilers, run."""

import json
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from builders.engines import qemu_engine
from builders.replays import EXAMPLES, REFERENCE
from builders.repository import ROOT
from whypanic.app.inputs import RawInput
from whypanic.app.replay import replay
from whypanic.model.errors import InputError
from whypanic.replay.hypotheses import Options
from whypanic.report.document import encode
from whypanic.report.replay_document import DocHypothesis, ReplayDocument, replay_schema
from whypanic.report.replay_text import render_replay

PUBLISHED = ROOT / "docs" / "schemas" / "whypanic.replay-1.json"
MAIL = RawInput("mail", REFERENCE.read_bytes())


@cache
def document(engine: str) -> ReplayDocument:
    if engine == "qemu":
        qemu_engine()
    return replay(MAIL, engine=engine, sweep=True)


def hypothesis(engine: str, id_: str) -> DocHypothesis:
    return next(h for h in document(engine).hypotheses if h.id == id_)


def values(found: DocHypothesis) -> dict[str, tuple[str | None, bool | None, str]]:
    return {v.name: (v.replay, v.equal, v.role) for v in found.values}


@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_a_the_table_of_absolute_addresses_is_the_panic_bit_for_bit(engine: str) -> None:
    found = hypothesis(engine, "absolute-table")
    assert (found.cpu, found.outcome, found.reproduced) == ("Cortex-A53", "fault", True)
    assert found.modelled is (engine == "unicorn")
    assert values(found) == {
        "pc": ("0xffff0000089e6fd8", True, "derived"),
        "far": ("0xffff0000089e6fd8", True, "derived"),
        "esr": ("0x86000004", True, "derived"),
        "pstate": ("0x800003c9", True, "derived"),
    }
    solved = {s.name: s.value for s in found.solved}
    assert solved["load_address"] == "0xffff0000089e6f84"


@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_b_on_the_other_core_it_is_not(engine: str) -> None:
    found = hypothesis(engine, "absolute-table-cortex-a57")
    assert not found.reproduced
    assert values(found)["pc"] == ("0xffff0000089e6fd4", False, "derived")
    assert values(found)["pstate"] == ("0x600003c9", False, "derived")


@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_c_the_entry_at_the_el1_address_leaves_other_flags(engine: str) -> None:
    found = hypothesis(engine, "entered-at-el1-address")
    assert not found.reproduced
    assert values(found)["pc"] == ("0xffff0000089e6fd8", True, "solved")
    assert values(found)["pstate"] == ("0xa00003c9", False, "given")


@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_d_a_table_of_run_addresses_is_the_remedy(engine: str) -> None:
    found = hypothesis(engine, "run-address-table")
    assert (found.outcome, found.reproduced) == ("returned", False)
    assert {r.name: r.value for r in found.registers}["x0"] == "0x28"
    vtcr = {r.name: r.value for r in found.system}["vtcr_el2"]
    assert vtcr is not None
    assert int(vtcr, 16) & 0x3F == 64 - 40


def test_the_trace_names_the_first_point_where_a_correct_run_parts() -> None:
    found = hypothesis("unicorn", "absolute-table")
    assert found.parting is not None
    assert found.parting.text == "ldr x11, [x10, x9, lsl #3]"
    load = next(line for line in found.trace if line.memory)
    assert load.memory[0].value == "0xffff0000089e6fd8"
    assert load.memory[0].mapping is not None
    assert load.domain == "hyp"
    assert found.trace[-1].text == "br x11"


@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_sweep(engine: str) -> None:
    rows = {row.cpu: row for row in document(engine).sweep or []}
    assert {cpu for cpu, row in rows.items() if row.reproduced} == {
        *("Cortex-A35", "Cortex-A53", "Cortex-A55", "Cortex-A76", "A64FX"),
    }
    assert rows["Cortex-A72"].values[0].replay == "0xffff0000089e6fd4"
    assert rows["Neoverse-N1"].outcome == "returned"  # PARange 5 takes the default case
    shown = {v.name: (v.log, v.replay) for v in rows["Neoverse-N1"].values}
    assert shown == {"x0": (None, "0x30"), "vtcr_el2": (None, "0xffffffff802d3558")}
    for absent in ("Cortex-A55", "Neoverse-V1", "Neoverse-N2"):
        assert rows[absent].modelled


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
@pytest.mark.parametrize("engine", ["unicorn", "qemu"])
def test_what_todays_compilers_make(path: Path, engine: str) -> None:
    """A switch survives at its hyp VA with and without its table; a computed goto panics, whatever the flag."""
    if engine == "qemu":
        qemu_engine()
    options = Options(registers={"x0": 3, "x1": 5})
    found = replay(RawInput("listing", path.read_bytes()), options=options, engine=engine)
    outcomes = {h.id: h.outcome for h in found.hypotheses}
    if path.stem.startswith("dispatch"):
        assert outcomes == {"as-linked": "returned"}
        return
    assert outcomes == {"as-linked": "fault", "run-address-table": "returned"}
    fault = {v.name: v.replay for v in found.hypotheses[0].values}
    assert fault["esr"] == "0x86000004"
    assert fault["pc"] == fault["far"]
    assert fault["pc"] is not None
    assert fault["pc"].startswith("0xffff")
    end = next(r.value for r in found.hypotheses[1].registers if r.name == "x0")
    assert end == f"{-5 & (1 << 64) - 1:#x}"  # program 3: negate, end


def test_an_overridden_identification_register_is_labelled_modelled() -> None:
    qemu_engine()
    options = Options(system={"id_aa64mmfr0_el1": 0x1124})
    found = replay(MAIL, options=options, engine="qemu").hypotheses[0]
    assert found.modelled
    assert values(found)["pstate"][0] == "0x600003c9"


def test_unknown_input_stops_the_run_and_is_said() -> None:
    path = next(p for p in EXAMPLES if p.stem.startswith("interpret"))
    options = Options(registers={"x1": 5})
    found = replay(RawInput("listing", path.read_bytes()), options=options).hypotheses[0]
    assert found.outcome == "unknown"
    assert "not known" in found.reason or "unknown" in found.reason


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_arguments_that_are_not_given_are_chosen_and_said(path: Path) -> None:
    found = replay(RawInput("listing", path.read_bytes())).hypotheses[0]
    assert "every argument is 1" in found.assumes
    assert found.outcome == ("returned" if path.stem.startswith("dispatch") else "fault")


def test_no_listing() -> None:
    with pytest.raises(InputError, match="no listing"):
        replay(RawInput("x", b"nothing"))


def test_the_published_schema() -> None:
    """Mend with `python tools/write_schema.py`."""
    schema = json.loads(PUBLISHED.read_text())
    assert schema == json.loads(json.dumps(replay_schema()))
    Draft202012Validator(schema).validate(json.loads(encode(document("unicorn"))))


def test_text() -> None:
    text = render_replay(document("unicorn"))
    assert "absolute-table on Cortex-A53: REPRODUCED" in text
    assert "entered-at-el1-address on Cortex-A53: not reproduced" in text
    assert "run-address-table on Cortex-A53: survives" in text
    assert "a correct run parts from it at" in text
    assert "reads 8 bytes at" in text
    sweep = text[text.index("sweep over cores") :].splitlines()
    assert next(s for s in sweep if "A57" in s).split()[1:3] == ["panics", "pc=0xffff0000089e6fd4"]
    assert next(s for s in sweep if "N1" in s).split()[1:3] == ["survives", "x0=0x30"]
