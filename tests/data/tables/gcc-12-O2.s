// gcc-12 -O2 -DFAR_APART: see tables.c
	.text
	.align	2
	.type	dense, %function
dense:
.LFB0:
	sub	w2, w0, #3
	mov	w0, w1
	cmp	w2, 17
	bls	.L23
	ret
	.p2align 2,,3
.L23:
	adrp	x1, .L4
	add	x1, x1, :lo12:.L4
	ldrb	w1, [x1,w2,uxtw]
	adr	x2, .Lrtx4
	add	x1, x2, w1, sxtb #2
	br	x1
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
	.p2align 2,,3
.L5:
	b	callee16
	.p2align 2,,3
.L3:
	b	callee17
	.p2align 2,,3
.L21:
	b	callee0
	.p2align 2,,3
.L20:
	b	callee1
	.p2align 2,,3
.L19:
	b	callee2
	.p2align 2,,3
.L18:
	b	callee3
	.p2align 2,,3
.L17:
	b	callee4
	.p2align 2,,3
.L16:
	b	callee5
	.p2align 2,,3
.L15:
	b	callee6
	.p2align 2,,3
.L14:
	b	callee7
	.p2align 2,,3
.L13:
	b	callee8
	.p2align 2,,3
.L12:
	b	callee9
	.p2align 2,,3
.L11:
	b	callee10
	.p2align 2,,3
.L10:
	b	callee11
	.p2align 2,,3
.L9:
	b	callee12
	.p2align 2,,3
.L8:
	b	callee13
	.p2align 2,,3
.L7:
	b	callee14
	.p2align 2,,3
.L6:
	b	callee15
.LFE0:
	.size	dense, .-dense
	.align	2
	.type	with_asm, %function
with_asm:
.LFB1:
	cmp	x0, 17
	bhi	.L25
	cmp	w0, 17
	bls	.L46
.L25:
	mov	w0, 1
	b	callee0
	.p2align 2,,3
.L46:
	adrp	x1, .L27
	add	x1, x1, :lo12:.L27
	ldrb	w1, [x1,w0,uxtw]
	adr	x0, .Lrtx27
	add	x1, x0, w1, sxtb #2
	br	x1
.Lrtx27:
	.section	.rodata
	.align	0
	.align	2
.L27:
	.byte	(.L44 - .Lrtx27) / 4
	.byte	(.L43 - .Lrtx27) / 4
	.byte	(.L42 - .Lrtx27) / 4
	.byte	(.L41 - .Lrtx27) / 4
	.byte	(.L40 - .Lrtx27) / 4
	.byte	(.L39 - .Lrtx27) / 4
	.byte	(.L38 - .Lrtx27) / 4
	.byte	(.L37 - .Lrtx27) / 4
	.byte	(.L36 - .Lrtx27) / 4
	.byte	(.L35 - .Lrtx27) / 4
	.byte	(.L34 - .Lrtx27) / 4
	.byte	(.L33 - .Lrtx27) / 4
	.byte	(.L32 - .Lrtx27) / 4
	.byte	(.L31 - .Lrtx27) / 4
	.byte	(.L30 - .Lrtx27) / 4
	.byte	(.L29 - .Lrtx27) / 4
	.byte	(.L28 - .Lrtx27) / 4
	.byte	(.L26 - .Lrtx27) / 4
	.text
	.p2align 2,,3
.L28:
	hint 48
	ret
	.p2align 2,,3
.L26:
	hint 49
	ret
	.p2align 2,,3
.L44:
	hint 32
	ret
	.p2align 2,,3
.L43:
	hint 33
	ret
	.p2align 2,,3
.L42:
	hint 34
	ret
	.p2align 2,,3
.L41:
	hint 35
	ret
	.p2align 2,,3
.L40:
	hint 36
	ret
	.p2align 2,,3
.L39:
	hint 37
	ret
	.p2align 2,,3
.L38:
	hint 38
	ret
	.p2align 2,,3
.L37:
	hint 39
	ret
	.p2align 2,,3
.L36:
	hint 40
	ret
	.p2align 2,,3
.L35:
	hint 41
	ret
	.p2align 2,,3
.L34:
	hint 42
	ret
	.p2align 2,,3
.L33:
	hint 43
	ret
	.p2align 2,,3
.L32:
	hint 44
	ret
	.p2align 2,,3
.L31:
	hint 45
	ret
	.p2align 2,,3
.L30:
	hint 46
	ret
	.p2align 2,,3
.L29:
	hint 47
	ret
.LFE1:
	.size	with_asm, .-with_asm
	.align	2
	.type	in_loop, %function
in_loop:
.LFB2:
	cbz	w1, .L76
	stp	x29, x30, [sp, -48]!
	mov	x29, sp
	stp	x19, x20, [sp, 16]
	mov	x19, x0
	add	x20, x0, w1, uxtw
	str	x21, [sp, 32]
	adrp	x21, .L51
	add	x21, x21, :lo12:.L51
	.p2align 3,,7
.L70:
	ldrb	w0, [x19], 1
	cmp	w0, 17
	bls	.L79
	ldp	x19, x20, [sp, 16]
	ldr	x21, [sp, 32]
	ldp	x29, x30, [sp], 48
	ret
	.p2align 2,,3
.L79:
	ldrb	w0, [x21,w0,uxtw]
	adr	x1, .Lrtx51
	add	x0, x1, w0, sxtb #2
	br	x0
.Lrtx51:
	.section	.rodata
	.align	0
	.align	2
.L51:
	.byte	(.L68 - .Lrtx51) / 4
	.byte	(.L67 - .Lrtx51) / 4
	.byte	(.L66 - .Lrtx51) / 4
	.byte	(.L65 - .Lrtx51) / 4
	.byte	(.L64 - .Lrtx51) / 4
	.byte	(.L63 - .Lrtx51) / 4
	.byte	(.L62 - .Lrtx51) / 4
	.byte	(.L61 - .Lrtx51) / 4
	.byte	(.L60 - .Lrtx51) / 4
	.byte	(.L59 - .Lrtx51) / 4
	.byte	(.L58 - .Lrtx51) / 4
	.byte	(.L57 - .Lrtx51) / 4
	.byte	(.L56 - .Lrtx51) / 4
	.byte	(.L55 - .Lrtx51) / 4
	.byte	(.L54 - .Lrtx51) / 4
	.byte	(.L53 - .Lrtx51) / 4
	.byte	(.L52 - .Lrtx51) / 4
	.byte	(.L50 - .Lrtx51) / 4
	.text
	.p2align 2,,3
.L52:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 16
	bl	callee16
	.p2align 3,,7
.L69:
	cmp	x19, x20
	bne	.L70
	ldp	x19, x20, [sp, 16]
	ldr	x21, [sp, 32]
	ldp	x29, x30, [sp], 48
	ret
	.p2align 2,,3
.L53:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 15
	bl	callee15
	b	.L69
	.p2align 2,,3
.L54:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 14
	bl	callee14
	b	.L69
	.p2align 2,,3
.L55:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 13
	bl	callee13
	b	.L69
	.p2align 2,,3
.L56:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 12
	bl	callee12
	b	.L69
	.p2align 2,,3
.L57:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 11
	bl	callee11
	b	.L69
	.p2align 2,,3
.L58:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 10
	bl	callee10
	b	.L69
	.p2align 2,,3
.L59:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 9
	bl	callee9
	b	.L69
	.p2align 2,,3
.L60:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 8
	bl	callee8
	b	.L69
	.p2align 2,,3
.L61:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 7
	bl	callee7
	b	.L69
	.p2align 2,,3
.L62:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 6
	bl	callee6
	b	.L69
	.p2align 2,,3
.L63:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 5
	bl	callee5
	b	.L69
	.p2align 2,,3
.L64:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 4
	bl	callee4
	b	.L69
	.p2align 2,,3
.L65:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 3
	bl	callee3
	b	.L69
	.p2align 2,,3
.L66:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 2
	bl	callee2
	b	.L69
	.p2align 2,,3
.L67:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 1
	bl	callee1
	b	.L69
	.p2align 2,,3
.L68:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	bl	callee0
	b	.L69
	.p2align 2,,3
.L50:
	adrp	x0, cell
	ldr	w0, [x0, #:lo12:cell]
	add	w0, w0, 17
	bl	callee17
	b	.L69
.L76:
	ret
.LFE2:
	.size	in_loop, .-in_loop
	.align	2
	.type	threaded, %function
threaded:
.LFB3:
	mov	x1, x0
	adrp	x3, .LANCHOR0
	add	x3, x3, :lo12:.LANCHOR0
	adrp	x4, cell
	mov	w0, 0
	add	x4, x4, :lo12:cell
	ldrb	w2, [x1], 2
	ldr	x2, [x3, x2, lsl 3]
	br	x2
	.p2align 2,,3
.L86:
	ret
	.p2align 2,,3
.L85:
	ldrb	w2, [x1, -1]
	lsl	w0, w0, 1
	add	x1, x1, 1
	ldr	x2, [x3, x2, lsl 3]
	br	x2
	.p2align 2,,3
.L83:
	ldrb	w2, [x1, -1]
	add	x1, x1, 1
	ldr	w5, [x4]
	sub	w0, w0, w5
	ldr	x2, [x3, x2, lsl 3]
	br	x2
	.p2align 2,,3
.L82:
	ldrb	w2, [x1, -1]
	add	x1, x1, 1
	ldr	w5, [x4]
	add	w0, w0, w5
	ldr	x2, [x3, x2, lsl 3]
	br	x2
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
	.p2align 2,,3
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
	ldr	x1, [x2, x3, lsl 3]
	mov	x16, x1
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
	ldr	w0, [x1, w0, uxtw 2]
	ret
	.p2align 2,,3
.L102:
	mov	w0, 0
	ret
.LFE6:
	.size	numbers, .-numbers
	.section	.rodata.str1.8,"aMS",@progbits,1
	.align	3
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
	add	x1, x1, 136
	ldr	x0, [x1, w0, uxtw 3]
	ret
	.p2align 2,,3
.L105:
	adrp	x0, .LC0
	add	x0, x0, :lo12:.LC0
	ret
.LFE7:
	.size	names, .-names
	.align	2
	.type	far_apart, %function
far_apart:
.LFB8:
	cmp	w0, 17
	bhi	.L128
	stp	x29, x30, [sp, -48]!
	mov	x29, sp
	stp	x19, x20, [sp, 16]
	mov	w19, w1
	adrp	x1, .L109
	add	x1, x1, :lo12:.L109
	ldrh	w1, [x1,w0,uxtw #1]
	adr	x0, .Lrtx109
	add	x1, x0, w1, sxth #2
	br	x1
.Lrtx109:
	.section	.rodata
	.align	0
	.align	2
.L109:
	.2byte	(.L126 - .Lrtx109) / 4
	.2byte	(.L125 - .Lrtx109) / 4
	.2byte	(.L124 - .Lrtx109) / 4
	.2byte	(.L123 - .Lrtx109) / 4
	.2byte	(.L122 - .Lrtx109) / 4
	.2byte	(.L121 - .Lrtx109) / 4
	.2byte	(.L120 - .Lrtx109) / 4
	.2byte	(.L119 - .Lrtx109) / 4
	.2byte	(.L118 - .Lrtx109) / 4
	.2byte	(.L117 - .Lrtx109) / 4
	.2byte	(.L116 - .Lrtx109) / 4
	.2byte	(.L115 - .Lrtx109) / 4
	.2byte	(.L114 - .Lrtx109) / 4
	.2byte	(.L113 - .Lrtx109) / 4
	.2byte	(.L112 - .Lrtx109) / 4
	.2byte	(.L111 - .Lrtx109) / 4
	.2byte	(.L110 - .Lrtx109) / 4
	.2byte	(.L108 - .Lrtx109) / 4
	.text
	.p2align 2,,3
.L128:
	ret
	.p2align 2,,3
.L110:
	mov	w2, 19
	adrp	x20, cell
	mov	w0, 30841
	mov	w1, 1232
	mul	w2, w19, w2
	movk	w0, 0x7878, lsl 16
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 35
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee16
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 16
	add	w0, w0, w0, lsl 1
	add	w0, w0, 16
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee16
.L131:
	ldr	w2, [x20, #:lo12:cell]
	mov	w0, 9363
	ldr	w1, [x20, #:lo12:cell]
	movk	w0, 0x9249, lsl 16
	smull	x0, w1, w0
	lsr	x0, x0, 32
	add	w0, w1, w0
	asr	w0, w0, 2
	sub	w1, w0, w1, asr 31
	madd	w0, w2, w19, w1
	str	w0, [x20, #:lo12:cell]
	ldp	x19, x20, [sp, 16]
	ldp	x29, x30, [sp], 48
	ret
	.p2align 2,,3
.L108:
	adrp	x20, cell
	add	w2, w19, w19, lsl 2
	mov	w0, 36409
	mov	w1, 1309
	lsl	w2, w2, 2
	movk	w0, 0x38e3, lsl 16
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 34
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee17
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 17
	add	w0, w0, w0, lsl 1
	add	w0, w0, 17
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee17
	b	.L131
	.p2align 2,,3
.L126:
	adrp	x20, cell
	add	w0, w19, w19, lsl 1
	str	w0, [x20, #:lo12:cell]
	str	w19, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	add	w0, w0, w19
	bl	callee0
	ldr	w0, [x20, #:lo12:cell]
	add	w0, w0, w0, lsl 1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w19
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee0
	b	.L131
	.p2align 2,,3
.L125:
	adrp	x20, cell
	lsl	w0, w19, 2
	mov	w1, 77
	eor	w1, w19, w1
	str	w0, [x20, #:lo12:cell]
	add	w2, w19, w19, lsr 31
	str	w1, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	add	w0, w0, w2, asr 1
	bl	callee1
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 1
	add	w0, w0, w0, lsl 1
	add	w0, w0, 1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee1
	b	.L131
	.p2align 2,,3
.L124:
	adrp	x20, cell
	mov	w0, 21846
	add	w2, w19, w19, lsl 2
	movk	w0, 0x5555, lsl 16
	str	w2, [x20, #:lo12:cell]
	mov	w1, 154
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	lsr	x0, x0, 32
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee2
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 2
	add	w0, w0, w0, lsl 1
	add	w0, w0, 2
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee2
	b	.L131
	.p2align 2,,3
.L123:
	adrp	x20, cell
	add	w1, w19, w19, lsl 1
	mov	w0, 231
	eor	w0, w19, w0
	lsl	w1, w1, 1
	str	w1, [x20, #:lo12:cell]
	str	w0, [x20, #:lo12:cell]
	cmp	w19, 0
	str	x21, [sp, 32]
	add	w21, w19, 3
	ldr	w0, [x20, #:lo12:cell]
	csel	w1, w21, w19, lt
	add	w0, w0, w1, asr 2
	bl	callee3
	ldr	w0, [x20, #:lo12:cell]
	add	w0, w0, 1
	add	w0, w0, w0, lsl 1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w21
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee3
.L133:
	ldr	w2, [x20, #:lo12:cell]
	mov	w0, 9363
	ldr	w1, [x20, #:lo12:cell]
	movk	w0, 0x9249, lsl 16
	smull	x0, w1, w0
.L132:
	lsr	x0, x0, 32
	add	w0, w1, w0
	ldr	x21, [sp, 32]
	asr	w0, w0, 2
	sub	w1, w0, w1, asr 31
	madd	w0, w2, w19, w1
	str	w0, [x20, #:lo12:cell]
	ldp	x19, x20, [sp, 16]
	ldp	x29, x30, [sp], 48
	ret
	.p2align 2,,3
.L122:
	adrp	x20, cell
	lsl	w2, w19, 3
	mov	w0, 26215
	sub	w2, w2, w19
	movk	w0, 0x6666, lsl 16
	str	w2, [x20, #:lo12:cell]
	mov	w1, 308
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 33
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee4
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 4
	add	w0, w0, w0, lsl 1
	add	w0, w0, 4
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee4
	b	.L131
	.p2align 2,,3
.L121:
	adrp	x20, cell
	mov	w0, 43691
	lsl	w2, w19, 3
	movk	w0, 0x2aaa, lsl 16
	str	w2, [x20, #:lo12:cell]
	mov	w1, 385
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	lsr	x0, x0, 32
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee5
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 5
	add	w0, w0, w0, lsl 1
	add	w0, w0, 5
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee5
	b	.L131
	.p2align 2,,3
.L120:
	str	x21, [sp, 32]
	mov	w21, 9363
	movk	w21, 0x9249, lsl 16
	adrp	x20, cell
	add	w2, w19, w19, lsl 3
	mov	w1, 462
	smull	x0, w19, w21
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	lsr	x0, x0, 32
	ldr	w1, [x20, #:lo12:cell]
	add	w0, w19, w0
	asr	w0, w0, 2
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee6
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 6
	add	w0, w0, w0, lsl 1
	add	w0, w0, 6
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee6
	ldr	w2, [x20, #:lo12:cell]
	ldr	w1, [x20, #:lo12:cell]
	smull	x0, w1, w21
	b	.L132
	.p2align 2,,3
.L119:
	adrp	x20, cell
	add	w1, w19, w19, lsl 2
	mov	w0, 539
	eor	w0, w19, w0
	lsl	w1, w1, 1
	str	w1, [x20, #:lo12:cell]
	str	w0, [x20, #:lo12:cell]
	cmp	w19, 0
	str	x21, [sp, 32]
	add	w21, w19, 7
	ldr	w0, [x20, #:lo12:cell]
	csel	w1, w21, w19, lt
	add	w0, w0, w1, asr 3
	bl	callee7
	ldr	w0, [x20, #:lo12:cell]
	add	w0, w0, w0, lsl 1
	add	w0, w0, 7
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w21
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee7
	b	.L133
	.p2align 2,,3
.L118:
	mov	w2, 11
	adrp	x20, cell
	mov	w0, 36409
	mov	w1, 616
	mul	w2, w19, w2
	movk	w0, 0x38e3, lsl 16
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 33
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee8
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 8
	add	w0, w0, w0, lsl 1
	add	w0, w0, 8
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee8
	b	.L131
	.p2align 2,,3
.L117:
	adrp	x20, cell
	add	w2, w19, w19, lsl 1
	mov	w0, 26215
	mov	w1, 693
	lsl	w2, w2, 2
	movk	w0, 0x6666, lsl 16
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 34
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee9
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 9
	add	w0, w0, w0, lsl 1
	add	w0, w0, 9
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee9
	b	.L131
	.p2align 2,,3
.L116:
	mov	w2, 13
	adrp	x20, cell
	mov	w0, 41705
	mov	w1, 770
	mul	w2, w19, w2
	movk	w0, 0x2e8b, lsl 16
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 33
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee10
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 10
	add	w0, w0, w0, lsl 1
	add	w0, w0, 10
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee10
	b	.L131
	.p2align 2,,3
.L115:
	lsl	w1, w19, 3
	adrp	x20, cell
	sub	w1, w1, w19
	mov	w0, 43691
	movk	w0, 0x2aaa, lsl 16
	mov	w2, 847
	lsl	w1, w1, 1
	str	w1, [x20, #:lo12:cell]
	eor	w2, w19, w2
	str	w2, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 33
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee11
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 11
	add	w0, w0, w0, lsl 1
	add	w0, w0, 11
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee11
	b	.L131
	.p2align 2,,3
.L114:
	adrp	x20, cell
	lsl	w2, w19, 4
	mov	w0, 60495
	sub	w2, w2, w19
	movk	w0, 0x4ec4, lsl 16
	str	w2, [x20, #:lo12:cell]
	mov	w1, 924
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	smull	x0, w19, w0
	ldr	w1, [x20, #:lo12:cell]
	asr	x0, x0, 34
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee12
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 12
	add	w0, w0, w0, lsl 1
	add	w0, w0, 12
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee12
	b	.L131
	.p2align 2,,3
.L113:
	str	x21, [sp, 32]
	mov	w21, 9363
	movk	w21, 0x9249, lsl 16
	adrp	x20, cell
	lsl	w2, w19, 4
	mov	w1, 1001
	smull	x0, w19, w21
	str	w2, [x20, #:lo12:cell]
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	lsr	x0, x0, 32
	ldr	w1, [x20, #:lo12:cell]
	add	w0, w19, w0
	asr	w0, w0, 3
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee13
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 13
	add	w0, w0, w0, lsl 1
	add	w0, w0, 13
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee13
	ldr	w2, [x20, #:lo12:cell]
	ldr	w1, [x20, #:lo12:cell]
	smull	x0, w1, w21
	b	.L132
	.p2align 2,,3
.L112:
	mov	w0, 34953
	adrp	x20, cell
	movk	w0, 0x8888, lsl 16
	add	w2, w19, w19, lsl 4
	str	w2, [x20, #:lo12:cell]
	mov	w1, 1078
	smull	x0, w19, w0
	eor	w1, w19, w1
	str	w1, [x20, #:lo12:cell]
	lsr	x0, x0, 32
	ldr	w1, [x20, #:lo12:cell]
	add	w0, w19, w0
	asr	w0, w0, 3
	sub	w0, w0, w19, asr 31
	add	w0, w0, w1
	bl	callee14
	ldr	w0, [x20, #:lo12:cell]
	add	w1, w19, 14
	add	w0, w0, w0, lsl 1
	add	w0, w0, 14
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w1
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee14
	b	.L131
	.p2align 2,,3
.L111:
	adrp	x20, cell
	add	w1, w19, w19, lsl 3
	mov	w0, 1155
	eor	w0, w19, w0
	lsl	w1, w1, 1
	str	w1, [x20, #:lo12:cell]
	str	w0, [x20, #:lo12:cell]
	cmp	w19, 0
	str	x21, [sp, 32]
	add	w21, w19, 15
	ldr	w0, [x20, #:lo12:cell]
	csel	w1, w21, w19, lt
	add	w0, w0, w1, asr 4
	bl	callee15
	ldr	w0, [x20, #:lo12:cell]
	add	w0, w0, w0, lsl 1
	add	w0, w0, 15
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	sdiv	w0, w0, w21
	str	w0, [x20, #:lo12:cell]
	ldr	w0, [x20, #:lo12:cell]
	eor	w0, w0, w19
	bl	callee15
	b	.L133
.LFE8:
	.size	far_apart, .-far_apart
	.section	.rodata.str1.8
	.align	3
.LC1:
	.string	"zero"
	.align	3
.LC2:
	.string	"un"
	.align	3
.LC3:
	.string	"deux"
	.align	3
.LC4:
	.string	"trois"
	.align	3
.LC5:
	.string	"quatre"
	.align	3
.LC6:
	.string	"cinq"
	.align	3
.LC7:
	.string	"six"
	.align	3
.LC8:
	.string	"sept"
	.section	.rodata
	.align	3
	.set	.LANCHOR0,. + 0
	.type	labels.2, %object
	.size	labels.2, 32
labels.2:
	.xword	.L86
	.xword	.L82
	.xword	.L83
	.xword	.L85
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
	.type	CSWTCH.142, %object
	.size	CSWTCH.142, 36
CSWTCH.142:
	.word	17
	.word	3
	.word	99
	.word	4
	.word	1000
	.word	42
	.word	7
	.word	12
	.word	-5
	.zero	4
	.type	CSWTCH.144, %object
	.size	CSWTCH.144, 64
CSWTCH.144:
	.xword	.LC1
	.xword	.LC2
	.xword	.LC3
	.xword	.LC4
	.xword	.LC5
	.xword	.LC6
	.xword	.LC7
	.xword	.LC8
