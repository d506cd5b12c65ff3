"""The title of a report: one line without anything that varies from run to run."""

# ruff: noqa: E501 -- rows of tables, one a line

import re
from collections.abc import Sequence

from whypanic.crashlog.sections.rule import compiled
from whypanic.model.fault import Headline, InternalError, PanicMessage
from whypanic.model.hyp import HypPanic, HypPanicAt
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Fact
from whypanic.model.registers import Register, SymbolRef
from whypanic.model.trace import Frame, TraceRole

MAX_TITLE = 160
STALLS = (Kind.SOFT_LOCKUP, Kind.HARD_LOCKUP, Kind.RCU_STALL, Kind.HUNG_TASK, Kind.WORKQUEUE_LOCKUP,
          Kind.LOCKDEP, Kind.SLEEP_IN_ATOMIC)  # fmt: skip
"""Reports about something else than the first function of a trace: who is to blame takes more than a table."""

# fmt: off
WORDS: dict[Kind, str] = {
    Kind.HYP_PANIC:             "HYP panic at EL2",
    Kind.NULL_DEREFERENCE:      "NULL pointer dereference",
    Kind.PAGING_REQUEST:        "bad paging request",
    Kind.PERMISSION_FAULT:      "permission fault",
    Kind.USER_ACCESS:           "access to user memory",
    Kind.ALIGNMENT_FAULT:       "alignment fault",
    Kind.EXTERNAL_ABORT:        "synchronous external abort",
    Kind.SERROR:                "SError interrupt",
    Kind.TLB_CONFLICT:          "TLB conflict abort",
    Kind.UNDEFINED_INSTRUCTION: "undefined instruction",
    Kind.BTI:                   "branch target exception",
    Kind.FPAC:                  "pointer authentication failure",
    Kind.GCS:                   "guarded control stack exception",
    Kind.MOPS:                  "memory copy or set exception",
    Kind.BRK:                   "unexpected BRK",
    Kind.BAD_MODE:              "unhandled exception",
    Kind.SP_PC_ALIGNMENT:       "SP or PC alignment exception",
    Kind.KERNEL_BUG:            "kernel BUG",
    Kind.WARNING:               "WARNING",
    Kind.CFI_FAILURE:           "CFI failure",
    Kind.UBSAN:                 "UBSAN",
    Kind.KASAN:                 "KASAN",
    Kind.KFENCE:                "KFENCE",
    Kind.KCSAN:                 "KCSAN",
    Kind.MTE:                   "tag check fault",
    Kind.STACK_OVERFLOW:        "kernel stack overflow",
    Kind.STACK_PROTECTOR:       "stack protector: kernel stack is corrupted",
    Kind.LIST_CORRUPTION:       "list corruption",
    Kind.REFCOUNT:              "refcount misuse",
    Kind.USERCOPY:              "usercopy overflow",
    Kind.FORTIFY:               "buffer overflow detected",
    Kind.BAD_PAGE:              "bad page or slab state",
    Kind.LOCKDEP:               "lockdep",
    Kind.SLEEP_IN_ATOMIC:       "sleep in atomic context",
    Kind.SOFT_LOCKUP:           "soft lockup",
    Kind.HARD_LOCKUP:           "hard lockup",
    Kind.RCU_STALL:             "RCU stall",
    Kind.HUNG_TASK:             "hung task",
    Kind.WORKQUEUE_LOCKUP:      "workqueue lockup",
    Kind.PANIC:                 "panic",
    Kind.HARDWARE_ERROR:        "hardware error",
    Kind.FIRMWARE_CRASH:        "firmware crash",
    Kind.BOOT_HANG:             "boot hang",
    Kind.USER_FAULT:            "user-space fault",
}
WITHOUT_PLACE = frozenset({Kind.PANIC, *STALLS})
_WITH_MESSAGE = frozenset({Kind.KASAN, Kind.KFENCE, Kind.KCSAN, Kind.UBSAN, Kind.LOCKDEP, Kind.PANIC, Kind.FIRMWARE_CRASH})
REPORTING = frozenset((
    "dump_backtrace", "show_stack", "dump_stack", "dump_stack_lvl", "__dump_stack", "panic", "vpanic", "nmi_panic", "add_taint",
    "arm64_serror_panic", "do_serror", "die", "__die", "bad_mode", "__warn", "warn_slowpath_null", "warn_slowpath_fmt",
    "print_address_description", "print_report", "kasan_report", "__kasan_report", "end_report", "report_enabled",
    "bug_handler", "brk_handler", "do_debug_exception", "panic_bad_stack", "handle_bad_stack", "nvhe_hyp_panic_handler",
    "__bad_stack", "watchdog_timer_fn", "___might_sleep", "__might_sleep", "__might_resched", "__schedule_bug", "sched_show_task",
    "rcu_dump_cpu_stacks", "show_regs", "__show_regs", "die_kernel_fault", "__do_kernel_fault", "do_page_fault", "do_translation_fault",
    "do_mem_abort", "do_sea", "do_undefinstr", "do_el1_undef", "ubsan_epilogue", "handle_overflow", "kasan_check_range",
    "arm64_is_fatal_ras_serror", "usercopy_abort", "skb_panic", "bad_page", "ftrace_bug", "debug_print_object", "do_ptrauth_fault",
    "do_bti", "do_el1_bti", "do_el1_fpac", "call_undef_hook", "__cfi_check_fail", "__cfi_slowpath", "__cfi_slowpath_diag",
    "cfi_module_callback", "kasan_save_stack", "fortify_panic", "__fortify_panic", "refcount_warn_saturate",
    "__list_add_valid_or_report", "__list_del_entry_valid_or_report", "__list_add_valid", "__list_del_entry_valid", "exc_handler",
    "__check_heap_object", "check_heap_object", "__check_object_size", "__fortify_report", "free_page_is_bad_report", "object_err",
    "check_bytes_and_report", "check_object", "stack_trace_save", "kasan_report_async", "mte_check_tfsr_el1",
    "unwind_backtrace", "do_tag_check_fault", "trigger_load_balance", "arch_trigger_cpumask_backtrace", "nmi_cpu_backtrace",
))
"""Functions that report or deliver an exception: the faulting one is below them."""
_HYP_REPORTING = ("__kvm_nvhe_hyp_panic", "__kvm_nvhe___guest_exit_panic", "__kvm_nvhe___host_hvc")
_WAITING = frozenset((
    "__switch_to", "__schedule", "schedule", "schedule_timeout", "schedule_preempt_disabled", "schedule_hrtimeout_range", "io_schedule",
    "wait_for_completion", "__wait_for_common", "wait_for_common",
))
"""Where every task that does not run is."""
# fmt: on
_VECTOR = (
    r"(?:el[01][ht]?_|__el|el[01]_|kasan_|__kasan_|__asan_|__hwasan_|__ubsan_|print_.*bug|lockdep_|rust_helper_BUG|rust_begin_unwind|rust_panic"
    r"|_(?:R|ZN)\w{0,60}4core9panicking)"
)


def is_reporting(symbol: str) -> bool:
    """The function only reports or delivers; it is not where things went wrong."""
    bare = plain_symbol(symbol)
    return bare in REPORTING or bare in _WAITING or compiled(_VECTOR).match(bare) is not None


def faulting_symbol(facts: Sequence[Fact]) -> SymbolRef | None:
    """Return the symbol that the report points to, or None.

    That of an EL2 panic line, of the headline, of PC, else the first frame that does not only report.
    """
    at_el2 = False
    # The kernel prints PC + Hyp Offset with its symbol; of a PC that is a kernel address that is no address.
    pc = next((f.pc for f in facts if isinstance(f, HypPanic)), None)
    for fact in facts:
        at_el2 = at_el2 or isinstance(fact, HypPanic | HypPanicAt)
        if isinstance(fact, HypPanicAt) and fact.ref is not None and not (pc or 0) >> 55 & 1:
            return fact.ref
    if at_el2:
        hyp = (f.ref for f in facts if isinstance(f, Frame) and f.role is TraceRole.HYP)
        return next((r for r in hyp if r and not r.symbol.startswith(_HYP_REPORTING)), None)
    for fact in facts:
        if isinstance(fact, Headline) and fact.ref is not None:
            if not is_reporting(fact.ref.symbol):
                return fact.ref
            break
    for fact in facts:
        if isinstance(fact, Register) and fact.name == "pc" and fact.ref is not None:
            if not is_reporting(fact.ref.symbol):
                return fact.ref
            break
    wanted = (TraceRole.FAULT, TraceRole.PANIC)
    frames = [f for f in facts if isinstance(f, Frame) and f.role in wanted and f.ref is not None]
    marked = next((f.ref for f in frames if "P" in f.suffix), None)
    if marked is not None and not is_reporting(marked.symbol):
        return marked
    return next((f.ref for f in frames if f.ref and not is_reporting(f.ref.symbol)), None)


def plain_symbol(symbol: str) -> str:
    """Return the name without what compilers and the nVHE build add."""
    bare = symbol.removeprefix("__kvm_nvhe_")
    return re.sub(r"\.(?:isra|constprop|part|llvm|cfi|cfi_jt|cold)\b.*$", "", bare)


def title_of(kind: Kind, facts: Sequence[Fact]) -> str:
    """Return a title such as `NULL pointer dereference in foo_bar`."""
    words = WORDS[kind]
    message = _message(kind, facts)
    if message:
        words = f"{words}: {message}"
    ref = None if kind in WITHOUT_PLACE else faulting_symbol(facts)
    if kind is Kind.HYP_PANIC and ref is None:
        at = next((f for f in facts if isinstance(f, HypPanicAt) and f.file), None)
        if at is not None and at.file:
            words = f"{words}: {at.what} in {at.file}"
    if ref is not None:
        words = f"{words} in {plain_symbol(ref.symbol)}"
    return words[:MAX_TITLE]


def _message(kind: Kind, facts: Sequence[Fact]) -> str:
    if kind not in _WITH_MESSAGE:
        return ""
    if kind is Kind.PANIC:
        facts = [f for f in facts if isinstance(f, PanicMessage)] or facts
    for fact in facts:
        if isinstance(fact, PanicMessage) and kind is Kind.PANIC:
            return _stable(fact.message)
        if isinstance(fact, InternalError) and kind is Kind.UBSAN and "UBSAN: " in fact.name:
            return fact.name.split("UBSAN: ", 1)[1]
        if isinstance(fact, Headline) and fact.kind is kind:
            return _stable(fact.message.removeprefix("UBSAN: "))
    return ""


def _stable(message: str) -> str:
    """Return the words without numbers in them that change from run to run."""
    return (
        compiled(r"(?<!exitcode=)\b(?:0x[0-9a-f]{1,16}|[0-9a-f]*[0-9][0-9a-f]{5,16})\b")
        .sub("..", message)
        .strip()
    )
