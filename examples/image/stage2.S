/*
 * The function of the 2017 panic with the table of addresses that clang 5 gave it, and the version string of the kernel
 * that examples/image/panic.txt is from. build.sh makes the image of it.
 */
.section .hyp.text, "ax"
.globl __init_stage2_translation
.type __init_stage2_translation, %function
__init_stage2_translation:
	mrs	x9, id_aa64mmfr0_el1
	and	w8, w9, #0x7
	cmp	w8, #0x4
	ubfiz	x8, x9, #16, #3
	b.hi	__init_stage2_translation + 0x40
	adrp	x10, .Ltable
	and	x9, x9, #0x7
	add	x10, x10, :lo12:.Ltable
	ldr	x11, [x10, x9, lsl #3]
	mov	w9, #0x28
	orr	w0, wzr, #0x20
	orr	w10, wzr, #0x20
	br	x11
	mov	w0, #0x24
	orr	w10, wzr, #0x1c
	b	__init_stage2_translation + 0x5c
	orr	w9, wzr, #0x30
	b	__init_stage2_translation + 0x54
	mov	w9, #0x2a
	b	__init_stage2_translation + 0x54
	mov	w9, #0x2c
	orr	w10, wzr, #0x18
	mov	w0, w9
	orr	x8, x10, x8
	mov	x10, #-51904
	mrs	x9, id_aa64mmfr1_el1
	movk	x10, #0x8000, lsl #16
	mrs	x11, id_aa64mmfr1_el1
	add	x12, x10, #0x200, lsl #12
	tst	x9, #0xf
	and	x9, x11, #0xf0
	csel	x10, x10, x12, eq
	cmp	x9, #0x20
	orr	x8, x8, x10
	cset	w9, eq
	orr	x8, x8, x9, lsl #19
	msr	vtcr_el2, x8
	ret
.size __init_stage2_translation, . - __init_stage2_translation
.section .rodata, "a"
.p2align 3
.type .Ltable, %object
.Ltable:
	.quad	__init_stage2_translation + 0x5c
	.quad	__init_stage2_translation + 0x34
	.quad	__init_stage2_translation + 0x54
	.quad	__init_stage2_translation + 0x48
	.quad	__init_stage2_translation + 0x50
.size .Ltable, . - .Ltable

.section .rodata.banner, "a"
.globl linux_banner
.type linux_banner, %object
linux_banner:
	.asciz "Linux version 4.14.0-rc7 (you@example) (clang version 5.0.0 (tags/RELEASE_500/final)) #1 SMP PREEMPT Wed Nov 1 12:00:00 UTC 2017\n"
.size linux_banner, . - linux_banner
