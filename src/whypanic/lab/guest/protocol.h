/* What the exerciser and its guests agree on; C and assembler read it. */
#ifndef PROTOCOL_H
#define PROTOCOL_H

/* Guest physical map. The GIC lies where QEMU's virt machine has it; any place outside RAM would do. */
#define RAM_BASE	0x80000000
#define RAM_SIZE	0x00200000
#define TOKEN_BASE	0x80100000	/* one word that two vCPUs pass to each other */
#define SLOT_BASE	0x90000000	/* the second memory slot, */
#define SLOT_MOVED	0xa0000000	/* the place it is moved to, */
#define SLOT_SIZE	0x00100000
#define HOLE_BASE	0xb0000000	/* and an address that is in no slot */
#define REPORT_BASE	0x01000000
#define GICD_BASE	0x08000000
#define GICC_BASE	0x08010000
#define GICR_BASE	0x080a0000

/* Registers at REPORT_BASE; each access is an exit to the exerciser. */
#define REPORT_VALUE	0x00	/* w: a result */
#define REPORT_DONE	0x08	/* w: the end */
#define REPORT_YIELD	0x10	/* w: let others run */
#define REPORT_ARGUMENT	0x18	/* r: the next argument */
#define REPORT_VECTOR	0x20	/* w: an exception nobody asked for: which vector, */
#define REPORT_ESR	0x28
#define REPORT_ELR	0x30
#define REPORT_FAR	0x38	/* w: and this ends the test */

/* Orders of guest_memory: with a first address and a number of pages of PAGE_STEP bytes. */
#define ORDER_END	0
#define ORDER_SUM	1	/* report the sum of the first words */
#define ORDER_FILL	2	/* write each page's own address into its first word */
#define PAGE_STEP	0x1000

#define TIMER_INTID	27	/* PPI of the virtual timer that KVM takes by itself (arch/arm64/kvm/arch_timer.c) */
#define N_IRQS		8
#define N_FP_ROUNDS	64
#define N_TURNS		16
#define SECOND_CONTEXT	0x5ec0	/* context id of CPU_ON */
#define FP_SEED		0x6e000000

#endif
