/* Where the kernel enters the init, and where threads start. */

	.arch	armv8-a
	.text
	.globl	_start
_start:
	mov	x29, #0
	mov	x30, #0
	bl	run_init
	brk	#0

/*
 * long start_thread(void (*function)(void), void *stack_top): the thread's number, or a negative error.
 * The child finds the function in x9: the kernel hands all registers but x0 over.
 */
	.globl	start_thread
start_thread:
	mov	x9, x0
	ldr	x0, =0x10f00	/* CLONE_VM, FS, FILES, SIGHAND, THREAD: include/uapi/linux/sched.h */
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	mov	x8, #220	/* clone */
	svc	#0
	cbz	x0, 1f
	ret
1:	mov	x29, #0
	mov	x30, #0
	blr	x9
	brk	#0

	.section .note.GNU-stack, "", %progbits
