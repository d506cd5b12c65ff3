"""The text of a replay."""

from whypanic.report.document import Input, Tool
from whypanic.report.replay_document import (
    DocAccess,
    DocHypothesis,
    DocParting,
    DocRegister,
    DocSolved,
    DocSubject,
    DocSweepRow,
    DocTraceLine,
    DocValue,
    ReplayDocument,
)
from whypanic.report.replay_text import render_replay


def line(n: int) -> DocTraceLine:
    return DocTraceLine(
        address=f"{0x8000 + 4 * n:#x}",
        word="0xf9400001",
        text="ldr x1, [x0]",
        reads=[DocRegister(name="x0", value="0x9000")],
        writes=[DocRegister(name="x1", value=None)],
        memory=[
            DocAccess(address="0x9000", bytes=8, write=False, value=None, mapping=None),
        ],
        domain="hyp text",
    )


def hypothesis(**changes: object) -> DocHypothesis:
    made: dict[str, object] = {
        "id": "h",
        "assumes": "nothing",
        "cause": None,
        "engine": "unicorn",
        "modelled": True,
        "cpu": "Cortex-A53",
        "run_address": "0x8000",
        "outcome": "fault",
        "reason": "because",
        "values": [DocValue(name="pc", log="0x1", replay="0x2", equal=False, role="derived")],
        "reproduced": False,
        "solved": [DocSolved(name="load_address", value="0x1000")],
        "registers": [],
        "system": [DocRegister(name="vtcr_el2", value="0x5")],
        "parting": None,
        "trace": [],
        "trace_engine": None,
    }
    return DocHypothesis(**{**made, **changes})  # type: ignore[arg-type]


def render(
    *hypotheses: DocHypothesis, everything: bool = False, sweep: list[DocSweepRow] | None = None
) -> str:
    document = ReplayDocument(
        schema="whypanic.replay/1",
        tool=Tool(name="whypanic", version="0"),
        inputs=[Input(name="x", bytes=0, sha256="")],
        subject=DocSubject(function="f\x1b[2J", domain="hyp", link_address=None, source="listing"),
        hypotheses=list(hypotheses),
        sweep=sweep,
        notes=["a note"],
    )
    return render_replay(document, everything=everything)


def test_verdicts() -> None:
    plain = [DocValue(name="pc", log=None, replay="0x2", equal=None, role="derived")]
    assert "h on Cortex-A53: REPRODUCED" in render(hypothesis(reproduced=True))
    assert "h on Cortex-A53: not reproduced" in render(hypothesis())
    assert "h on Cortex-A53: panics" in render(hypothesis(values=plain))
    returned = hypothesis(
        values=[], outcome="returned", registers=[DocRegister(name="x0", value="0x28")]
    )
    assert "survives" in render(returned)
    assert "returned x0 = 0x28" in render(returned)


def test_values_side_by_side() -> None:
    text = render(hypothesis())
    assert "pc      0x2                  != 0x1" in text
    assert "solved: load_address = 0x1000" in text
    assert "wrote vtcr_el2 = 0x5" in text
    assert "note: a note" in text
    assert "unicorn (modelled)" in text


def test_parting() -> None:
    parting = DocParting(
        address="0x8004",
        text="ldr x11, [x10]",
        here=[DocRegister(name="x11", value="0x1")],
        correct=[DocRegister(name="x11", value="0x2")],
    )
    assert "here x11=0x1; correct x11=0x2" in render(hypothesis(parting=parting))


def test_trace_and_its_bound() -> None:
    traced = hypothesis(trace=[line(n) for n in range(100)], trace_engine="unicorn")
    text = render(traced)
    assert "reads 8 bytes at 0x9000 = unknown [NOT MAPPED]" in text
    assert "x0=0x9000 -> x1=?" in text
    assert "... 40 more with --all" in text
    assert "more with" not in render(traced, everything=True)


def test_only_the_first_trace_unless_asked() -> None:
    traced = hypothesis(trace=[line(0)], trace_engine="unicorn")
    assert render(traced, traced).count("trace of h") == 1
    assert render(traced, traced, everything=True).count("trace of h") == 2


def test_nothing_commands_the_terminal() -> None:
    text = render(hypothesis())
    assert "\x1b" not in text
    assert "\\x1b[2J" in text


def test_sweep() -> None:
    def row(outcome: str, name: str, *, reproduced: bool = False) -> DocSweepRow:
        values = [DocValue(name=name, log=None, replay="0x2", equal=None, role="derived")]
        return DocSweepRow(
            cpu="A1",
            outcome=outcome,
            engine="qemu",
            modelled=False,
            reproduced=reproduced,
            values=values,
        )

    rows = [row("fault", "pc"), row("fault", "pc", reproduced=True), row("returned", "x0")]
    text = render(sweep=[*rows, row("unknown", "pc")])
    assert [" ".join(line.split()) for line in text.splitlines()[-4:]] == [
        "A1 panics pc=0x2 (qemu)",
        "A1 panics pc=0x2 = the log's (qemu)",
        "A1 survives x0=0x2 (qemu)",
        "A1 unknown pc=0x2 (qemu)",
    ]
