"""Functions that are not to blame while a caller is known, by the reason.

A name that ends in `*` stands for all that begin so. From memory of the Linux tree (lib/, mm/, kernel/,
arch/arm64/), so a name may be missing; none is listed that a subsystem's maintainer would want to see named.
"""

GENERIC: dict[str, str] = {
    "memory": """
        __asan_* clear_page copy_highpage copy_page copy_user_highpage __hwasan_*
        kasan_byte_accessible __kasan_check_* kasan_check_* memchr memchr_inv memcmp __memcpy
        __memcpy_* memcpy memcpy_* __memcpy_fromio __memcpy_toio __memmove memmove memscan __memset
        memset __memset_io memset_io __pi_clear_page __pi_copy_page __pi_memcmp* __pi_memcpy*
        __pi_memmove* __pi_memset* __sanitizer_cov_* __tsan_*
    """,
    "string": """
        kmemdup kmemdup_noprof kstrdup kstrdup_const kstrndup match_string __pi_str* sized_strscpy
        skip_spaces strcasecmp strcat strchr strcmp strcpy strcspn strim strlcat strlcpy strlen
        strncasecmp strncmp strncpy strnlen strrchr strreplace strscpy strsep strstr sysfs_streq
    """,
    "printf": """
        dentry_name device_node_string format_decode hex_string kasprintf kvasprintf
        kvasprintf_const kvprintf number pointer scnprintf seq_printf seq_puts seq_vprintf seq_write
        snprintf sprintf string string_escape_mem string_nocheck symbol_string sysfs_emit vscnprintf
        vsnprintf vsprintf widen_string
    """,
    "printk": """
        console_unlock _dev_err _dev_info __dev_printk dev_printk_emit dev_vprintk_emit _dev_warn
        _printk printk printk_deferred __printk_safe_flush printk_safe_flush
        printk_safe_flush_on_panic vprintk vprintk_default vprintk_deferred vprintk_emit vprintk_func
        vprintk_store
    """,
    "user copy": """
        __arch_clear_user __arch_copy_from_user __arch_copy_in_user __arch_copy_to_user
        __copy_from_user _copy_from_user copy_from_user_iter __copy_to_user _copy_to_user
        copy_to_user_iter copyin copyout raw_copy_from_user raw_copy_to_user strncpy_from_user
        strnlen_user
    """,
    "lock": """
        add_wait_queue* check_noncircular complete complete_all debug_lockdep_* do_raw_*
        do_raw_spin_* __down_* down down_* down_read* down_write* finish_wait __lock_acquire
        lock_acquire* lock_acquired lock_is_held_type lock_release lock_timer_base lockdep_*
        mark_held_locks mark_lock* mutex_is_locked __mutex_lock* mutex_lock* mutex_optimistic_spin
        mutex_spin_on_owner mutex_trylock __mutex_unlock* mutex_unlock native_queued_spin_* osq_lock
        prepare_to_wait* queued_read_* queued_spin_* queued_write_* _raw_read_* __raw_spin_*
        _raw_spin_* _raw_write_* register_lock_class remove_wait_queue rt_mutex_* __rt_spin_*
        rt_spin_* rwsem_* spin_bug spin_dump swake_up_* up up_read up_write validate_chain
        __wake_up* ww_mutex_*
    """,
    "atomic": """
        arch_atomic* atomic_* __cmpxchg_* __xchg_* kref_* __ll_sc_* __lse_* percpu_counter_* percpu_ref_* __refcount_*
        refcount_*
    """,
    "list": """
        hlist_del klist_del klist_next klist_prev klist_put klist_remove __list_add list_add
        __list_add_valid* list_del __list_del_entry __list_del_entry_valid* list_del_init
        llist_add_batch llist_del_first llist_reverse_order plist_add plist_del rb_erase
        __rb_erase_color rb_first __rb_insert_augmented rb_insert_color rb_next rb_prev
    """,
    "bits": """
        __bitmap_* bitmap_* cpumask_next* _find_first_bit find_first_bit _find_first_zero_bit
        _find_last_bit _find_next_bit* find_next_bit find_vma
    """,
    "containers": """
        ida_* idr_* __kfifo_* kfifo_* mas_* mtree_* __radix_tree_* radix_tree_* sg_copy_* sg_next
        __xa_* xa_* xas_*
    """,
    "allocator": """
        alloc_consistency_checks alloc_debug_processing __alloc_pages* allocate_slab
        check_bytes_and_report check_object check_slab free_consistency_checks free_debug_processing
        object_err build_detached_freelist cache_from_obj deactivate_slab
        devm_kfree devm_kmalloc discard_slab __folio_put* folio_put* free_large_kmalloc
        __free_pages* free_pages* __free_slab free_to_partial_list free_unref_page* get_freepointer*
        get_page_from_freelist kasan_quarantine_reduce __kasan_slab_alloc kcalloc* __kfree_* kfree
        kfree_const kfree_sensitive __kmalloc* kmalloc* __kmem_cache_* kmem_cache_* krealloc* kvfree
        kvmalloc* kvzalloc* kzalloc* mempool_* new_slab __page_frag_* page_frag_* page_frag_free
        put_cpu_partial __put_page* put_page put_pages_list qlist_free_all release_pages __slab_*
        slab_* ___slab_alloc* vfree virt_to_head_page
    """,
    "io": """
        __const_* inl __ioread* ioread* __iowrite* iowrite* logic_in* logic_out* outl __raw_read*
        __raw_write* readb readl readq readw regmap_bulk_* _regmap_bus_* regmap_field_*
        regmap_mmio_* regmap_multi_* _regmap_raw_* regmap_raw_* _regmap_read regmap_read
        _regmap_update_bits regmap_update_bits* _regmap_write regmap_write writeb writel writeq
        writew
    """,
    "objects": """
        dev_driver_string dev_get_drvdata dev_name device_links_* __devres_* devres_* fget fput
        get_device kobject_get kobject_get_path kobject_namespace kobject_put put_device
        release_nodes
    """,
    "deferral": """
        add_timer __call_rcu* call_rcu capable del_timer del_timer_sync detach_if_pending
        __flush_work flush_work kvfree_call_rcu mod_delayed_work_on __mod_timer mod_timer
        ns_capable* __pi_* queue_delayed_work_on __queue_work queue_work_on synchronize_rcu
        __timer_delete* timer_delete* try_to_del_timer_sync try_to_grab_pending try_to_wake_up
        wake_up_process
    """,
    "packets": """
        consume_skb __dev_kfree_skb* dev_kfree_skb* __kfree_skb* kfree_skb* kfree_skbmem
        napi_consume_skb __pskb_* pskb_expand_head skb_copy_bits skb_pull* skb_push skb_put*
        skb_release_* sock_rfree sock_wfree
    """,
    "interrupt masks": """
        arch_irqs_disabled* arch_local_irq_* arch_local_save_flags __local_bh_* local_bh_*
        local_irq_* preempt_count_*
    """,
    "notifiers": """
        atomic_notifier_call_chain* blocking_notifier_call_chain* call_netdevice_notifiers*
        __call_netdevice_notifiers* notifier_call_chain notifier_call_chain_robust
        __raw_notifier_call_chain raw_notifier_call_chain* srcu_notifier_call_chain*
    """,
    "object debugging": """
        create_object __create_object __delete_object delete_object_full delete_object_part
        fill_pool kmemleak_* lookup_object_or_alloc put_object
    """,
    "waiting": """
        arch_counter_get_* arch_timer_read_* __const_udelay __delay ktime_get* __ndelay __udelay
        udelay* usleep_range*
    """,
}
"""Do what their caller asked, with the pointers they were given."""

REPORTING: dict[str, str] = {
    "printers": """
        arch_trigger_* bust_spinlocks check_cpu_stall check_memory_region* dump_backtrace* dump_cpu_task
        __dump_stack dump_stack dump_stack_lvl end_report handle_overflow ____kasan_* __kasan_*
        kasan_bug_* kasan_complete_mode_report_info kasan_end_report kasan_poison* __kasan_report*
        kasan_report* kasan_save_* kasan_set_* kasan_start_report kasan_tag_mismatch
        kasan_unpoison* kcsan_* kfence_* nmi_cpu_backtrace* nmi_trigger_* print_*
        rcu_dump_cpu_stacks* __report_bug report_bug sched_show_task _sched_show_task set_track*
        __show_regs walk_stackframe
        mte_check_tfsr_* show_regs show_stack show_state_filter show_trace_log_lvl stack_depot_*
        stack_trace_save* trigger_* __ubsan_* ubsan_*
    """,
    "panic": """
        ODEBUG_* _ZN4core* arm64_force_sig* arm64_is_fatal_ras_serror arm64_notify_*
        arm64_serror_panic bad_el0_sync bad_mode bad_page __cfi_check __cfi_check_fail cfi_failure_*
        __cfi_slowpath* __check_heap_object check_heap_object check_hung_uninterruptible_tasks
        check_new_page* __check_object_size check_object_size check_panic_on_warn check_stack_object
        core::panicking* crash_* __crash_kexec debug_check_no_obj_freed debug_object_*
        __debug_object_init debug_print_object die die_kernel_fault do_exit do_group_exit
        __do_kernel_fault do_notify_resume do_signal __dump_page __fortify_panic fortify_panic
        __fortify_report free_page_is_bad* ftrace_bug get_signal hung_task_* __hyp_panic* hyp_panic
        kdump_* kernel_fault machine_kexec* make_task_dead __might_resched*
        ___might_sleep __might_sleep* nmi_panic nvhe_hyp_panic_handler oops_* oops_end oops_exit
        __panic panic panic_bad_stack panic_unhandled refcount_warn_saturate rust_begin_unwind
        rust_helper_BUG rust_panic
        __schedule_bug skb_over_panic skb_panic skb_under_panic spurious_* __stack_chk_fail
        __kvm_nvhe___hyp_panic* __kvm_nvhe_cpu_prepare_nvhe_panic_info __kvm_nvhe_hyp_panic*
        trap_init __ubsan_handle_cfi_* usercopy_abort vpanic __warn __warn_printk warn_slowpath_*
        watchdog* work_pending
    """,
    "entry": """
        apei_claim_sea arch_cpu_idle asm_nmi_* __bad_stack brk_handler bug_handler call_break_hook
        call_el1_break_hook call_undef_hook cfi_handler cpuidle_* do_alignment_fault do_bad
        do_bad_area do_bti do_cp15instr do_debug_exception do_el0_* do_el1_* do_el1_bti do_el1_fpac
        do_el1_gcs do_el1_mops do_el1_undef do_error do_kernel_fault do_mem_abort do_page_fault
        do_ptrauth_fault do_sea do_serror do_sp_pc_abort do_sysinstr do_tag_* do_translation_fault
        do_trap do_undefinstr early_brk64 early_fixup_exception el0_* el0t_* __el1_* el1_* el1h_*
        el1h_64_* el1t_* enter_from_kernel_mode* exit_to_kernel_mode* ghes_* handle_bad_stack
        is_spurious_el1_translation_fault kasan_handler __nmi_* nmi_enter nmi_exit preempt_schedule*
        ret_fast_syscall ret_from_fork* ret_to_user __stack_overflow ubsan_brk_handler ubsan_handler
        vectors
    """,
}
"""Print, panic, or are the way in of an exception."""

CARRIERS: dict[str, str] = {
    "scheduling": """
        bit_wait* __cond_resched context_switch do_wait_for_common down_* finish_task_switch*
        __flush_work* folio_wait_bit* io_schedule* msleep* __mutex_lock* mutex_lock*
        out_of_line_wait_on_bit* __percpu_down_* percpu_down_* percpu_rwsem_wait rcu_barrier*
        rwsem_down_* __schedule schedule schedule_* schedule_timeout* __switch_to __wait_for_common
        wait_for_common wait_for_completion* __wait_on_bit* wait_on_bit* __ww_mutex_*
    """,
    "interrupts": """
        account_process_tick arch_timer_handler_* call_on_irq_stack do_handle_IPI
        do_interrupt_handler ____do_softirq __do_softirq do_softirq* do_softirq_own_stack
        __flush_smp_call_function_* flush_smp_call_function_* generic_handle_*
        generic_smp_call_function_* __gic_handle_irq* gic_handle_irq gic_handle_nmi handle_IPI
        __handle_domain_irq handle_domain_irq handle_edge_irq handle_fasteoi_irq handle_irq_event*
        __handle_irq_event_percpu handle_level_irq handle_percpu_devid_irq handle_softirqs
        hrtimer_interrupt __hrtimer_run_queues invoke_softirq ipi_handler irq_enter* irq_exit*
        __irq_exit_rcu rcu_check_callbacks rcu_sched_clock_irq run_local_timers sched_tick
        scheduler_tick tick_handle_periodic tick_periodic tick_sched_* update_process_times
    """,
    "threads": """
        cpu_startup_entry default_idle_call do_idle kernel_thread kthread kthread_should_stop
        process_scheduled_works rcu_core* rcu_cpu_kthread* rcu_do_batch rcu_gp_* rcu_nocb_*
        ret_from_fork* run_ksoftirqd secondary_start_kernel smpboot_thread_fn start_kernel _stext
        worker_thread
    """,
}
"""Stand in every trace of a task that waits or of a CPU that is interrupted; skipped for reports about those."""
