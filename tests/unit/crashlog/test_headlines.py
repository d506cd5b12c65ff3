"""Headlines, one of each kind, and their lookalikes."""

import pytest

from builders.log_lines import fact, facts, recognised
from whypanic.crashlog.headlines import (
    TABLE,
    kind_of_fault,
    match_headline,
)
from whypanic.crashlog.sections.rule import Part
from whypanic.model.fault import ErrorInterrupt, FaultAddress, Headline, PanicMessage, Syndrome
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Unable to handle kernel NULL pointer dereference at virtual address 00000018", Kind.NULL_DEREFERENCE),
        ("Unable to handle kernel paging request at virtual address ffff800012345678", Kind.PAGING_REQUEST),
        ("Unable to handle kernel write to read-only memory at virtual address ffff800012345678", Kind.PERMISSION_FAULT),
        ("Unable to handle kernel read from unreadable memory at virtual address ffff800012345678", Kind.PERMISSION_FAULT),
        ("Unable to handle kernel execute from non-executable memory at virtual address ffff800012345678", Kind.PERMISSION_FAULT),
        ("Unable to handle kernel access to user memory outside uaccess routines at virtual address 0000aaaabbbb0000", Kind.USER_ACCESS),
        ("Unable to handle kernel access to user memory with fs=KERNEL_DS at virtual address 0000aaaabbbb0000", Kind.USER_ACCESS),
        ("Unable to handle kernel execution of user memory at virtual address 0000aaaabbbb0000", Kind.USER_ACCESS),
        ("Unhandled fault: alignment fault (0x96000021) at 0xffffff800936401c", Kind.ALIGNMENT_FAULT),
        ("Unhandled fault: synchronous external abort (0x96000210) at 0xffffff800936401c", Kind.EXTERNAL_ABORT),
        ("Unhandled fault: TLB conflict abort (0x96000030) at 0xffffff800936401c", Kind.TLB_CONFLICT),
        ("Synchronous External Abort: synchronous external abort (0x96000210) at 0xffffff800936401c", Kind.EXTERNAL_ABORT),
        ("SError Interrupt on CPU4, code 0xbf000002 -- SError", Kind.SERROR),
        ("Bad mode in Error handler detected, code 0xbf000002 -- SError", Kind.SERROR),
        ("Bad mode in Error handler detected on CPU2, code 0xbf000002 -- SError", Kind.SERROR),
        ("Bad mode in IRQ handler detected on CPU0, code 0x00000000 -- Unknown/Uncategorized", Kind.BAD_MODE),
        ("Unhandled 64-bit el1h sync exception on CPU0, ESR 0x000000001fe00000 -- ASIMD", Kind.BAD_MODE),
        ("Insufficient stack space to handle exception!", Kind.STACK_OVERFLOW),
        ("kernel BUG at drivers/foo/bar.c:12!", Kind.KERNEL_BUG),
        ("Kernel BUG at ffffffc00030659c [verbose debug info unavailable]", Kind.KERNEL_BUG),
        ("WARNING: CPU: 2 PID: 7 at drivers/foo/bar.c:12 foo_bar+0x10/0x20 [foo]", Kind.WARNING),
        ("WARNING: drivers/foo/bar.c:12 at foo_bar+0x10/0x20, CPU#2: kworker/u4:1/7", Kind.WARNING),
        ("CFI failure at foo+0x10/0x20 (target: bar+0x0/0x8; expected type: 0x12345678)", Kind.CFI_FAILURE),
        ("CFI failure (target: bar.cfi_jt+0x0/0x4):", Kind.CFI_FAILURE),
        ("UBSAN: array-index-out-of-bounds in drivers/foo/bar.c:12:3", Kind.UBSAN),
        ("BUG: KASAN: slab-use-after-free in foo+0x10/0x20 [mod]", Kind.KASAN),
        ("BUG: KFENCE: out-of-bounds read in foo+0x10/0x20", Kind.KFENCE),
        ("BUG: KCSAN: data-race in foo / bar", Kind.KCSAN),
        ("list_add corruption. prev->next should be next (ffff), but was 0.", Kind.LIST_CORRUPTION),
        ("list_del corruption, ffff0000c2bb7080->next is LIST_POISON1 (dead000000000100)", Kind.LIST_CORRUPTION),
        ("refcount_t: underflow; use-after-free.", Kind.REFCOUNT),
        ("usercopy: Kernel memory overwrite attempt detected to SLUB object 'x' (offset 1, size 2)!", Kind.USERCOPY),
        ("detected buffer overflow in memcpy", Kind.FORTIFY),
        ("BUG: Bad page state in process foo  pfn:1b317b", Kind.BAD_PAGE),
        ("WARNING: possible circular locking dependency detected", Kind.LOCKDEP),
        ("WARNING: suspicious RCU usage", Kind.LOCKDEP),
        ("[ BUG: Invalid wait context ]", Kind.LOCKDEP),
        ("BUG: sleeping function called from invalid context at kernel/a.c:12", Kind.SLEEP_IN_ATOMIC),
        ("BUG: scheduling while atomic: foo/21/0x00000002", Kind.SLEEP_IN_ATOMIC),
        ("watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [foo:12]", Kind.SOFT_LOCKUP),
        ("NMI watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [foo:12]", Kind.SOFT_LOCKUP),
        ("Watchdog detected hard LOCKUP on cpu 4", Kind.HARD_LOCKUP),
        ("rcu: INFO: rcu_preempt self-detected stall on CPU", Kind.RCU_STALL),
        ("rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", Kind.RCU_STALL),
        ("rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... }", Kind.RCU_STALL),
        ("INFO: task foo bar:12 blocked for more than 120 seconds.", Kind.HUNG_TASK),
        ("BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 40s!", Kind.WORKQUEUE_LOCKUP),
        ("{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 2", Kind.HARDWARE_ERROR),
        ("foo[12]: unhandled exception: DABT (lower EL), ESR 0x92000006, level 2 translation fault in libc.so", Kind.USER_FAULT),
        ("foo[12]: unhandled level 2 translation fault (11) at 0x00000010, esr 0x92000006", Kind.USER_FAULT),
        ("Unhandled Exception in EL3.", Kind.FIRMWARE_CRASH),
        ("PANIC at PC : 0x0000000004001234", Kind.FIRMWARE_CRASH),
        ('"Synchronous Abort" handler, esr 0x96000007, far 0xf0000', Kind.FIRMWARE_CRASH),
        ("Synchronous Exception at 0x00000000BF1234AB", Kind.FIRMWARE_CRASH),
        ("Unexpected kernel BRK exception at EL1", Kind.BRK),
    ],
)  # fmt: skip
def test_kind_of_each(text: str, kind: Kind) -> None:
    assert fact(text, Headline).kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "CPU 3 Unable to handle kernel paging request at virtual address 0000000c, epc == 801f3218",
        "Unable to handle kernel pointer dereference in virtual kernel address space",
        "Unable to handle kernel paging request for data at address 0xdeadbeef",
        "BUG: unable to handle page fault for address: ffffc90000000000",
        "Unhandled fault: page domain fault (0x01b) at 0x00e41008",
        "this machine says Unable to handle kernel paging request now and then",
        "WARNING: unmet direct dependencies detected for FOO",
        "Warning: Permanently added '192.0.2.1' (ED25519) to the list of known hosts.",
    ],
)
def test_lookalikes(text: str) -> None:
    assert facts(text, Headline) == []


def test_address_of_the_header() -> None:
    text = "Unable to handle kernel NULL pointer dereference at virtual address 00000018"
    far = fact(text, FaultAddress)
    assert (far.va, far.place, far.n_digits) == (0x18, "header", 8)
    assert fact(text, Headline).message == "NULL pointer dereference"


def test_header_without_its_address() -> None:
    text = "Unable to handle kernel paging request"
    assert fact(text, Headline).address is None
    assert facts(text, FaultAddress) == []


def test_parts_of_a_warning() -> None:
    old = fact("WARNING: CPU: 2 PID: 7 at drivers/foo/bar.c:12 foo_bar+0x10/0x20 [foo]", Headline)
    assert (old.cpu, old.pid, old.file, old.line) == (2, 7, "drivers/foo/bar.c", 12)
    assert old.ref is not None
    assert (old.ref.symbol, old.ref.module) == ("foo_bar", "foo")
    new = fact("WARNING: a/b.c:12 at foo+0x1/0x2, CPU#2: kworker/u4:1/7", Headline)
    assert (new.cpu, new.pid, new.comm, new.line) == (2, 7, "kworker/u4:1", 12)


def test_error_interrupt() -> None:
    text = "SError Interrupt on CPU4, code 0x00000000be000011 -- SError"
    interrupt = fact(text, ErrorInterrupt)
    assert (interrupt.cpu, interrupt.esr, interrupt.words) == (4, 0xBE000011, "SError")
    assert fact(text, Syndrome).n_digits == 16


def test_stack_protector_is_headline_and_panic() -> None:
    text = "Kernel panic - not syncing: stack-protector: Kernel stack is corrupted in: foo+0x1/0x2"
    found = fact(text, Headline)
    assert found.kind is Kind.STACK_PROTECTOR
    assert found.ref is not None
    assert fact(text, PanicMessage)


def test_cfi_target() -> None:
    text = "CFI failure at foo+0x10/0x20 [m] (target: bar+0x0/0x8; expected type: 0x12345678)"
    assert fact(text, Headline).target == "bar+0x0/0x8"


def test_a_panic_is_no_headline() -> None:
    assert recognised("Kernel panic - not syncing: foo").part is Part.PANIC


def test_fault_names() -> None:
    assert kind_of_fault("synchronous parity or ECC error") is Kind.EXTERNAL_ABORT
    assert kind_of_fault("level 3 translation fault") is None


def test_nothing_matches_nothing() -> None:
    assert match_headline("usb 1-1: new device", Source(line=1)) is None


def test_table_rows_are_unique() -> None:
    rows = [row.pattern for row in TABLE]
    assert len(rows) == len(set(rows))


def test_name_of_a_fault_may_hold_a_number() -> None:
    text = "Unable to handle kernel unknown 43 at virtual address 0001ffff9e2e7d78"
    assert fact(text, Headline).message == "unknown 43"
    assert fact(text, FaultAddress).va == 0x1FFFF9E2E7D78


def test_abort_of_a_user_program_is_no_crash() -> None:
    text = "Unhandled fault: synchronous external abort (0x92000210) at 0x0000007f87888000"
    assert fact(text, Headline).kind is Kind.USER_FAULT
