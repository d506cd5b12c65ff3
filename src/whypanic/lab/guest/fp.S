/*
 * long fp_syscall(long number, u64 a, u64 b, u64 c, const struct fp_state *in, struct fp_state *out)
 *
 * Makes a system call with v0 to v31, FPCR and FPSR as in `in`, and stores what they are afterwards in `out`.
 * The kernel must keep them: Linux Documentation/arm64/sve.rst section 3 for v0 to v31; FPCR and FPSR are saved and
 * restored with them (struct user_fpsimd_state).
 * v8 to v15 are not kept for the caller: the rest of the program is compiled without FP registers.
 * struct fp_state: 32 pairs of words, FPCR, FPSR.
 */
	.arch	armv8-a+fp+simd
	.text
	.globl	fp_syscall
fp_syscall:
	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x9, x5
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	q\n, [x4, #16 * \n]
	.endr
	ldr	x5, [x4, #512]
	msr	fpcr, x5
	ldr	x5, [x4, #520]
	msr	fpsr, x5
	mov	x3, #0
	mov	x4, #0
	mov	x5, #0
	svc	#0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x9, #16 * \n]
	.endr
	mrs	x1, fpcr
	str	x1, [x9, #512]
	mrs	x1, fpsr
	str	x1, [x9, #520]
	ret

	.section .note.GNU-stack, "", %progbits
