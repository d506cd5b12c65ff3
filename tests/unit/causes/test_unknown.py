from whypanic.causes.case import CaseView
from whypanic.causes.unknown import next_steps
from whypanic.model.fault import FaultAddress
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source


def test_missing_registers_and_code_are_asked_for() -> None:
    far = FaultAddress(source=Source(line=1), va=0x800000022, place="header")
    texts = [step.text for step in next_steps(CaseView(Kind.PAGING_REQUEST, [far]))]
    assert any("x0 to x30" in text for text in texts)
    assert any("`Code:`" in text for text in texts)


def test_image_is_always_the_last_resort() -> None:
    steps = list(next_steps(CaseView(Kind.PANIC, [])))
    assert steps[-1].command is not None
