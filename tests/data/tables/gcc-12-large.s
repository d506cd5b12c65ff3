// gcc-12 -Os -mcmodel=large: see tables.c
	.text
	.align	2
	.type	dense, %function
dense:
.LFB0:
	mov	w2, w0
	mov	w0, w1
	sub	w1, w2, #3
	cmp	w1, 17
	bhi	.L1
	adrp	x2, .LC0
	ldr	x2, [x2, #:lo12:.LC0]
	ldrb	w2, [x2,w1,uxtw]
	adr	x1, .Lrtx4
	add	x2, x1, w2, sxtb #2
	br	x2
.Lrtx4:
	.section	.rodata
	.align	0
	.align	2
.L4:
	.byte	(.L21 - .Lrtx4) / 4
	.byte	(.L20 - .Lrtx4) / 4
	.byte	(.L19 - .Lrtx4) / 4
	.byte	(.L18 - .Lrtx4) / 4
	.byte	(.L17 - .Lrtx4) / 4
	.byte	(.L16 - .Lrtx4) / 4
	.byte	(.L15 - .Lrtx4) / 4
	.byte	(.L14 - .Lrtx4) / 4
	.byte	(.L13 - .Lrtx4) / 4
	.byte	(.L12 - .Lrtx4) / 4
	.byte	(.L11 - .Lrtx4) / 4
	.byte	(.L10 - .Lrtx4) / 4
	.byte	(.L9 - .Lrtx4) / 4
	.byte	(.L8 - .Lrtx4) / 4
	.byte	(.L7 - .Lrtx4) / 4
	.byte	(.L6 - .Lrtx4) / 4
	.byte	(.L5 - .Lrtx4) / 4
	.byte	(.L3 - .Lrtx4) / 4
	.text
.L21:
	b	callee0
.L20:
	b	callee1
.L19:
	b	callee2
.L18:
	b	callee3
.L17:
	b	callee4
.L16:
	b	callee5
.L15:
	b	callee6
.L14:
	b	callee7
.L13:
	b	callee8
.L12:
	b	callee9
.L11:
	b	callee10
.L10:
	b	callee11
.L9:
	b	callee12
.L8:
	b	callee13
.L7:
	b	callee14
.L6:
	b	callee15
.L5:
	b	callee16
.L3:
	b	callee17
.L1:
	ret
.LFE0:
	.size	dense, .-dense
	.align	3
.LC0:
	.xword	.L4
	.align	2
	.type	with_asm, %function
with_asm:
.LFB1:
	cmp	x0, 17
	bhi	.L23
	cmp	w0, 17
	bhi	.L23
	adrp	x1, .LC1
	ldr	x1, [x1, #:lo12:.LC1]
	ldrb	w1, [x1,w0,uxtw]
	adr	x0, .Lrtx25
	add	x1, x0, w1, sxtb #2
	br	x1
.Lrtx25:
	.section	.rodata
	.align	0
	.align	2
.L25:
	.byte	(.L42 - .Lrtx25) / 4
	.byte	(.L41 - .Lrtx25) / 4
	.byte	(.L40 - .Lrtx25) / 4
	.byte	(.L39 - .Lrtx25) / 4
	.byte	(.L38 - .Lrtx25) / 4
	.byte	(.L37 - .Lrtx25) / 4
	.byte	(.L36 - .Lrtx25) / 4
	.byte	(.L35 - .Lrtx25) / 4
	.byte	(.L34 - .Lrtx25) / 4
	.byte	(.L33 - .Lrtx25) / 4
	.byte	(.L32 - .Lrtx25) / 4
	.byte	(.L31 - .Lrtx25) / 4
	.byte	(.L30 - .Lrtx25) / 4
	.byte	(.L29 - .Lrtx25) / 4
	.byte	(.L28 - .Lrtx25) / 4
	.byte	(.L27 - .Lrtx25) / 4
	.byte	(.L26 - .Lrtx25) / 4
	.byte	(.L24 - .Lrtx25) / 4
	.text
.L42:
	hint 32
.L22:
	ret
.L41:
	hint 33
	b	.L22
.L40:
	hint 34
	b	.L22
.L39:
	hint 35
	b	.L22
.L38:
	hint 36
	b	.L22
.L37:
	hint 37
	b	.L22
.L36:
	hint 38
	b	.L22
.L35:
	hint 39
	b	.L22
.L34:
	hint 40
	b	.L22
.L33:
	hint 41
	b	.L22
.L32:
	hint 42
	b	.L22
.L31:
	hint 43
	b	.L22
.L30:
	hint 44
	b	.L22
.L29:
	hint 45
	b	.L22
.L28:
	hint 46
	b	.L22
.L27:
	hint 47
	b	.L22
.L26:
	hint 48
	b	.L22
.L24:
	hint 49
	b	.L22
.L23:
	mov	w0, 1
	b	callee0
.LFE1:
	.size	with_asm, .-with_asm
	.align	3
.LC1:
	.xword	.L25
	.align	2
	.type	in_loop, %function
in_loop:
.LFB2:
	stp	x29, x30, [sp, -64]!
	mov	x29, sp
	stp	x19, x20, [sp, 16]
	uxtw	x20, w1
	mov	x19, 0
	stp	x21, x22, [sp, 32]
	mov	x21, x0
	adrp	x22, .LC2
	str	x23, [sp, 48]
	adrp	x23, .LC3
.L45:
	cmp	x19, x20
	bne	.L67
.L44:
	ldp	x19, x20, [sp, 16]
	ldp	x21, x22, [sp, 32]
	ldr	x23, [sp, 48]
	ldp	x29, x30, [sp], 64
	ret
.L67:
	ldrb	w0, [x21, x19]
	cmp	w0, 17
	bhi	.L44
	ldr	x1, [x22, #:lo12:.LC2]
	ldr	x2, [x23, #:lo12:.LC3]
	ldrb	w1, [x1,w0,uxtw]
	adr	x0, .Lrtx48
	add	x1, x0, w1, sxtb #2
	br	x1
.Lrtx48:
	.section	.rodata
	.align	0
	.align	2
.L48:
	.byte	(.L65 - .Lrtx48) / 4
	.byte	(.L64 - .Lrtx48) / 4
	.byte	(.L63 - .Lrtx48) / 4
	.byte	(.L62 - .Lrtx48) / 4
	.byte	(.L61 - .Lrtx48) / 4
	.byte	(.L60 - .Lrtx48) / 4
	.byte	(.L59 - .Lrtx48) / 4
	.byte	(.L58 - .Lrtx48) / 4
	.byte	(.L57 - .Lrtx48) / 4
	.byte	(.L56 - .Lrtx48) / 4
	.byte	(.L55 - .Lrtx48) / 4
	.byte	(.L54 - .Lrtx48) / 4
	.byte	(.L53 - .Lrtx48) / 4
	.byte	(.L52 - .Lrtx48) / 4
	.byte	(.L51 - .Lrtx48) / 4
	.byte	(.L50 - .Lrtx48) / 4
	.byte	(.L49 - .Lrtx48) / 4
	.byte	(.L47 - .Lrtx48) / 4
	.text
.L65:
	ldr	w0, [x2]
	bl	callee0
.L66:
	add	x19, x19, 1
	b	.L45
.L64:
	ldr	w0, [x2]
	add	w0, w0, 1
	bl	callee1
	b	.L66
.L63:
	ldr	w0, [x2]
	add	w0, w0, 2
	bl	callee2
	b	.L66
.L62:
	ldr	w0, [x2]
	add	w0, w0, 3
	bl	callee3
	b	.L66
.L61:
	ldr	w0, [x2]
	add	w0, w0, 4
	bl	callee4
	b	.L66
.L60:
	ldr	w0, [x2]
	add	w0, w0, 5
	bl	callee5
	b	.L66
.L59:
	ldr	w0, [x2]
	add	w0, w0, 6
	bl	callee6
	b	.L66
.L58:
	ldr	w0, [x2]
	add	w0, w0, 7
	bl	callee7
	b	.L66
.L57:
	ldr	w0, [x2]
	add	w0, w0, 8
	bl	callee8
	b	.L66
.L56:
	ldr	w0, [x2]
	add	w0, w0, 9
	bl	callee9
	b	.L66
.L55:
	ldr	w0, [x2]
	add	w0, w0, 10
	bl	callee10
	b	.L66
.L54:
	ldr	w0, [x2]
	add	w0, w0, 11
	bl	callee11
	b	.L66
.L53:
	ldr	w0, [x2]
	add	w0, w0, 12
	bl	callee12
	b	.L66
.L52:
	ldr	w0, [x2]
	add	w0, w0, 13
	bl	callee13
	b	.L66
.L51:
	ldr	w0, [x2]
	add	w0, w0, 14
	bl	callee14
	b	.L66
.L50:
	ldr	w0, [x2]
	add	w0, w0, 15
	bl	callee15
	b	.L66
.L49:
	ldr	w0, [x2]
	add	w0, w0, 16
	bl	callee16
	b	.L66
.L47:
	ldr	w0, [x2]
	add	w0, w0, 17
	bl	callee17
	b	.L66
.LFE2:
	.size	in_loop, .-in_loop
	.align	3
.LC2:
	.xword	.L48
	.align	3
.LC3:
	.xword	cell
	.align	2
	.type	threaded, %function
threaded:
.LFB3:
	adrp	x1, .LC4
	adrp	x4, .LC5
	ldr	x3, [x1, #:lo12:.LC4]
	mov	x1, x0
	ldrb	w0, [x1], 2
	ldr	x2, [x3, x0, lsl 3]
	mov	w0, 0
.L70:
	br	x2
.L71:
	ldr	x2, [x4, #:lo12:.LC5]
	ldr	w2, [x2]
	add	w0, w0, w2
.L76:
	ldrb	w2, [x1, -1]
	add	x1, x1, 1
	ldr	x2, [x3, x2, lsl 3]
	b	.L70
.L72:
	ldr	x2, [x4, #:lo12:.LC5]
	ldr	w2, [x2]
	sub	w0, w0, w2
	b	.L76
.L74:
	lsl	w0, w0, 1
	b	.L76
.L75:
	ret
.LFE3:
	.size	threaded, .-threaded
	.align	3
.LC4:
	.xword	.LANCHOR0
	.align	3
.LC5:
	.xword	cell
	.align	2
	.type	through_array, %function
through_array:
.LFB4:
	mov	w2, w0
	cmp	w0, 3
	bhi	.L79
	stp	x29, x30, [sp, -16]!
	mov	w0, w1
	adrp	x1, .LC6
	mov	x29, sp
	ldr	x1, [x1, #:lo12:.LC6]
	add	x1, x1, 32
	ldr	x1, [x1, w2, uxtw 3]
	blr	x1
	adrp	x0, .LC7
	ldp	x29, x30, [sp], 16
	ldr	x0, [x0, #:lo12:.LC7]
	ldr	w0, [x0]
	ret
.L79:
	mov	w0, -1
	ret
.LFE4:
	.size	through_array, .-through_array
	.align	3
.LC6:
	.xword	.LANCHOR0
	.align	3
.LC7:
	.xword	cell
	.align	2
	.type	tail_call, %function
tail_call:
.LFB5:
	adrp	x2, .LC9
	and	x3, x0, 3
	mov	w0, w1
	ldr	x2, [x2, #:lo12:.LC9]
	add	x2, x2, 64
	ldr	x2, [x2, x3, lsl 3]
	mov	x16, x2
	br	x16
.LFE5:
	.size	tail_call, .-tail_call
	.align	3
.LC9:
	.xword	.LANCHOR0
	.align	2
	.type	numbers, %function
numbers:
.LFB6:
	cmp	w0, 8
	bhi	.L87
	adrp	x1, .LC11
	ldr	x1, [x1, #:lo12:.LC11]
	add	x1, x1, 96
	ldrsh	w0, [x1, w0, uxtw 1]
.L85:
	ret
.L87:
	mov	w0, 0
	b	.L85
.LFE6:
	.size	numbers, .-numbers
	.align	3
.LC11:
	.xword	.LANCHOR0
	.section	.rodata.str1.1,"aMS",@progbits,1
.LC13:
	.string	"?"
	.text
	.align	2
	.type	names, %function
names:
.LFB7:
	cmp	w0, 7
	bhi	.L90
	adrp	x1, .LC15
	ldr	x1, [x1, #:lo12:.LC15]
	add	x1, x1, 120
	ldr	x0, [x1, w0, uxtw 3]
.L88:
	ret
.L90:
	adrp	x0, .LC14
	ldr	x0, [x0, #:lo12:.LC14]
	b	.L88
.LFE7:
	.size	names, .-names
	.align	3
.LC14:
	.xword	.LC13
	.align	3
.LC15:
	.xword	.LANCHOR0
	.section	.rodata.str1.1
.LC17:
	.string	"zero"
.LC18:
	.string	"un"
.LC19:
	.string	"deux"
.LC20:
	.string	"trois"
.LC21:
	.string	"quatre"
.LC22:
	.string	"cinq"
.LC23:
	.string	"six"
.LC24:
	.string	"sept"
	.section	.rodata
	.align	3
	.set	.LANCHOR0,. + 0
	.type	labels.2, %object
	.size	labels.2, 32
labels.2:
	.xword	.L75
	.xword	.L71
	.xword	.L72
	.xword	.L74
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
	.xword	.LC17
	.xword	.LC18
	.xword	.LC19
	.xword	.LC20
	.xword	.LC21
	.xword	.LC22
	.xword	.LC23
	.xword	.LC24
