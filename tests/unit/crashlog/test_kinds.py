"""The kind of a report from its facts."""

import pytest

from builders.log_lines import report
from whypanic.crashlog.kinds import best_syndrome, kind_of, kind_of_error, kind_of_esr
from whypanic.model.fault import InternalError, Syndrome, SyndromePlace
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source

_HERE = Source(line=1, text="")


@pytest.mark.parametrize(
    ("esr", "far", "kind"),
    [
        (0x96000004, 0x10, Kind.NULL_DEREFERENCE),
        (0x96000004, 0xFFFF800000000000, Kind.PAGING_REQUEST),
        (0x96000004, None, Kind.PAGING_REQUEST),
        (0x96000021, 0xFFFF800000000001, Kind.ALIGNMENT_FAULT),
        (0x96000210, None, Kind.EXTERNAL_ABORT),
        (0x96000030, None, Kind.TLB_CONFLICT),
        (0x9600004F, 0xFFFF800000000000, Kind.PERMISSION_FAULT),
        (0x8600000F, 0x400000, Kind.USER_ACCESS),
        (0x8A000000, None, Kind.SP_PC_ALIGNMENT),
        (0x34000003, None, Kind.BTI),
        (0x72000000, None, Kind.FPAC),
        (0xBE000011, None, Kind.SERROR),
        (0x02000000, None, Kind.UNDEFINED_INSTRUCTION),
        (0xF2000800, None, Kind.KERNEL_BUG),
        (0xF20003E8, None, Kind.BRK),
        (0xF2005512, None, Kind.UBSAN),
        (0x1FE00000, None, None),
    ],
)
def test_kind_of_esr(esr: int, far: int | None, kind: Kind | None) -> None:
    assert kind_of_esr(esr, far) is kind


@pytest.mark.parametrize(
    ("name", "esr", "kind"),
    [
        ("Oops", 0x96000021, Kind.ALIGNMENT_FAULT),
        ("Oops - BUG", None, Kind.KERNEL_BUG),
        ("Oops - BUG", 0xF2000800, Kind.KERNEL_BUG),
        ("Oops - BUG", 0x96000006, Kind.PAGING_REQUEST),
        ("Oops - Undefined instruction", 0x02000000, Kind.UNDEFINED_INSTRUCTION),
        ("undefined instruction", None, Kind.UNDEFINED_INSTRUCTION),
        ("Oops - BTI", 0x36000002, Kind.BTI),
        ("Oops - FPAC", 0x72000000, Kind.FPAC),
        ("Oops - GCS", 0xB6000000, Kind.GCS),
        ("Oops - CFI", None, Kind.CFI_FAILURE),
        ("Oops - KASAN", 0xF2000902, Kind.KASAN),
        ("UBSAN: integer addition overflow", 0xF2005500, Kind.UBSAN),
        ("SP/PC alignment exception", 0x8A000000, Kind.SP_PC_ALIGNMENT),
        ("aarch64 BRK", 0xF20003E8, Kind.BRK),
        ("BRK handler", 0xF2000001, Kind.BRK),
        ("synchronous external abort", 0x96000410, Kind.EXTERNAL_ABORT),
        ("", 0x96000210, Kind.EXTERNAL_ABORT),
        ("alignment fault", 0x96000021, Kind.ALIGNMENT_FAULT),
        ("Oops - bad mode", None, Kind.BAD_MODE),
        ("Accessing user space memory outside uaccess.h routines", 0x96000004, Kind.USER_ACCESS),
        ("Attempting to execute userspace memory", 0x8600000F, Kind.USER_ACCESS),
    ],
)
def test_kind_of_error(name: str, esr: int | None, kind: Kind) -> None:
    error = InternalError(name=name, err=esr, n_digits=8, count=1, source=_HERE)
    assert kind_of_error(error, esr, None) is kind


def test_words_of_the_header_stand_against_an_ordinary_esr() -> None:
    log = "Unable to handle kernel paging request at virtual address ffff800012345678\n  ESR = 0x9600004f\n"
    assert report(log).kind is Kind.PAGING_REQUEST


def test_alignment_is_told_by_the_esr_alone() -> None:
    log = "Unable to handle kernel paging request at virtual address ffff800012345671\n  ESR = 0x96000021\n"
    assert report(log).kind is Kind.ALIGNMENT_FAULT


def test_bad_mode_keeps_what_its_class_names() -> None:
    line = "Bad mode in Synchronous Abort handler detected on CPU0, code 0x{:08x} -- x\n"
    assert report(line.format(0x34000003)).kind is Kind.BTI
    assert report(line.format(0x96000004)).kind is Kind.BAD_MODE


@pytest.mark.parametrize(
    ("symbol", "release", "kind"),
    [
        ("do_undefinstr", "5.4.0", Kind.UNDEFINED_INSTRUCTION),
        ("do_ptrauth_fault", "5.17.0", Kind.FPAC),
        ("do_el1_bti", "6.0.0", Kind.BTI),
        ("other", "5.4.0", Kind.UNDEFINED_INSTRUCTION),
        ("other", "6.6.0", Kind.KERNEL_BUG),
    ],
)
def test_bug_in_traps(symbol: str, release: str, kind: Kind) -> None:
    log = (
        "kernel BUG at arch/arm64/kernel/traps.c:407!\n"
        "Internal error: Oops - BUG: 0 [#1] PREEMPT SMP\n"
        f"CPU: 0 PID: 1 Comm: a Not tainted {release} #1\n"
        f"pc : {symbol}+0x10/0x20\n"
    )
    assert report(log).kind is kind


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("mm/usercopy.c", Kind.USERCOPY),
        ("lib/list_debug.c", Kind.LIST_CORRUPTION),
        ("/build/linux/lib/string_helpers.c", Kind.FORTIFY),
        ("mm/page_alloc.c", Kind.KERNEL_BUG),
    ],
)
def test_bug_of_a_check(file: str, kind: Kind) -> None:
    assert report(f"kernel BUG at {file}:102!\n").kind is kind


def test_complete_syndrome_first() -> None:
    part = Syndrome(esr=1, place=SyndromePlace.RECONSTRUCTED, complete=False, source=_HERE)
    whole = Syndrome(esr=2, place=SyndromePlace.MEM_ABORT, source=_HERE)
    assert best_syndrome([part, whole]) == 2
    assert best_syndrome([part]) == 1
    assert best_syndrome([]) is None


def test_nothing_known_is_a_panic() -> None:
    assert kind_of([]) is Kind.PANIC


def test_esr_of_an_interrupt_names_no_kind() -> None:
    text = "Bad mode in IRQ handler detected on CPU0, code 0x00000000 -- Unknown/Uncategorized\n"
    assert report(text).kind is Kind.BAD_MODE


def test_trace_of_a_bare_dump_stack_is_no_panic() -> None:
    text = (
        "Call trace:\n dump_stack+0x10/0x1a0\n widget_complain+0x38/0xf0\n widget_poll+0x8/0xf0\n"
    )
    assert report(text).kind is Kind.WARNING
    assert report(text.replace("widget_complain", "panic")).kind is Kind.PANIC
