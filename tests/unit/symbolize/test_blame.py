from whypanic.model.fault import Headline
from whypanic.model.kinds import Kind
from whypanic.model.provenance import Source
from whypanic.model.registers import SymbolRef
from whypanic.model.trace import Frame
from whypanic.symbolize.blame import blame, is_helper, strip_suffixes

_S = Source(line=1)


def _frames(*names: str) -> list[Frame]:
    found = []
    for name in names:
        symbol, _, offset = name.partition("+")
        ref = SymbolRef(symbol=symbol, offset=int(offset or "4", 0), size=0x80)
        found.append(Frame(source=_S, ref=None if symbol == "?" else ref))
    return found


def _ref(symbol: str) -> SymbolRef:
    return SymbolRef(symbol=symbol, offset=8, size=64)


def test_function_of_the_faulting_instruction() -> None:
    assert blame(
        _frames("gadget_poll", "gadget_work"), _ref("gadget_poll"), Kind.NULL_DEREFERENCE, None
    ) == ("gadget_poll")


def test_helpers_give_way_to_their_caller() -> None:
    frames = _frames("strlen", "vsnprintf", "snprintf", "gadget_name", "gadget_show")
    assert blame(frames, _ref("strlen"), Kind.PAGING_REQUEST, None) == "gadget_name"


def test_leaf_helper_without_a_frame_gives_way_to_lr() -> None:
    frames = _frames("__pi_memcpy", "gadget_open")
    pc, lr = _ref("__pi_memcpy"), _ref("gadget_copy")
    assert blame(frames, pc, Kind.PAGING_REQUEST, None, lr_ref=lr) == "gadget_copy"


def test_bad_pc_blames_who_branched() -> None:
    frames = _frames("?", "gadget_open")
    assert (
        blame(frames, None, Kind.NULL_DEREFERENCE, None, lr_ref=_ref("gadget_call"))
        == "gadget_call"
    )
    assert blame(frames, None, Kind.NULL_DEREFERENCE, None) == "gadget_open"


def test_function_that_the_words_name_comes_first() -> None:
    headline = Headline(
        source=_S, kind=Kind.KASAN, message="use-after-free", ref=_ref("gadget_free.isra.0")
    )
    assert blame(_frames("dump_stack", "kasan_report"), None, Kind.KASAN, headline) == "gadget_free"


def test_reporting_frames_above_an_exception_are_cut() -> None:
    frames = _frames(
        "show_stack", "panic", "arm64_serror_panic", "do_serror", "el1h_64_error_handler", "el1h_64_error",
        "writel", "gadget_reset",
    )  # fmt: skip
    assert is_helper("writel")
    assert blame([], None, Kind.SERROR, None, others=frames) == "gadget_reset"


def test_stall_skips_the_tick_that_found_it() -> None:
    frames = _frames(
        "dump_stack",
        "watchdog_timer_fn",
        "hrtimer_interrupt",
        "gic_handle_irq",
        "el1_irq",
        "gadget_spin",
    )
    assert blame(frames, None, Kind.SOFT_LOCKUP, None) == "gadget_spin"


def test_entry_of_the_next_function_is_no_caller() -> None:
    frames = _frames("panic", "gadget_after_noreturn+0", "gadget_check")
    assert blame([], None, Kind.PANIC, None, others=frames) == "gadget_check"


def test_stack_overflow_blames_the_recursion() -> None:
    frames = _frames(
        "mark_lock", "walk_a", "walk_b", "walk_a", "walk_b", "walk_a", "walk_a", "start"
    )
    assert blame(frames, _ref("mark_lock"), Kind.STACK_OVERFLOW, None) == "walk_a"


def test_nothing_named_is_none() -> None:
    assert blame([], None, Kind.PAGING_REQUEST, None) is None


def test_suffixes_of_compilers_are_removed() -> None:
    assert strip_suffixes("gadget_set.part.5") == "gadget_set"
    assert strip_suffixes("gadget_set.isra.0.constprop.1") == "gadget_set"
    assert strip_suffixes("gadget_set.llvm.1234567890") == "gadget_set"
    assert strip_suffixes("gadget_set.cfi_jt") == "gadget_set"
    assert strip_suffixes("gadget_set") == "gadget_set"
    assert strip_suffixes(".L123") == ".L123"


def test_trace_that_a_notifier_of_die_printed_begins_behind_the_entry() -> None:
    frames = _frames("dump_backtrace", "show_stack", "frob_on_die", "notify_die", "die",
                     "die_kernel_fault", "do_page_fault", "do_mem_abort", "el1_da", "gadget_open", "vfs_open")  # fmt: skip
    assert blame(frames, None, Kind.PERMISSION_FAULT, None) == "gadget_open"
    alive = _frames("gadget_fault", "handle_mm_fault", "do_page_fault", "do_mem_abort", "el1_da", "memcpy", "vfs_read")  # fmt: skip
    assert blame(alive, None, Kind.PAGING_REQUEST, None) == "gadget_fault"


def test_panic_of_the_hypervisor_reports() -> None:
    frames = _frames("__kvm_nvhe_hyp_panic", "__kvm_nvhe_gadget_share", "__kvm_nvhe_handle_trap")
    assert blame(frames, None, Kind.HYP_PANIC, None) == "__kvm_nvhe_gadget_share"


def test_rust_panics_are_no_culprits() -> None:
    names = (
        "rust_helper_BUG",
        "rust_begin_unwind",
        "_RNvNtCsabcd_4core9panicking9panic_fmt",
        "_ZN4core9panicking5panic17h0123E",
        "gadget_probe",
    )
    frames = _frames(*names)
    assert blame(frames, _ref(names[0]), Kind.KERNEL_BUG, None) == "gadget_probe"


def test_lockdep_names_the_place_itself() -> None:
    found = blame((), None, Kind.LOCKDEP, None, named="gadget_ioctl.isra.0")
    assert found == "gadget_ioctl"


def test_a_lock_primitive_is_no_place() -> None:
    assert blame((), None, Kind.LOCKDEP, None, named="_raw_spin_lock") != "gadget_ioctl"


def test_the_work_item_stands_in_for_a_trace_of_nothing() -> None:
    assert blame((), None, Kind.RCU_STALL, None, named="gadget_work") == "gadget_work"
