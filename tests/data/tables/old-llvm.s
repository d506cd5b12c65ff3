// Written by hand: what LLVM up to 7 made of a switch, and forms that the compilers at hand do not choose here.
	.text
	.type	absolute, %function
absolute:                               // static: addresses
	cmp	w0, #4
	b.hi	.Ldefault0
	mov	w8, w0
	adrp	x9, .Ltable0
	mov	w0, w1
	add	x9, x9, :lo12:.Ltable0
	ldr	x8, [x9, x8, lsl #3]
	mov	w2, #1
	br	x8
.Lcase00:
	mov	w0, #32
	ret
.Lcase01:
	mov	w0, #36
	ret
.Lcase02:
	mov	w0, #40
	ret
.Ldefault0:
	brk	#1
	.size	absolute, .-absolute
	.section	.rodata,"a",%progbits
	.p2align	3
.Ltable0:
	.xword	.Lcase00
	.xword	.Lcase01
	.xword	.Lcase01
	.xword	.Ldefault0
	.xword	.Lcase02

	.text
	.type	relative, %function
relative:                               // -fpie: distances from the table
	sub	w8, w0, #7
	cmp	w8, #3
	b.hi	.Ldefault1
	adrp	x9, .Ltable1
	add	x9, x9, :lo12:.Ltable1
	ldrsw	x8, [x9, w8, uxtw #2]
	add	x8, x8, x9
	br	x8
.Lcase10:
	mov	w0, #1
	ret
.Lcase11:
	mov	w0, #2
	ret
.Ldefault1:
	mov	w0, #3
	ret
	.size	relative, .-relative
	.section	.rodata,"a",%progbits
	.p2align	2
.Ltable1:
	.word	.Lcase10-.Ltable1
	.word	.Lcase11-.Ltable1
	.word	.Ldefault1-.Ltable1
	.word	.Lcase10-.Ltable1

	.text
	.type	gcc_word, %function
gcc_word:                               // GCC, cases too far apart for sixteen bits
	cmp	w0, #2
	b.hi	.Ldefault2
	adrp	x1, .Ltable2
	add	x1, x1, :lo12:.Ltable2
	ldr	w1, [x1, w0, uxtw #2]
	adr	x2, .Lbase2
	add	x1, x2, w1, sxtw #2
	br	x1
.Lbase2:
	mov	w0, #7
	ret
.Lcase21:
	mov	w0, #8
	ret
	.space	150000
.Lcase22:
	mov	w0, #9
.Ldefault2:
	ret
	.size	gcc_word, .-gcc_word
	.section	.rodata,"a",%progbits
	.p2align	2
.Ltable2:
	.word	(.Lcase22 - .Lbase2) / 4
	.word	(.Lcase21 - .Lbase2) / 4
	.word	(.Lbase2 - .Lbase2) / 4

	.text
	.type	far_before, %function
far_before:                             // the address is formed before a loop, and lies on the stack across a call
	stp	x29, x30, [sp, #-48]!
	mov	x29, sp
	stp	x19, x20, [sp, #16]
	mov	x19, x0
	adrp	x1, .Ltable3
	add	x1, x1, :lo12:.Ltable3
	str	x1, [sp, #32]
	adr	x20, .Lbase3
.Lloop3:
	ldrb	w0, [x19], #1
	bl	helper
	cmp	w0, #3
	b.eq	.Lout3
	b.hi	.Lloop3
	ldr	x1, [sp, #32]
	ldrh	w1, [x1, w0, uxtw #1]
	add	x1, x20, w1, sxth #2
	br	x1
.Lbase3:
	bl	helper
	b	.Lloop3
.Lcase31:
	cbz	w0, .Lloop3
.Lout3:
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #48
	ret
	.size	far_before, .-far_before
	.section	.rodata,"a",%progbits
	.p2align	2
.Ltable3:
	.hword	(.Lbase3 - .Lbase3) / 4
	.hword	(.Lcase31 - .Lbase3) / 4
	.hword	(.Lout3 - .Lbase3) / 4
	.hword	(.Lout3 - .Lbase3) / 4

	.text
	.type	masked, %function
masked:                                 // the width of the index bounds it; the sum is made by an ADD
	and	x3, x0, #3
	adrp	x4, .Ltable4
	add	x4, x4, :lo12:.Ltable4
	add	x3, x4, x3, lsl #3
	ldr	x3, [x3]
	br	x3
.Lcase40:
	mov	w0, #1
	ret
.Lcase41:
	mov	w0, #2
	ret
	.size	masked, .-masked
	.section	.rodata,"a",%progbits
	.p2align	3
.Ltable4:
	.xword	.Lcase40
	.xword	.Lcase41
	.xword	.Lcase41
	.xword	.Lcase40

	.text
	.type	helper, %function
helper:
	ret
	.size	helper, .-helper
