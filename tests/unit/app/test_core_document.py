"""The core of the boot CPU."""

from whypanic.app.core_document import core_of
from whypanic.causes.case import CaseView
from whypanic.model.context import BootCpu
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source


def case(*midrs: int | None) -> CaseView:
    return CaseView(Kind.PANIC, [BootCpu(midr=m, source=Source()) for m in midrs])


def test_name_and_revision() -> None:
    core = core_of(case(None, 0x410FD034))
    assert core is not None
    assert (core.name, core.implementer, core.revision) == ("Cortex-A53", "Arm", "r0p4")
    assert core.midr == "0x410fd034"


def test_a_core_that_nobody_listed() -> None:
    core = core_of(case(0x7A2FFFF3))
    assert core is not None
    assert (core.name, core.revision) == (None, "r2p3")


def test_no_midr() -> None:
    assert core_of(case(None)) is None
    assert core_of(case()) is None
