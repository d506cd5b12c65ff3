/* Code moved behind the rest of its file, as alternatives are. Built by tools/build_line_fixtures.py. */
	.text
	.globl	first, second
	.type	first, %function
first:
	mov	x0, #1
661:	nop
	.subsection 1
	mov	x1, #2
	b	661b + 4
	.previous
	mov	x2, #3
	ret
	.type	second, %function
second:
	mov	x3, #4
662:	nop
	.subsection 1
	mov	x4, #5
	b	662b + 4
	.previous
	ret
