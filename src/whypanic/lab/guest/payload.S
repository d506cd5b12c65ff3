/*
 * The programs that the guests run, at EL1 with the MMU off, in RAM at RAM_BASE; no stack, no relocations.
 * x27: where an IRQ goes; x28: REPORT_BASE. Every other exception is reported with ESR, ELR and FAR.
 * PSCI calls: Arm DEN 0022, function numbers as in Linux include/uapi/linux/psci.h. Registers of the GIC: Arm IHI 0069
 * and IHI 0048; the CPU interface's are written S3_0_Cn_Cm_op2, which every assembler knows.
 */
#include "protocol.h"

#define VALUE		[x28, #REPORT_VALUE]
#define DONE		[x28, #REPORT_DONE]
#define YIELD		[x28, #REPORT_YIELD]
#define ARGUMENT	[x28, #REPORT_ARGUMENT]
#define ICC_PMR_EL1	S3_0_C4_C6_0
#define ICC_IAR1_EL1	S3_0_C12_C12_0
#define ICC_EOIR1_EL1	S3_0_C12_C12_1
#define ICC_SRE_EL1	S3_0_C12_C12_5
#define ICC_IGRPEN1_EL1	S3_0_C12_C12_7

	.macro	wide reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #(((\value) >> 16) & 0xffff), lsl #16
	.endm

	.macro	program name
	.globl	\name
\name:
	adr	x0, vectors
	msr	vbar_el1, x0
	wide	x28, REPORT_BASE
	adr	x27, unexpected
	isb
	.endm

	.macro	call function
	wide	x0, \function
	hvc	#0
	.endm

	.arch	armv8-a+fp+simd
	.section .payload, "ax"
	.balign	2048
	.globl	payload_start
payload_start:
vectors:
	.irp	n, 0, 1, 2, 3, 4
	.balign	128
	mov	x26, #\n
	b	unexpected
	.endr
	.balign	128
	mov	x26, #5
	br	x27
	.irp	n, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.balign	128
	mov	x26, #\n
	b	unexpected
	.endr
	.balign	128
unexpected:
	str	x26, [x28, #REPORT_VECTOR]
	mrs	x0, esr_el1
	str	x0, [x28, #REPORT_ESR]
	mrs	x0, elr_el1
	str	x0, [x28, #REPORT_ELR]
	mrs	x0, far_el1
	str	x0, [x28, #REPORT_FAR]
	b	.

/* Writes and reads of 8, 4, 2 and 1 bytes; none with sign extension: QEMU 7.2 leaves ESR_EL2.SSE clear for LDRSB. */
	program	guest_mmio
	wide	x1, 0x55667788
	movk	x1, #0x3344, lsl #32
	movk	x1, #0x1122, lsl #48
	str	x1, VALUE
	str	w1, VALUE
	strh	w1, VALUE
	strb	w1, VALUE
	ldr	x2, ARGUMENT
	str	x2, VALUE
	ldr	w2, ARGUMENT
	str	x2, VALUE
	ldrh	w2, ARGUMENT
	str	x2, VALUE
	ldrb	w2, ARGUMENT
	str	x2, VALUE
	str	xzr, DONE
	b	.

/* PSCI_VERSION, PSCI_FEATURES(SYSTEM_OFF), a number that is no function, SYSTEM_OFF. */
	program	guest_psci
	call	0x84000000
	str	x0, VALUE
	wide	x1, 0x84000008
	call	0x8400000a
	str	x0, VALUE
	call	0x8400001f
	str	x0, VALUE
	call	0x84000008
	str	x0, VALUE
	b	.

/* N_IRQS interrupts of the virtual timer, waited for by WFI and by spinning in turn. Argument: 2 or 3, the GIC. */
	program	guest_timer
	ldr	x20, ARGUMENT
	adr	x27, timer_irq
	mov	x19, #0
	wide	x21, GICD_BASE
	wide	w3, 0xa0a0a0a0
	mov	w4, #(1 << TIMER_INTID)
	cmp	x20, #2
	b.eq	1f
	mov	w0, #0x12		/* GICD_CTLR: ARE_NS, EnableGrp1NS */
	str	w0, [x21]
	wide	x22, GICR_BASE
	ldr	w0, [x22, #0x14]	/* GICR_WAKER.ProcessorSleep = 0 */
	and	w0, w0, #~2
	str	w0, [x22, #0x14]
	add	x22, x22, #0x10, lsl #12	/* its second frame: SGIs and PPIs */
	mov	w0, #-1
	str	w0, [x22, #0x80]	/* GICR_IGROUPR0 */
	str	w3, [x22, #0x418]	/* GICR_IPRIORITYR6 */
	str	w4, [x22, #0x100]	/* GICR_ISENABLER0 */
	mrs	x0, ICC_SRE_EL1
	orr	x0, x0, #1
	msr	ICC_SRE_EL1, x0
	isb
	mov	x0, #0xff
	msr	ICC_PMR_EL1, x0
	mov	x0, #1
	msr	ICC_IGRPEN1_EL1, x0
	isb
	b	2f
1:	mov	w0, #1
	str	w0, [x21]		/* GICD_CTLR */
	str	w3, [x21, #0x418]	/* GICD_IPRIORITYR6 */
	str	w4, [x21, #0x100]	/* GICD_ISENABLER0 */
	wide	x22, GICC_BASE
	mov	w0, #0xff
	str	w0, [x22, #4]		/* GICC_PMR */
	mov	w0, #1
	str	w0, [x22]		/* GICC_CTLR */
2:	add	x23, x19, #1		/* how many there are to be after this one */
	mrs	x0, cntfrq_el0
	lsr	x0, x0, #10
	msr	cntv_tval_el0, x0
	mov	x0, #1
	msr	cntv_ctl_el0, x0
	isb
	tbnz	x19, #0, 4f
3:	wfi				/* wakes for an interrupt that is pending and masked */
	msr	daifclr, #2
	isb
	msr	daifset, #2
	cmp	x19, x23
	b.lo	3b
	b	5f
4:	msr	daifclr, #2
	cmp	x19, x23
	b.lo	4b
	msr	daifset, #2
5:	cmp	x19, #N_IRQS
	b.lo	2b
	str	xzr, DONE
	b	.

timer_irq:
	cmp	x20, #2
	b.eq	1f
	mrs	x1, ICC_IAR1_EL1
	b	2f
1:	ldr	w1, [x22, #0xc]		/* GICC_IAR */
2:	and	x2, x1, #0x3ff
	cmp	x2, #1020		/* spurious, when the timer's line fell meanwhile */
	b.hs	4f
	mov	x3, #3			/* CNTV_CTL_EL0: ENABLE, IMASK */
	msr	cntv_ctl_el0, x3
	isb
	add	x19, x19, #1
	str	x2, VALUE
	cmp	x20, #2
	b.eq	3f
	msr	ICC_EOIR1_EL1, x1
	isb
	b	4f
3:	str	w1, [x22, #0x10]	/* GICC_EOIR */
4:	eret

/* Takes orders: what, first address, number of pages. */
	program	guest_memory
1:	ldr	x1, ARGUMENT
	cbz	x1, 4f
	ldr	x2, ARGUMENT
	ldr	x3, ARGUMENT
	mov	x4, #0
	cmp	x1, #ORDER_FILL
	b.eq	3f
2:	ldr	x5, [x2]
	add	x4, x4, x5
	add	x2, x2, #PAGE_STEP
	subs	x3, x3, #1
	b.ne	2b
	str	x4, VALUE
	b	1b
3:	str	x2, [x2]
	add	x2, x2, #PAGE_STEP
	subs	x3, x3, #1
	b.ne	3b
	str	xzr, VALUE
	b	1b
4:	str	xzr, DONE
	b	.

/*
 * Four exits before the first use of FP, then N_FP_ROUNDS of: fill v0 to v31, FPCR and FPSR, exit with the value they
 * were filled from, exit with the bits that differ afterwards.
 */
	program	guest_fp
	mov	x9, #4
1:	str	x9, VALUE
	subs	x9, x9, #1
	b.ne	1b
	mov	x0, #(3 << 20)
	msr	cpacr_el1, x0
	isb
	wide	x9, FP_SEED
	mov	x10, #N_FP_ROUNDS
2:	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x1, x9, #\n
	mvn	x2, x1
	fmov	d\n, x1
	fmov	v\n\().d[1], x2
	.endr
	and	x12, x10, #1
	lsl	x12, x12, #24		/* FZ in every second round, */
	orr	x12, x12, #(3 << 22)	/* RMode: towards zero */
	msr	fpcr, x12
	wide	x13, 0x08000010		/* QC, IXC */
	msr	fpsr, x13
	str	x9, VALUE
	mrs	x14, fpcr
	eor	x14, x14, x12
	mrs	x1, fpsr
	eor	x1, x1, x13
	orr	x14, x14, x1
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	add	x1, x9, #\n
	fmov	x2, d\n
	eor	x2, x2, x1
	orr	x14, x14, x2
	fmov	x2, v\n\().d[1]
	mvn	x2, x2
	eor	x2, x2, x1
	orr	x14, x14, x2
	.endr
	str	x14, VALUE
	add	x9, x9, #64
	subs	x10, x10, #1
	b.ne	2b
	str	xzr, DONE
	b	.

/* Waits until the word at TOKEN_BASE is x6, and makes it x6 + 1, which it reports: N_TURNS times, x6 two higher each. */
	.macro	pass_token
	wide	x20, TOKEN_BASE
	mov	x7, #N_TURNS
1:	mov	x8, #4
2:	ldr	x5, [x20]
	cmp	x5, x6
	b.eq	3f
	wfe
	subs	x8, x8, #1
	b.ne	2b
	str	xzr, YIELD
	b	1b
3:	add	x5, x6, #1
	str	x5, [x20]
	dsb	sy
	sev
	str	x5, VALUE
	add	x6, x6, #2
	subs	x7, x7, #1
	b.ne	1b
	.endm

/* Turns the second vCPU on, passes the token, waits until the other is off, and powers off. */
	program	guest_first
	mov	x1, #1
	adr	x2, guest_second
	wide	x3, SECOND_CONTEXT
	call	0xc4000003		/* CPU_ON */
	str	x0, VALUE
	mov	x6, #0
	pass_token
4:	mov	x1, #1
	mov	x2, #0
	call	0xc4000004		/* AFFINITY_INFO: 0 is on, 1 is off, 2 is on its way */
	cmp	x0, #1
	b.eq	5f
	str	xzr, YIELD
	b	4b
5:	call	0x84000008
	str	x0, VALUE
	b	.

guest_second:
	mov	x25, x0
	program	guest_second_entered
	str	x25, VALUE
	mov	x6, #1
	pass_token
	call	0x84000002		/* CPU_OFF */
	str	x0, VALUE
	b	.

	.balign	8
	.globl	payload_end
payload_end:

	.section .note.GNU-stack, "", %progbits
