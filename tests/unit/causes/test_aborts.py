from whypanic.arch.esr import FaultKind
from whypanic.causes.aborts import (
    fault_kind,
    is_data_access,
    is_fetch,
    is_permission_worded,
)
from whypanic.causes.case import CaseView
from whypanic.model.fault import FaultAddress, Headline, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source
from whypanic.model.registers import Register

_S = Source(line=1)
_FAR = FaultAddress(source=_S, va=0x40, place="header")


def _esr(value: int) -> Syndrome:
    return Syndrome(source=_S, esr=value, place=SyndromePlace.MEM_ABORT)


def test_syndrome_decides() -> None:
    data = CaseView(Kind.PAGING_REQUEST, [_esr(0x96000006), _FAR])
    fetch = CaseView(Kind.PAGING_REQUEST, [_esr(0x86000006), _FAR])
    assert (is_data_access(data), is_fetch(data)) == (True, False)
    assert (is_data_access(fetch), is_fetch(fetch)) == (False, True)
    assert fault_kind(data) is FaultKind.TRANSLATION


def test_breakpoint_is_neither() -> None:
    case = CaseView(Kind.KERNEL_BUG, [_esr(0xF2000800), _FAR])
    assert not is_data_access(case)
    assert not is_fetch(case)
    assert fault_kind(case) is None


def test_without_syndrome_header_and_pc_decide() -> None:
    assert is_data_access(CaseView(Kind.NULL_DEREFERENCE, [_FAR]))
    assert is_fetch(
        CaseView(Kind.NULL_DEREFERENCE, [_FAR, Register(source=_S, name="pc", value=0x40)])
    )
    words = Headline(source=_S, kind=Kind.USER_ACCESS, message="execution of user memory")
    assert is_fetch(CaseView(Kind.USER_ACCESS, [words, _FAR]))
    assert not is_data_access(CaseView(Kind.KERNEL_BUG, [_FAR]))


def test_words_about_permissions_count_with_a_permission_fault_or_a_kernel_address() -> None:
    kernel = FaultAddress(source=_S, va=0xFFFF800081A3C2F8, place="header")
    kind = Kind.PERMISSION_FAULT
    assert is_permission_worded(CaseView(kind, [_esr(0x9600004F), kernel]))
    assert is_permission_worded(CaseView(kind, [kernel]))
    assert not is_permission_worded(CaseView(kind, [_esr(0x96000045), _FAR]))
    assert not is_permission_worded(CaseView(kind, [_FAR]))
    assert not is_permission_worded(CaseView(kind, []))
