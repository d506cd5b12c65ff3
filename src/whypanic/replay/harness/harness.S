/*
 * The harness that runs jobs at EL2 on QEMU's `virt` machine. README.md beside this file has the picture.
 *
 * It is the firmware: it starts at EL3 in the secure flash at 0, where code at EL2 can neither read nor write it.
 * A job runs at EL2 with page tables of its own. Each of its exceptions enters a page of SMC instructions, the job's
 * VBAR_EL2; SMC leads here with every register of EL2 untouched. The secure timer's interrupt leads here too: it
 * goes to EL3 whatever the job masks, so a job cannot run longer than its descriptor says.
 *
 * Words of the layout, in the order of replay/qemu_wire.py, which packs and reads the same structures.
 * Sources: Arm ARM DDI 0487 (SCR_EL3, CNTPS_CTL_EL1, ESR_EL3), GICv3 IHI 0069, PL061 DDI 0190, QEMU hw/arm/virt.c
 * (addresses of the machine).
 */

        .set    CONTROL, 0x40200000             // non-secure RAM: see qemu_wire.CONTROL
        .set    CONTROL_N_JOBS, 0
        .set    CONTROL_N_STARTED, 8
        .set    CONTROL_N_DONE, 16
        .set    CONTROL_DESCRIPTORS, 24         // PA of the first descriptor
        .set    CONTROL_RESULTS, 32             // PA of the first result

        .set    DESCRIPTOR_ENTRY, 0
        .set    DESCRIPTOR_SPSR, 8
        .set    DESCRIPTOR_STEPS, 16            // nanoseconds of virtual time: instructions, under `-icount shift=0`
        .set    DESCRIPTOR_ANSWERS, 24          // PA of the table of answers
        .set    DESCRIPTOR_N_ANSWERS, 32
        .set    DESCRIPTOR_X, 64                // x0..x30
        .set    DESCRIPTOR_SYSTEM, 320
        .set    DESCRIPTOR_BYTES, 1024

        .set    RESULT_REASON, 0
        .set    RESULT_ESR_EL3, 8
        .set    RESULT_ELR_EL3, 16
        .set    RESULT_SPSR_EL3, 24
        .set    RESULT_X, 64                    // x0..x30, and a word for what is written to xzr
        .set    RESULT_BEFORE, 320              // system registers as read back before the job
        .set    RESULT_AFTER, 832
        .set    RESULT_BYTES, 1408

        .set    REASON_SYNC, 1
        .set    REASON_STOPPED, 2
        .set    REASON_OTHER, 3

        .set    ANSWER_SHIFT, 5                 // 32 bytes each
        .set    ANSWER_VA, 0                    // of the SMC that asks
        .set    ANSWER_KIND, 8                  // 0..31: the value goes to that register; 32: a call returns
        .set    ANSWER_VALUE, 16
        .set    ANSWER_CLOBBER, 24              // what x1..x17 hold afterwards, and, in bits 31..28, the flags
        .set    ANSWER_CALL, 32
        .set    ANSWER_IMMEDIATE, 0x4000        // SMC #ANSWER_IMMEDIATE + index

        .set    GICD, 0x08000000
        .set    GICR, 0x080a0000
        .set    GPIO, 0x090b0000                // secure PL061; its line 0 turns the machine off
        .set    TIMER_INTERRUPT, 29             // PPI of the secure physical timer

        // NS, RES1 [5:4], FIQ, HCE, RW, APK, API, EnSCXT, ATA, FGTEn, ECVEn, HXEn: nothing of EL2 traps to EL3
        .set    SCR, 1 | 3 << 4 | 1 << 2 | 1 << 8 | 1 << 10 | 3 << 16 | 7 << 25 | 1 << 28 | 1 << 38

/* The system registers that are set before a job and saved before and after it, in the order of qemu_wire.SYSTEM. */
        .macro  each operation, names:vararg
        .irp    name, \names
        \operation \name
        .set    place, place + 8
        .endr
        .endm

        .macro  system_registers operation
        .set    place, 0
        each    \operation, sctlr_el2, tcr_el2, ttbr0_el2, mair_el2, vbar_el2, hcr_el2, cptr_el2
        each    \operation, esr_el2, elr_el2, far_el2, hpfar_el2, spsr_el2, sp_el2
        each    \operation, vtcr_el2, vttbr_el2, mdcr_el2, hstr_el2, cnthctl_el2, cntvoff_el2
        each    \operation, vpidr_el2, vmpidr_el2, tpidr_el2, amair_el2
        each    \operation, sctlr_el1, cpacr_el1, tcr_el1, ttbr0_el1, ttbr1_el1, mair_el1, amair_el1
        each    \operation, vbar_el1, esr_el1, far_el1, elr_el1, spsr_el1, sp_el1
        each    \operation, contextidr_el1, tpidr_el1, par_el1, mdscr_el1, csselr_el1, cntkctl_el1
        each    \operation, tpidr_el0, tpidrro_el0, sp_el0
        .endm

        .macro  set_register name
        ldr     x1, [x0, #place]
        msr     \name, x1
        .endm

        .macro  save_register name
        mrs     x1, \name
        str     x1, [x0, #place]
        .endm

        .macro  load_pairs from, offset
        ldp     x0, x1, [\from, #\offset + 0]
        ldp     x2, x3, [\from, #\offset + 16]
        ldp     x4, x5, [\from, #\offset + 32]
        ldp     x6, x7, [\from, #\offset + 48]
        ldp     x8, x9, [\from, #\offset + 64]
        ldp     x10, x11, [\from, #\offset + 80]
        ldp     x12, x13, [\from, #\offset + 96]
        ldp     x14, x15, [\from, #\offset + 112]
        ldp     x16, x17, [\from, #\offset + 128]
        ldp     x18, x19, [\from, #\offset + 144]
        ldp     x20, x21, [\from, #\offset + 160]
        ldp     x22, x23, [\from, #\offset + 176]
        ldp     x24, x25, [\from, #\offset + 192]
        ldp     x26, x27, [\from, #\offset + 208]
        ldp     x28, x29, [\from, #\offset + 224]
        .endm

        .macro  save_pairs
        stp     x0, x1, [sp, #RESULT_X + 0]
        stp     x2, x3, [sp, #RESULT_X + 16]
        stp     x4, x5, [sp, #RESULT_X + 32]
        stp     x6, x7, [sp, #RESULT_X + 48]
        stp     x8, x9, [sp, #RESULT_X + 64]
        stp     x10, x11, [sp, #RESULT_X + 80]
        stp     x12, x13, [sp, #RESULT_X + 96]
        stp     x14, x15, [sp, #RESULT_X + 112]
        stp     x16, x17, [sp, #RESULT_X + 128]
        stp     x18, x19, [sp, #RESULT_X + 144]
        stp     x20, x21, [sp, #RESULT_X + 160]
        stp     x22, x23, [sp, #RESULT_X + 176]
        stp     x24, x25, [sp, #RESULT_X + 192]
        stp     x26, x27, [sp, #RESULT_X + 208]
        stp     x28, x29, [sp, #RESULT_X + 224]
        .endm

        .text
        .org    0
start:  b       begin
        .ascii  "WHYP"
        .word   1                               // version of the layout
        .word   vectors_el2 - start             // where the page of SMC instructions is in this file

begin:  adr     x0, vectors_el3
        msr     vbar_el3, x0
        ldr     x0, scr_value
        msr     scr_el3, x0
        mov     x0, #1 << 8 | 1 << 12           // EZ, ESM: SVE and SME do not trap to EL3; TFP clear
        msr     cptr_el3, x0
        msr     mdcr_el3, xzr
        msr     spsel, #1
        isb
        bl      enable_timer_interrupt
        ldr     x20, control_address
        str     xzr, [x20, #CONTROL_N_STARTED]

next_job:
        ldr     x20, control_address
        ldr     x21, [x20, #CONTROL_N_STARTED]
        str     x21, [x20, #CONTROL_N_DONE]
        ldr     x22, [x20, #CONTROL_N_JOBS]
        cmp     x21, x22
        b.hs    power_off
        ldr     x22, [x20, #CONTROL_DESCRIPTORS]
        mov     x23, #DESCRIPTOR_BYTES
        madd    x22, x21, x23, x22
        msr     tpidr_el3, x22                  // descriptor of the job that runs
        ldr     x24, [x20, #CONTROL_RESULTS]
        mov     x23, #RESULT_BYTES
        madd    x24, x21, x23, x24
        mov     sp, x24                         // result of the job that runs; EL3 has no stack
        add     x21, x21, #1
        str     x21, [x20, #CONTROL_N_STARTED]

        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        movi    v\n\().2d, #0
        .endr
        msr     fpcr, xzr
        msr     fpsr, xzr
        add     x0, x22, #DESCRIPTOR_SYSTEM
        system_registers set_register
        isb
        add     x0, x24, #RESULT_BEFORE
        system_registers save_register
        tlbi    alle2
        tlbi    alle1
        ic      iallu
        dsb     sy
        isb
        clrex

        ldr     x0, [x22, #DESCRIPTOR_ENTRY]
        msr     elr_el3, x0
        ldr     x0, [x22, #DESCRIPTOR_SPSR]
        msr     spsr_el3, x0
        ldr     x0, [x22, #DESCRIPTOR_STEPS]
        mrs     x1, cntfrq_el0
        mul     x0, x0, x1
        ldr     x1, nanoseconds
        udiv    x0, x0, x1
        mrs     x1, cntpct_el0
        add     x0, x0, x1
        add     x0, x0, #1
        msr     cntps_cval_el1, x0
        mov     x0, #1
        msr     cntps_ctl_el1, x0
        isb
        add     x30, x22, #DESCRIPTOR_X
        load_pairs x30, 0
        ldr     x30, [x30, #240]
        eret

sync:
        mrs     x19, esr_el3
        lsr     x20, x19, #26
        cmp     x20, #0x17                      // EC of SMC from AArch64
        b.ne    end_sync
        and     x20, x19, #0xffff
        subs    x20, x20, #ANSWER_IMMEDIATE
        b.lo    end_sync
        mrs     x21, tpidr_el3
        ldr     x22, [x21, #DESCRIPTOR_N_ANSWERS]
        cmp     x20, x22
        b.hs    end_sync
        ldr     x22, [x21, #DESCRIPTOR_ANSWERS]
        add     x22, x22, x20, lsl #ANSWER_SHIFT
        mrs     x23, elr_el3                    // behind the SMC
        ldr     x24, [x22, #ANSWER_VA]
        sub     x25, x23, #4
        cmp     x24, x25
        b.ne    end_sync                        // the job's own SMC
        ldr     x24, [x22, #ANSWER_KIND]
        ldr     x25, [x22, #ANSWER_VALUE]
        mrs     x26, spsr_el3
        bic     x26, x26, #3 << 10              // BTYPE, as after any instruction but a branch
        cmp     x24, #ANSWER_CALL
        b.hs    answer_call
        add     x24, sp, x24, lsl #3
        str     x25, [x24, #RESULT_X]
        b       resume
answer_call:
        str     x25, [sp, #RESULT_X]
        ldr     x25, [x22, #ANSWER_CLOBBER]
        .irp    n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17
        str     x25, [sp, #RESULT_X + 8 * \n]
        .endr
        and     x25, x25, #0xf0000000
        bic     x26, x26, #0xf0000000
        orr     x26, x26, x25
        ldr     x23, [sp, #RESULT_X + 240]
        msr     elr_el3, x23
resume: msr     spsr_el3, x26
        load_pairs sp, RESULT_X
        ldr     x30, [sp, #RESULT_X + 240]
        eret

end_sync:
        mov     x19, #REASON_SYNC
        b       end_job
stopped:
        mov     x19, #REASON_STOPPED
        b       end_job
other:
        mov     x19, #REASON_OTHER

end_job:
        msr     cntps_ctl_el1, xzr              // its interrupt is level-sensitive and was never acknowledged
        isb
        str     x19, [sp, #RESULT_REASON]
        mrs     x0, esr_el3
        str     x0, [sp, #RESULT_ESR_EL3]
        mrs     x0, elr_el3
        str     x0, [sp, #RESULT_ELR_EL3]
        mrs     x0, spsr_el3
        str     x0, [sp, #RESULT_SPSR_EL3]
        add     x0, sp, #RESULT_AFTER
        system_registers save_register
        b       next_job

power_off:
        ldr     x0, gpio_address
        mov     w1, #1
        str     w1, [x0, #0x400]                // direction of line 0: out
        str     wzr, [x0, #4]                   // data of line 0: low, then high
        str     w1, [x0, #4]
halt:   wfi
        b       halt

enable_timer_interrupt:
        ldr     x0, gicr_address
        str     wzr, [x0, #0x14]                // GICR_WAKER: awake
1:      ldr     w1, [x0, #0x14]
        tbnz    w1, #2, 1b
        ldr     x0, gicd_address
        mov     w1, #0x37                       // GICD_CTLR: all groups, affinity routing
        str     w1, [x0]
        ldr     x0, sgi_address
        str     wzr, [x0, #0x80]                // GICR_IGROUPR0 and GICR_IGRPMODR0: group 0, an FIQ
        str     wzr, [x0, #0xd00]
        strb    wzr, [x0, #0x400 + TIMER_INTERRUPT]
        mov     w1, #1 << TIMER_INTERRUPT
        str     w1, [x0, #0x100]                // GICR_ISENABLER0
        mov     x1, #0xf
        msr     s3_6_c12_c12_5, x1              // ICC_SRE_EL3
        isb
        mov     x1, #0xff
        msr     s3_0_c4_c6_0, x1                // ICC_PMR_EL1
        mov     x1, #1
        msr     s3_0_c12_c12_6, x1              // ICC_IGRPEN0_EL1
        isb
        ret

/* Literals by hand: assemblers differ in what they make of `ldr x0, =value`. */
        .balign 8
scr_value:      .quad   SCR
control_address:.quad   CONTROL
nanoseconds:    .quad   1000000000
gpio_address:   .quad   GPIO
gicr_address:   .quad   GICR
gicd_address:   .quad   GICD
sgi_address:    .quad   GICR + 0x10000

/* Exceptions at EL3 itself would be faults of the harness: it stands still, and the deadline of the host ends it. */
        .balign 2048
vectors_el3:
        .rept   8
        .balign 128
        b       halt
        .endr
        .irp    target, sync, other, stopped, other, other, other, stopped, other
        .balign 128
        save_pairs
        str     x30, [sp, #RESULT_X + 240]
        b       \target
        .endr

/* Copied to a page of RAM that is mapped at VBAR_EL2. The immediate is the number of the vector. */
        .balign 2048
vectors_el2:
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        .balign 128
        smc     #\n
        .endr
        .balign 128
end:
