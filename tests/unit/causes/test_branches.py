from whypanic.arch.layouts import build_layout
from whypanic.causes.branches import bad_fetch, pac_key
from whypanic.causes.case import CaseView
from whypanic.causes.natures import Nature
from whypanic.code.kernel_layout import KernelLayout
from whypanic.model.fault import FaultAddress, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact, Source
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame

_S = Source(line=1)
_LAYOUT = KernelLayout(
    source=_S,
    layout=build_layout(version=(6, 1), va_bits=48, kernel_offset=0),
    sentence="6.1, 48 bits",
)
_CALLER = SymbolRef(symbol="gadget_poll", offset=0x5C, size=0x180)


def _case(*facts: Fact, esr: int | None = 0x86000004, kind: Kind = Kind.PAGING_REQUEST) -> CaseView:
    syndrome = () if esr is None else (Syndrome(source=_S, esr=esr, place=SyndromePlace.MEM_ABORT),)
    return CaseView(kind, (_LAYOUT, *facts, *syndrome))


def _far(va: int) -> FaultAddress:
    return FaultAddress(source=_S, va=va, place="header")


def test_call_through_a_register() -> None:
    target = 0xFFFF00005B810400
    fetch = bad_fetch(
        _case(
            _far(target),
            Register(source=_S, name="x8", value=target),
            Register(source=_S, name="lr", value=None, ref=_CALLER),
        )
    )
    assert fetch is not None
    assert (fetch.target, fetch.nature, fetch.caller_name) == (target, Nature.LINEAR, "gadget_poll")
    assert [r.name for r in fetch.through] == ["x8"]
    assert not fetch.returned


def test_return_leaves_lr_equal_to_pc() -> None:
    target = 0xFFFF00005B810400
    fetch = bad_fetch(_case(_far(target), Register(source=_S, name="lr", value=target)))
    assert fetch is not None
    assert fetch.returned


def test_permission_fault_means_mapped() -> None:
    fetch = bad_fetch(_case(_far(0xFFFF00005B810400), esr=0x8600000F))
    assert fetch is not None
    assert fetch.permission


def test_data_abort_is_no_fetch() -> None:
    assert bad_fetch(_case(_far(0), esr=0x96000004)) is None


def test_trace_that_starts_at_the_fault_address() -> None:
    frames = (Frame(source=_S, address=0), Frame(source=_S, ref=_CALLER))
    fetch = bad_fetch(_case(_far(0), *frames, esr=None, kind=Kind.NULL_DEREFERENCE))
    assert fetch is not None
    assert fetch.caller_name == "gadget_poll"


def test_misaligned_pc_needs_no_abort() -> None:
    pc = Register(source=_S, name="pc", value=0xFFFFFFFFDEADBEEF)
    fetch = bad_fetch(_case(pc, esr=0x8A000000, kind=Kind.SP_PC_ALIGNMENT))
    assert fetch is not None
    assert fetch.target == 0xFFFFFFFFDEADBEEF


def test_mark_of_a_failed_authentication() -> None:
    assert pac_key(0xBFFF8000800C41D8) == "A"
    assert pac_key(0xDFFF8000800C41D8) == "B"
    assert pac_key(0xFFFF8000800C41D8) is None
    assert pac_key(0xBF00000000001234) is None
