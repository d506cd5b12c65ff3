// clang-19 -Os -fno-jump-tables: see tables.c
	.text
	.p2align	2
	.type	dense,@function
dense:
	cmp	w0, #11
	b.gt	.LBB0_7
	cmp	w0, #6
	b.le	.LBB0_13
	cmp	w0, #8
	b.le	.LBB0_27
	cmp	w0, #9
	b.eq	.LBB0_39
	cmp	w0, #10
	b.eq	.LBB0_37
	cmp	w0, #11
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee8
.LBB0_7:
	cmp	w0, #15
	b.le	.LBB0_17
	cmp	w0, #17
	b.le	.LBB0_30
	cmp	w0, #18
	b.eq	.LBB0_40
	cmp	w0, #19
	b.eq	.LBB0_38
	cmp	w0, #20
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee17
.LBB0_13:
	cmp	w0, #4
	b.gt	.LBB0_21
	cmp	w0, #3
	b.eq	.LBB0_33
	cmp	w0, #4
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee1
.LBB0_17:
	cmp	w0, #13
	b.gt	.LBB0_24
	cmp	w0, #12
	b.eq	.LBB0_34
	cmp	w0, #13
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee10
.LBB0_21:
	cmp	w0, #5
	b.eq	.LBB0_35
	cmp	w0, #6
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee3
.LBB0_24:
	cmp	w0, #14
	b.eq	.LBB0_36
	cmp	w0, #15
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee12
.LBB0_27:
	cmp	w0, #7
	b.eq	.LBB0_41
	cmp	w0, #8
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee5
.LBB0_30:
	cmp	w0, #16
	b.eq	.LBB0_42
	cmp	w0, #17
	b.ne	.LBB0_43
	mov	w0, w1
	b	callee14
.LBB0_33:
	mov	w0, w1
	b	callee0
.LBB0_34:
	mov	w0, w1
	b	callee9
.LBB0_35:
	mov	w0, w1
	b	callee2
.LBB0_36:
	mov	w0, w1
	b	callee11
.LBB0_37:
	mov	w0, w1
	b	callee7
.LBB0_38:
	mov	w0, w1
	b	callee16
.LBB0_39:
	mov	w0, w1
	b	callee6
.LBB0_40:
	mov	w0, w1
	b	callee15
.LBB0_41:
	mov	w0, w1
	b	callee4
.LBB0_42:
	mov	w0, w1
	b	callee13
.LBB0_43:
	ret
.Lfunc_end0:
	.size	dense, .Lfunc_end0-dense
	.p2align	2
	.type	with_asm,@function
with_asm:
	cmp	x0, #8
	b.gt	.LBB1_7
	cmp	x0, #3
	b.le	.LBB1_13
	cmp	x0, #5
	b.le	.LBB1_27
	cmp	x0, #6
	b.eq	.LBB1_39
	cmp	x0, #7
	b.eq	.LBB1_37
	cmp	x0, #8
	b.ne	.LBB1_43
	hint	#40
	ret
.LBB1_7:
	cmp	x0, #12
	b.le	.LBB1_17
	cmp	x0, #14
	b.le	.LBB1_30
	cmp	x0, #15
	b.eq	.LBB1_40
	cmp	x0, #16
	b.eq	.LBB1_38
	cmp	x0, #17
	b.ne	.LBB1_43
	hint	#49
	ret
.LBB1_13:
	cmp	x0, #1
	b.gt	.LBB1_21
	cbz	x0, .LBB1_33
	cmp	x0, #1
	b.ne	.LBB1_43
	hint	#33
	ret
.LBB1_17:
	cmp	x0, #10
	b.gt	.LBB1_24
	cmp	x0, #9
	b.eq	.LBB1_34
	cmp	x0, #10
	b.ne	.LBB1_43
	hint	#42
	ret
.LBB1_21:
	cmp	x0, #2
	b.eq	.LBB1_35
	cmp	x0, #3
	b.ne	.LBB1_43
	hint	#35
	ret
.LBB1_24:
	cmp	x0, #11
	b.eq	.LBB1_36
	cmp	x0, #12
	b.ne	.LBB1_43
	hint	#44
	ret
.LBB1_27:
	cmp	x0, #4
	b.eq	.LBB1_41
	cmp	x0, #5
	b.ne	.LBB1_43
	hint	#37
	ret
.LBB1_30:
	cmp	x0, #13
	b.eq	.LBB1_42
	cmp	x0, #14
	b.ne	.LBB1_43
	hint	#46
	ret
.LBB1_33:
	hint	#32
	ret
.LBB1_34:
	hint	#41
	ret
.LBB1_35:
	hint	#34
	ret
.LBB1_36:
	hint	#43
	ret
.LBB1_37:
	hint	#39
	ret
.LBB1_38:
	hint	#48
	ret
.LBB1_39:
	hint	#38
	ret
.LBB1_40:
	hint	#47
	ret
.LBB1_41:
	hint	#36
	ret
.LBB1_42:
	hint	#45
	ret
.LBB1_43:
	mov	w0, #1
	b	callee0
.Lfunc_end1:
	.size	with_asm, .Lfunc_end1-with_asm
	.p2align	2
	.type	in_loop,@function
in_loop:
	cbz	w1, .LBB2_47
	stp	x29, x30, [sp, #-48]!
	str	x21, [sp, #16]
	adrp	x21, cell
	mov	x29, sp
	stp	x20, x19, [sp, #32]
	mov	w19, w1
	mov	x20, x0
.LBB2_2:
	ldrb	w8, [x20], #1
	cmp	w8, #8
	b.gt	.LBB2_9
	cmp	w8, #3
	b.le	.LBB2_15
	cmp	w8, #5
	b.le	.LBB2_29
	cmp	w8, #6
	b.eq	.LBB2_35
	cmp	w8, #7
	b.eq	.LBB2_41
	cmp	w8, #8
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #8
	bl	callee8
	b	.LBB2_45
.LBB2_9:
	cmp	w8, #12
	b.le	.LBB2_19
	cmp	w8, #14
	b.le	.LBB2_32
	cmp	w8, #15
	b.eq	.LBB2_36
	cmp	w8, #16
	b.eq	.LBB2_42
	cmp	w8, #17
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #17
	bl	callee17
	b	.LBB2_45
.LBB2_15:
	cmp	w8, #1
	b.gt	.LBB2_23
	cbz	w8, .LBB2_37
	cmp	w8, #1
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #1
	bl	callee1
	b	.LBB2_45
.LBB2_19:
	cmp	w8, #10
	b.gt	.LBB2_26
	cmp	w8, #9
	b.eq	.LBB2_38
	cmp	w8, #10
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #10
	bl	callee10
	b	.LBB2_45
.LBB2_23:
	cmp	w8, #2
	b.eq	.LBB2_39
	cmp	w8, #3
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #3
	bl	callee3
	b	.LBB2_45
.LBB2_26:
	cmp	w8, #11
	b.eq	.LBB2_40
	cmp	w8, #12
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #12
	bl	callee12
	b	.LBB2_45
.LBB2_29:
	cmp	w8, #4
	b.eq	.LBB2_43
	cmp	w8, #5
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #5
	bl	callee5
	b	.LBB2_45
.LBB2_32:
	cmp	w8, #13
	b.eq	.LBB2_44
	cmp	w8, #14
	b.ne	.LBB2_46
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #14
	bl	callee14
	b	.LBB2_45
.LBB2_35:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #6
	bl	callee6
	b	.LBB2_45
.LBB2_36:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #15
	bl	callee15
	b	.LBB2_45
.LBB2_37:
	ldr	w0, [x21, :lo12:cell]
	bl	callee0
	b	.LBB2_45
.LBB2_38:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #9
	bl	callee9
	b	.LBB2_45
.LBB2_39:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #2
	bl	callee2
	b	.LBB2_45
.LBB2_40:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #11
	bl	callee11
	b	.LBB2_45
.LBB2_41:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #7
	bl	callee7
	b	.LBB2_45
.LBB2_42:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #16
	bl	callee16
	b	.LBB2_45
.LBB2_43:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #4
	bl	callee4
	b	.LBB2_45
.LBB2_44:
	ldr	w8, [x21, :lo12:cell]
	add	w0, w8, #13
	bl	callee13
.LBB2_45:
	sub	w19, w19, #1
	cbnz	w19, .LBB2_2
.LBB2_46:
	ldp	x20, x19, [sp, #32]
	ldr	x21, [sp, #16]
	ldp	x29, x30, [sp], #48
.LBB2_47:
	ret
.Lfunc_end2:
	.size	in_loop, .Lfunc_end2-in_loop
	.p2align	2
	.type	threaded,@function
threaded:
	mov	x8, x0
	adrp	x9, threaded.labels
	add	x9, x9, :lo12:threaded.labels
	ldrb	w10, [x8], #1
	mov	w0, wzr
	ldr	x11, [x9, x10, lsl #3]
	adrp	x10, cell
	br	x11
.Ltmp0:
.LBB3_1:
	ldr	w11, [x10, :lo12:cell]
	ldrb	w12, [x8], #1
	ldr	x12, [x9, x12, lsl #3]
	add	w0, w11, w0
	br	x12
.Ltmp1:
.LBB3_2:
	ldr	w11, [x10, :lo12:cell]
	ldrb	w12, [x8], #1
	ldr	x12, [x9, x12, lsl #3]
	sub	w0, w0, w11
	br	x12
.Ltmp2:
.LBB3_3:
	ldrb	w11, [x8], #1
	lsl	w0, w0, #1
	ldr	x11, [x9, x11, lsl #3]
	br	x11
.Ltmp3:
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
	adrp	x8, through_array.functions
	add	x8, x8, :lo12:through_array.functions
	mov	x29, sp
	ldr	x8, [x8, w0, uxtw #3]
	mov	w0, w1
	blr	x8
	adrp	x8, cell
	ldr	w0, [x8, :lo12:cell]
	ldp	x29, x30, [sp], #16
	ret
.Lfunc_end4:
	.size	through_array, .Lfunc_end4-through_array
	.p2align	2
	.type	tail_call,@function
tail_call:
	and	w8, w0, #0x3
	adrp	x9, tail_call.functions
	add	x9, x9, :lo12:tail_call.functions
	ldr	x2, [x9, w8, uxtw #3]
	mov	w0, w1
	br	x2
.Lfunc_end5:
	.size	tail_call, .Lfunc_end5-tail_call
	.p2align	2
	.type	numbers,@function
numbers:
	cmp	w0, #3
	b.le	.LBB6_6
	cmp	w0, #5
	b.le	.LBB6_13
	cmp	w0, #6
	b.eq	.LBB6_18
	cmp	w0, #7
	b.eq	.LBB6_20
	cmp	w0, #8
	b.ne	.LBB6_21
	mov	w0, #-5
	ret
.LBB6_6:
	cmp	w0, #1
	b.gt	.LBB6_10
	cbz	w0, .LBB6_16
	cmp	w0, #1
	b.ne	.LBB6_21
	mov	w0, #3
	ret
.LBB6_10:
	cmp	w0, #2
	b.eq	.LBB6_17
	cmp	w0, #3
	b.ne	.LBB6_21
	mov	w0, #4
	ret
.LBB6_13:
	cmp	w0, #4
	b.eq	.LBB6_19
	cmp	w0, #5
	b.ne	.LBB6_21
	mov	w0, #42
	ret
.LBB6_16:
	mov	w0, #17
	ret
.LBB6_17:
	mov	w0, #99
	ret
.LBB6_18:
	mov	w0, #7
	ret
.LBB6_19:
	mov	w0, #1000
	ret
.LBB6_20:
	mov	w0, #12
	ret
.LBB6_21:
	mov	w0, wzr
	ret
.Lfunc_end6:
	.size	numbers, .Lfunc_end6-numbers
	.p2align	2
	.type	names,@function
names:
	cmp	w0, #3
	b.gt	.LBB7_5
	cmp	w0, #1
	b.gt	.LBB7_9
	cbz	w0, .LBB7_15
	cmp	w0, #1
	b.ne	.LBB7_19
	adrp	x0, .L.str.1
	add	x0, x0, :lo12:.L.str.1
	ret
.LBB7_5:
	cmp	w0, #5
	b.gt	.LBB7_12
	cmp	w0, #4
	b.eq	.LBB7_16
	cmp	w0, #5
	b.ne	.LBB7_19
	adrp	x0, .L.str.5
	add	x0, x0, :lo12:.L.str.5
	ret
.LBB7_9:
	cmp	w0, #2
	b.eq	.LBB7_17
	cmp	w0, #3
	b.ne	.LBB7_19
	adrp	x0, .L.str.3
	add	x0, x0, :lo12:.L.str.3
	ret
.LBB7_12:
	cmp	w0, #6
	b.eq	.LBB7_18
	cmp	w0, #7
	b.ne	.LBB7_19
	adrp	x0, .L.str.7
	add	x0, x0, :lo12:.L.str.7
	ret
.LBB7_15:
	adrp	x0, .L.str
	add	x0, x0, :lo12:.L.str
	ret
.LBB7_16:
	adrp	x0, .L.str.4
	add	x0, x0, :lo12:.L.str.4
	ret
.LBB7_17:
	adrp	x0, .L.str.2
	add	x0, x0, :lo12:.L.str.2
	ret
.LBB7_18:
	adrp	x0, .L.str.6
	add	x0, x0, :lo12:.L.str.6
	ret
.LBB7_19:
	adrp	x0, .L.str.8
	add	x0, x0, :lo12:.L.str.8
	ret
.Lfunc_end7:
	.size	names, .Lfunc_end7-names
	.type	threaded.labels,@object
	.section	.rodata,"a",@progbits
	.p2align	3, 0x0
threaded.labels:
	.xword	.Ltmp3
	.xword	.Ltmp0
	.xword	.Ltmp1
	.xword	.Ltmp2
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
