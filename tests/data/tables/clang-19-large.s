// clang-19 -Os -mcmodel=large: see tables.c
	.text
	.p2align	2
	.type	dense,@function
dense:
	sub	w8, w0, #3
	cmp	w8, #17
	b.hi	.LBB0_18
	movz	x9, #:abs_g0_nc:.LJTI0_0
	movk	x9, #:abs_g1_nc:.LJTI0_0
	movk	x9, #:abs_g2_nc:.LJTI0_0
	movk	x9, #:abs_g3:.LJTI0_0
	adr	x10, .LBB0_2
	ldrb	w11, [x9, x8]
	add	x10, x10, x11, lsl #2
	br	x10
.LBB0_2:
	mov	w0, w1
	b	callee0
.LBB0_3:
	mov	w0, w1
	b	callee16
.LBB0_4:
	mov	w0, w1
	b	callee14
.LBB0_5:
	mov	w0, w1
	b	callee11
.LBB0_6:
	mov	w0, w1
	b	callee4
.LBB0_7:
	mov	w0, w1
	b	callee12
.LBB0_8:
	mov	w0, w1
	b	callee9
.LBB0_9:
	mov	w0, w1
	b	callee2
.LBB0_10:
	mov	w0, w1
	b	callee15
.LBB0_11:
	mov	w0, w1
	b	callee3
.LBB0_12:
	mov	w0, w1
	b	callee7
.LBB0_13:
	mov	w0, w1
	b	callee1
.LBB0_14:
	mov	w0, w1
	b	callee17
.LBB0_15:
	mov	w0, w1
	b	callee5
.LBB0_16:
	mov	w0, w1
	b	callee13
.LBB0_17:
	mov	w0, w1
	b	callee6
.LBB0_18:
	ret
.LBB0_19:
	mov	w0, w1
	b	callee10
.LBB0_20:
	mov	w0, w1
	b	callee8
.Lfunc_end0:
	.size	dense, .Lfunc_end0-dense
	.section	.rodata,"a",@progbits
.LJTI0_0:
	.byte	(.LBB0_2-.LBB0_2)>>2
	.byte	(.LBB0_13-.LBB0_2)>>2
	.byte	(.LBB0_9-.LBB0_2)>>2
	.byte	(.LBB0_11-.LBB0_2)>>2
	.byte	(.LBB0_6-.LBB0_2)>>2
	.byte	(.LBB0_15-.LBB0_2)>>2
	.byte	(.LBB0_17-.LBB0_2)>>2
	.byte	(.LBB0_12-.LBB0_2)>>2
	.byte	(.LBB0_20-.LBB0_2)>>2
	.byte	(.LBB0_8-.LBB0_2)>>2
	.byte	(.LBB0_19-.LBB0_2)>>2
	.byte	(.LBB0_5-.LBB0_2)>>2
	.byte	(.LBB0_7-.LBB0_2)>>2
	.byte	(.LBB0_16-.LBB0_2)>>2
	.byte	(.LBB0_4-.LBB0_2)>>2
	.byte	(.LBB0_10-.LBB0_2)>>2
	.byte	(.LBB0_3-.LBB0_2)>>2
	.byte	(.LBB0_14-.LBB0_2)>>2
	.text
	.p2align	2
	.type	with_asm,@function
with_asm:
	cmp	x0, #17
	b.hi	.LBB1_18
	movz	x8, #:abs_g0_nc:.LJTI1_0
	movk	x8, #:abs_g1_nc:.LJTI1_0
	movk	x8, #:abs_g2_nc:.LJTI1_0
	movk	x8, #:abs_g3:.LJTI1_0
.Ltmp0:
	adr	x9, .Ltmp0
	ldrsw	x10, [x8, x0, lsl #2]
	add	x9, x9, x10
	br	x9
.LBB1_2:
	hint	#32
	ret
.LBB1_3:
	hint	#48
	ret
.LBB1_4:
	hint	#46
	ret
.LBB1_5:
	hint	#43
	ret
.LBB1_6:
	hint	#36
	ret
.LBB1_7:
	hint	#44
	ret
.LBB1_8:
	hint	#41
	ret
.LBB1_9:
	hint	#34
	ret
.LBB1_10:
	hint	#47
	ret
.LBB1_11:
	hint	#35
	ret
.LBB1_12:
	hint	#39
	ret
.LBB1_13:
	hint	#33
	ret
.LBB1_14:
	hint	#49
	ret
.LBB1_15:
	hint	#37
	ret
.LBB1_16:
	hint	#45
	ret
.LBB1_17:
	hint	#38
	ret
.LBB1_18:
	mov	w0, #1
	b	callee0
.LBB1_19:
	hint	#42
	ret
.LBB1_20:
	hint	#40
	ret
.Lfunc_end1:
	.size	with_asm, .Lfunc_end1-with_asm
	.section	.rodata,"a",@progbits
	.p2align	2, 0x0
.LJTI1_0:
	.word	.LBB1_2-.Ltmp0
	.word	.LBB1_13-.Ltmp0
	.word	.LBB1_9-.Ltmp0
	.word	.LBB1_11-.Ltmp0
	.word	.LBB1_6-.Ltmp0
	.word	.LBB1_15-.Ltmp0
	.word	.LBB1_17-.Ltmp0
	.word	.LBB1_12-.Ltmp0
	.word	.LBB1_20-.Ltmp0
	.word	.LBB1_8-.Ltmp0
	.word	.LBB1_19-.Ltmp0
	.word	.LBB1_5-.Ltmp0
	.word	.LBB1_7-.Ltmp0
	.word	.LBB1_16-.Ltmp0
	.word	.LBB1_4-.Ltmp0
	.word	.LBB1_10-.Ltmp0
	.word	.LBB1_3-.Ltmp0
	.word	.LBB1_14-.Ltmp0
	.text
	.p2align	2
	.type	in_loop,@function
in_loop:
	cbz	w1, .LBB2_24
	stp	x29, x30, [sp, #-48]!
	stp	x22, x21, [sp, #16]
	movz	x21, #:abs_g0_nc:.LJTI2_0
	movz	x22, #:abs_g0_nc:cell
	movk	x21, #:abs_g1_nc:.LJTI2_0
	movk	x22, #:abs_g1_nc:cell
	stp	x20, x19, [sp, #32]
	movk	x21, #:abs_g2_nc:.LJTI2_0
	movk	x22, #:abs_g2_nc:cell
	mov	w19, w1
	mov	x20, x0
	movk	x21, #:abs_g3:.LJTI2_0
	movk	x22, #:abs_g3:cell
	mov	x29, sp
.LBB2_2:
	ldrb	w8, [x20], #1
	cmp	w8, #17
	b.hi	.LBB2_23
	adr	x9, .LBB2_4
	ldrb	w10, [x21, x8]
	add	x9, x9, x10, lsl #2
	br	x9
.LBB2_4:
	ldr	w0, [x22]
	bl	callee0
	b	.LBB2_22
.LBB2_5:
	ldr	w8, [x22]
	add	w0, w8, #16
	bl	callee16
	b	.LBB2_22
.LBB2_6:
	ldr	w8, [x22]
	add	w0, w8, #14
	bl	callee14
	b	.LBB2_22
.LBB2_7:
	ldr	w8, [x22]
	add	w0, w8, #11
	bl	callee11
	b	.LBB2_22
.LBB2_8:
	ldr	w8, [x22]
	add	w0, w8, #4
	bl	callee4
	b	.LBB2_22
.LBB2_9:
	ldr	w8, [x22]
	add	w0, w8, #12
	bl	callee12
	b	.LBB2_22
.LBB2_10:
	ldr	w8, [x22]
	add	w0, w8, #9
	bl	callee9
	b	.LBB2_22
.LBB2_11:
	ldr	w8, [x22]
	add	w0, w8, #2
	bl	callee2
	b	.LBB2_22
.LBB2_12:
	ldr	w8, [x22]
	add	w0, w8, #15
	bl	callee15
	b	.LBB2_22
.LBB2_13:
	ldr	w8, [x22]
	add	w0, w8, #3
	bl	callee3
	b	.LBB2_22
.LBB2_14:
	ldr	w8, [x22]
	add	w0, w8, #7
	bl	callee7
	b	.LBB2_22
.LBB2_15:
	ldr	w8, [x22]
	add	w0, w8, #1
	bl	callee1
	b	.LBB2_22
.LBB2_16:
	ldr	w8, [x22]
	add	w0, w8, #17
	bl	callee17
	b	.LBB2_22
.LBB2_17:
	ldr	w8, [x22]
	add	w0, w8, #5
	bl	callee5
	b	.LBB2_22
.LBB2_18:
	ldr	w8, [x22]
	add	w0, w8, #13
	bl	callee13
	b	.LBB2_22
.LBB2_19:
	ldr	w8, [x22]
	add	w0, w8, #6
	bl	callee6
	b	.LBB2_22
.LBB2_20:
	ldr	w8, [x22]
	add	w0, w8, #10
	bl	callee10
	b	.LBB2_22
.LBB2_21:
	ldr	w8, [x22]
	add	w0, w8, #8
	bl	callee8
.LBB2_22:
	sub	w19, w19, #1
	cbnz	w19, .LBB2_2
.LBB2_23:
	ldp	x20, x19, [sp, #32]
	ldp	x22, x21, [sp, #16]
	ldp	x29, x30, [sp], #48
.LBB2_24:
	ret
.Lfunc_end2:
	.size	in_loop, .Lfunc_end2-in_loop
	.section	.rodata,"a",@progbits
.LJTI2_0:
	.byte	(.LBB2_4-.LBB2_4)>>2
	.byte	(.LBB2_15-.LBB2_4)>>2
	.byte	(.LBB2_11-.LBB2_4)>>2
	.byte	(.LBB2_13-.LBB2_4)>>2
	.byte	(.LBB2_8-.LBB2_4)>>2
	.byte	(.LBB2_17-.LBB2_4)>>2
	.byte	(.LBB2_19-.LBB2_4)>>2
	.byte	(.LBB2_14-.LBB2_4)>>2
	.byte	(.LBB2_21-.LBB2_4)>>2
	.byte	(.LBB2_10-.LBB2_4)>>2
	.byte	(.LBB2_20-.LBB2_4)>>2
	.byte	(.LBB2_7-.LBB2_4)>>2
	.byte	(.LBB2_9-.LBB2_4)>>2
	.byte	(.LBB2_18-.LBB2_4)>>2
	.byte	(.LBB2_6-.LBB2_4)>>2
	.byte	(.LBB2_12-.LBB2_4)>>2
	.byte	(.LBB2_5-.LBB2_4)>>2
	.byte	(.LBB2_16-.LBB2_4)>>2
	.text
	.p2align	2
	.type	threaded,@function
threaded:
	movz	x9, #:abs_g0_nc:threaded.labels
	mov	x8, x0
	mov	w0, wzr
	movk	x9, #:abs_g1_nc:threaded.labels
	ldrb	w10, [x8], #1
	movk	x9, #:abs_g2_nc:threaded.labels
	movk	x9, #:abs_g3:threaded.labels
	ldr	x11, [x9, x10, lsl #3]
	movz	x10, #:abs_g0_nc:cell
	br	x11
.Ltmp1:
.LBB3_1:
	mov	x11, x10
	movk	x11, #:abs_g1_nc:cell
	movk	x11, #:abs_g2_nc:cell
	movk	x11, #:abs_g3:cell
	ldr	w11, [x11]
	ldrb	w12, [x8], #1
	ldr	x12, [x9, x12, lsl #3]
	add	w0, w11, w0
	br	x12
.Ltmp2:
.LBB3_2:
	mov	x11, x10
	movk	x11, #:abs_g1_nc:cell
	movk	x11, #:abs_g2_nc:cell
	movk	x11, #:abs_g3:cell
	ldr	w11, [x11]
	ldrb	w12, [x8], #1
	ldr	x12, [x9, x12, lsl #3]
	sub	w0, w0, w11
	br	x12
.Ltmp3:
.LBB3_3:
	ldrb	w11, [x8], #1
	lsl	w0, w0, #1
	ldr	x11, [x9, x11, lsl #3]
	br	x11
.Ltmp4:
.LBB3_4:
	ret
.Lfunc_end3:
	.size	threaded, .Lfunc_end3-threaded
	.p2align	2
	.type	through_array,@function
through_array:
	cmp	w0, #3
	b.ls	.LBB4_2
	mov	w0, #-1
	ret
.LBB4_2:
	stp	x29, x30, [sp, #-16]!
	movz	x8, #:abs_g0_nc:through_array.functions
	mov	x29, sp
	movk	x8, #:abs_g1_nc:through_array.functions
	movk	x8, #:abs_g2_nc:through_array.functions
	movk	x8, #:abs_g3:through_array.functions
	ldr	x8, [x8, w0, uxtw #3]
	mov	w0, w1
	blr	x8
	movz	x8, #:abs_g0_nc:cell
	movk	x8, #:abs_g1_nc:cell
	movk	x8, #:abs_g2_nc:cell
	movk	x8, #:abs_g3:cell
	ldr	w0, [x8]
	ldp	x29, x30, [sp], #16
	ret
.Lfunc_end4:
	.size	through_array, .Lfunc_end4-through_array
	.p2align	2
	.type	tail_call,@function
tail_call:
	movz	x8, #:abs_g0_nc:tail_call.functions
	and	w9, w0, #0x3
	mov	w0, w1
	movk	x8, #:abs_g1_nc:tail_call.functions
	movk	x8, #:abs_g2_nc:tail_call.functions
	movk	x8, #:abs_g3:tail_call.functions
	ldr	x2, [x8, w9, uxtw #3]
	br	x2
.Lfunc_end5:
	.size	tail_call, .Lfunc_end5-tail_call
	.p2align	2
	.type	numbers,@function
numbers:
	cmp	w0, #8
	b.hi	.LBB6_2
	movz	x8, #:abs_g0_nc:.Lswitch.table.numbers
	movk	x8, #:abs_g1_nc:.Lswitch.table.numbers
	movk	x8, #:abs_g2_nc:.Lswitch.table.numbers
	movk	x8, #:abs_g3:.Lswitch.table.numbers
	ldr	w0, [x8, w0, uxtw #2]
	ret
.LBB6_2:
	mov	w0, wzr
	ret
.Lfunc_end6:
	.size	numbers, .Lfunc_end6-numbers
	.p2align	2
	.type	names,@function
names:
	cmp	w0, #7
	b.hi	.LBB7_2
	movz	x8, #:abs_g0_nc:.Lswitch.table.names
	movk	x8, #:abs_g1_nc:.Lswitch.table.names
	movk	x8, #:abs_g2_nc:.Lswitch.table.names
	movk	x8, #:abs_g3:.Lswitch.table.names
	ldr	x0, [x8, w0, uxtw #3]
	ret
.LBB7_2:
	movz	x0, #:abs_g0_nc:.L.str.8
	movk	x0, #:abs_g1_nc:.L.str.8
	movk	x0, #:abs_g2_nc:.L.str.8
	movk	x0, #:abs_g3:.L.str.8
	ret
.Lfunc_end7:
	.size	names, .Lfunc_end7-names
	.type	threaded.labels,@object
	.section	.rodata,"a",@progbits
	.p2align	3, 0x0
threaded.labels:
	.xword	.Ltmp4
	.xword	.Ltmp1
	.xword	.Ltmp2
	.xword	.Ltmp3
	.size	threaded.labels, 32
	.type	through_array.functions,@object
	.p2align	3, 0x0
through_array.functions:
	.xword	callee0
	.xword	callee5
	.xword	callee2
	.xword	callee9
	.size	through_array.functions, 32
	.type	tail_call.functions,@object
	.p2align	3, 0x0
tail_call.functions:
	.xword	callee1
	.xword	callee4
	.xword	callee3
	.xword	callee8
	.size	tail_call.functions, 32
	.type	.L.str,@object
	.section	.rodata.str1.1,"aMS",@progbits,1
.L.str:
	.asciz	"zero"
	.size	.L.str, 5
	.type	.L.str.1,@object
.L.str.1:
	.asciz	"un"
	.size	.L.str.1, 3
	.type	.L.str.2,@object
.L.str.2:
	.asciz	"deux"
	.size	.L.str.2, 5
	.type	.L.str.3,@object
.L.str.3:
	.asciz	"trois"
	.size	.L.str.3, 6
	.type	.L.str.4,@object
.L.str.4:
	.asciz	"quatre"
	.size	.L.str.4, 7
	.type	.L.str.5,@object
.L.str.5:
	.asciz	"cinq"
	.size	.L.str.5, 5
	.type	.L.str.6,@object
.L.str.6:
	.asciz	"six"
	.size	.L.str.6, 4
	.type	.L.str.7,@object
.L.str.7:
	.asciz	"sept"
	.size	.L.str.7, 5
	.type	.L.str.8,@object
.L.str.8:
	.asciz	"?"
	.size	.L.str.8, 2
	.type	.Lswitch.table.numbers,@object
	.section	.rodata,"a",@progbits
	.p2align	2, 0x0
.Lswitch.table.numbers:
	.word	17
	.word	3
	.word	99
	.word	4
	.word	1000
	.word	42
	.word	7
	.word	12
	.word	4294967291
	.size	.Lswitch.table.numbers, 36
	.type	.Lswitch.table.names,@object
	.p2align	3, 0x0
.Lswitch.table.names:
	.xword	.L.str
	.xword	.L.str.1
	.xword	.L.str.2
	.xword	.L.str.3
	.xword	.L.str.4
	.xword	.L.str.5
	.xword	.L.str.6
	.xword	.L.str.7
	.size	.Lswitch.table.names, 64
