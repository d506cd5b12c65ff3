// gcc-12 -Os -fno-jump-tables: see tables.c
	.text
	.align	2
	.type	dense, %function
dense:
.LFB0:
	mov	w2, w0
	mov	w0, w1
	cmp	w2, 12
	beq	.L2
	bhi	.L3
	cmp	w2, 7
	beq	.L4
	bhi	.L5
	cmp	w2, 5
	beq	.L6
	cmp	w2, 6
	beq	.L7
	cmp	w2, 3
	beq	.L8
	cmp	w2, 4
	beq	.L9
.L1:
	ret
.L5:
	cmp	w2, 10
	beq	.L11
	cmp	w2, 11
	beq	.L12
	cmp	w2, 8
	bne	.L24
	b	callee5
.L3:
	cmp	w2, 17
	beq	.L15
	bhi	.L16
	cmp	w2, 15
	beq	.L17
	cmp	w2, 16
	beq	.L18
	cmp	w2, 13
	bne	.L25
	b	callee10
.L16:
	cmp	w2, 19
	beq	.L21
	cmp	w2, 20
	beq	.L22
	cmp	w2, 18
	bne	.L1
	b	callee15
.L8:
	b	callee0
.L9:
	b	callee1
.L6:
	b	callee2
.L7:
	b	callee3
.L4:
	b	callee4
.L24:
	b	callee6
.L11:
	b	callee7
.L12:
	b	callee8
.L2:
	b	callee9
.L25:
	b	callee11
.L17:
	b	callee12
.L18:
	b	callee13
.L15:
	b	callee14
.L21:
	b	callee16
.L22:
	b	callee17
.LFE0:
	.size	dense, .-dense
	.align	2
	.type	with_asm, %function
with_asm:
.LFB1:
	cmp	x0, 9
	beq	.L27
	bhi	.L28
	cmp	x0, 4
	beq	.L29
	bhi	.L30
	cmp	x0, 2
	beq	.L31
	cmp	x0, 3
	beq	.L32
	cbnz	x0, .L50
	hint 32
.L26:
	ret
.L30:
	cmp	x0, 7
	beq	.L35
	cmp	x0, 8
	beq	.L36
	cmp	x0, 5
	bne	.L51
	hint 37
	b	.L26
.L28:
	cmp	x0, 14
	beq	.L39
	bhi	.L40
	cmp	x0, 12
	beq	.L41
	cmp	x0, 13
	beq	.L42
	cmp	x0, 10
	bne	.L52
	hint 42
	b	.L26
.L40:
	cmp	x0, 16
	beq	.L45
	cmp	x0, 17
	beq	.L46
	cmp	x0, 15
	beq	.L47
	mov	w0, 1
	b	callee0
.L50:
	hint 33
	b	.L26
.L31:
	hint 34
	b	.L26
.L32:
	hint 35
	b	.L26
.L29:
	hint 36
	b	.L26
.L51:
	hint 38
	b	.L26
.L35:
	hint 39
	b	.L26
.L36:
	hint 40
	b	.L26
.L27:
	hint 41
	b	.L26
.L52:
	hint 43
	b	.L26
.L41:
	hint 44
	b	.L26
.L42:
	hint 45
	b	.L26
.L39:
	hint 46
	b	.L26
.L47:
	hint 47
	b	.L26
.L45:
	hint 48
	b	.L26
.L46:
	hint 49
	b	.L26
.LFE1:
	.size	with_asm, .-with_asm
	.align	2
	.type	in_loop, %function
in_loop:
.LFB2:
	stp	x29, x30, [sp, -48]!
	mov	x29, sp
	stp	x19, x20, [sp, 16]
	adrp	x19, cell
	add	x19, x19, :lo12:cell
	stp	x21, x22, [sp, 32]
	mov	x22, x0
	uxtw	x21, w1
	mov	x20, 0
.L55:
	cmp	x20, x21
	beq	.L54
	ldrb	w2, [x22, x20]
	cmp	w2, 9
	beq	.L56
	bhi	.L57
	cmp	w2, 4
	beq	.L58
	bhi	.L59
	cmp	w2, 2
	beq	.L60
	cmp	w2, 3
	beq	.L61
	cbnz	w2, .L80
	ldr	w0, [x19]
	bl	callee0
.L78:
	add	x20, x20, 1
	b	.L55
.L59:
	cmp	w2, 7
	beq	.L64
	cmp	w2, 8
	beq	.L65
	cmp	w2, 5
	bne	.L81
	ldr	w0, [x19]
	add	w0, w0, 5
	bl	callee5
	b	.L78
.L57:
	cmp	w2, 14
	beq	.L68
	bhi	.L69
	cmp	w2, 12
	beq	.L70
	cmp	w2, 13
	beq	.L71
	cmp	w2, 10
	bne	.L82
	ldr	w0, [x19]
	add	w0, w0, 10
	bl	callee10
	b	.L78
.L69:
	cmp	w2, 16
	beq	.L74
	cmp	w2, 17
	beq	.L75
	cmp	w2, 15
	beq	.L76
.L54:
	ldp	x19, x20, [sp, 16]
	ldp	x21, x22, [sp, 32]
	ldp	x29, x30, [sp], 48
	ret
.L80:
	ldr	w0, [x19]
	add	w0, w0, 1
	bl	callee1
	b	.L78
.L60:
	ldr	w0, [x19]
	add	w0, w0, 2
	bl	callee2
	b	.L78
.L61:
	ldr	w0, [x19]
	add	w0, w0, 3
	bl	callee3
	b	.L78
.L58:
	ldr	w0, [x19]
	add	w0, w0, 4
	bl	callee4
	b	.L78
.L81:
	ldr	w0, [x19]
	add	w0, w0, 6
	bl	callee6
	b	.L78
.L64:
	ldr	w0, [x19]
	add	w0, w0, 7
	bl	callee7
	b	.L78
.L65:
	ldr	w0, [x19]
	add	w0, w0, 8
	bl	callee8
	b	.L78
.L56:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 9
	bl	callee9
	b	.L78
.L82:
	ldr	w0, [x19]
	add	w0, w0, 11
	bl	callee11
	b	.L78
.L70:
	ldr	w0, [x19]
	add	w0, w0, 12
	bl	callee12
	b	.L78
.L71:
	ldr	w0, [x19]
	add	w0, w0, 13
	bl	callee13
	b	.L78
.L68:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 14
	bl	callee14
	b	.L78
.L76:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 15
	bl	callee15
	b	.L78
.L74:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 16
	bl	callee16
	b	.L78
.L75:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 17
	bl	callee17
	b	.L78
.LFE2:
	.size	in_loop, .-in_loop
	.align	2
	.type	threaded, %function
threaded:
.LFB3:
	mov	x1, x0
	adrp	x2, .LANCHOR0
	add	x2, x2, :lo12:.LANCHOR0
	adrp	x4, cell
	add	x4, x4, :lo12:cell
	ldrb	w0, [x1], 2
	ldr	x3, [x2, x0, lsl 3]
	mov	w0, 0
.L85:
	br	x3
.L86:
	ldr	w3, [x4]
	add	w0, w0, w3
.L91:
	ldrb	w3, [x1, -1]
	add	x1, x1, 1
	ldr	x3, [x2, x3, lsl 3]
	b	.L85
.L87:
	ldr	w3, [x4]
	sub	w0, w0, w3
	b	.L91
.L89:
	lsl	w0, w0, 1
	b	.L91
.L90:
	ret
.LFE3:
	.size	threaded, .-threaded
	.align	2
	.type	through_array, %function
through_array:
.LFB4:
	mov	w3, w0
	cmp	w0, 3
	bhi	.L94
	adrp	x2, .LANCHOR0
	add	x2, x2, :lo12:.LANCHOR0
	add	x2, x2, 32
	stp	x29, x30, [sp, -16]!
	mov	w0, w1
	mov	x29, sp
	ldr	x1, [x2, w3, uxtw 3]
	blr	x1
	adrp	x0, cell
	ldp	x29, x30, [sp], 16
	ldr	w0, [x0, #:lo12:cell]
	ret
.L94:
	mov	w0, -1
	ret
.LFE4:
	.size	through_array, .-through_array
	.align	2
	.type	tail_call, %function
tail_call:
.LFB5:
	adrp	x2, .LANCHOR0
	add	x2, x2, :lo12:.LANCHOR0
	and	x3, x0, 3
	add	x2, x2, 64
	mov	w0, w1
	ldr	x2, [x2, x3, lsl 3]
	mov	x16, x2
	br	x16
.LFE5:
	.size	tail_call, .-tail_call
	.align	2
	.type	numbers, %function
numbers:
.LFB6:
	cmp	w0, 8
	bhi	.L102
	adrp	x1, .LANCHOR0
	add	x1, x1, :lo12:.LANCHOR0
	add	x1, x1, 96
	ldrsh	w0, [x1, w0, uxtw 1]
.L100:
	ret
.L102:
	mov	w0, 0
	b	.L100
.LFE6:
	.size	numbers, .-numbers
	.section	.rodata.str1.1,"aMS",@progbits,1
.LC0:
	.string	"?"
	.text
	.align	2
	.type	names, %function
names:
.LFB7:
	cmp	w0, 7
	bhi	.L105
	adrp	x1, .LANCHOR0
	add	x1, x1, :lo12:.LANCHOR0
	add	x1, x1, 120
	ldr	x0, [x1, w0, uxtw 3]
.L103:
	ret
.L105:
	adrp	x0, .LC0
	add	x0, x0, :lo12:.LC0
	b	.L103
.LFE7:
	.size	names, .-names
	.section	.rodata.str1.1
.LC1:
	.string	"zero"
.LC2:
	.string	"un"
.LC3:
	.string	"deux"
.LC4:
	.string	"trois"
.LC5:
	.string	"quatre"
.LC6:
	.string	"cinq"
.LC7:
	.string	"six"
.LC8:
	.string	"sept"
	.section	.rodata
	.align	3
	.set	.LANCHOR0,. + 0
	.type	labels.2, %object
	.size	labels.2, 32
labels.2:
	.xword	.L90
	.xword	.L86
	.xword	.L87
	.xword	.L89
	.type	functions.1, %object
	.size	functions.1, 32
functions.1:
	.xword	callee0
	.xword	callee5
	.xword	callee2
	.xword	callee9
	.type	functions.0, %object
	.size	functions.0, 32
functions.0:
	.xword	callee1
	.xword	callee4
	.xword	callee3
	.xword	callee8
	.type	CSWTCH.34, %object
	.size	CSWTCH.34, 18
CSWTCH.34:
	.hword	17
	.hword	3
	.hword	99
	.hword	4
	.hword	1000
	.hword	42
	.hword	7
	.hword	12
	.hword	-5
	.zero	6
	.type	CSWTCH.36, %object
	.size	CSWTCH.36, 64
CSWTCH.36:
	.xword	.LC1
	.xword	.LC2
	.xword	.LC3
	.xword	.LC4
	.xword	.LC5
	.xword	.LC6
	.xword	.LC7
	.xword	.LC8
