/* A virtual machine, and the numbers of KVM's interface: Linux include/uapi/linux/kvm.h, arch/arm64/.../asm/kvm.h. */
#ifndef VM_H
#define VM_H

#include "sys.h"

enum {
	KVM_GET_API_VERSION = 0xae00,
	KVM_CREATE_VM = 0xae01,
	KVM_CHECK_EXTENSION = 0xae03,
	KVM_GET_VCPU_MMAP_SIZE = 0xae04,
	KVM_CREATE_VCPU = 0xae41,
	KVM_SET_USER_MEMORY_REGION = 0x4020ae46,
	KVM_RUN = 0xae80,
	KVM_GET_ONE_REG = 0x4010aeab,
	KVM_SET_ONE_REG = 0x4010aeac,
	KVM_ARM_VCPU_INIT = 0x4020aeae,
	KVM_SET_DEVICE_ATTR = 0x4018aee1,

	KVM_API_VERSION = 12,
	KVM_CAP_USER_MEMORY = 3,
	KVM_CAP_ARM_PSCI_0_2 = 102,
	KVM_CAP_ARM_VM_IPA_SIZE = 165,

	KVM_EXIT_MMIO = 6,
	KVM_EXIT_SYSTEM_EVENT = 24,
	KVM_SYSTEM_EVENT_SHUTDOWN = 1,

	KVM_ARM_VCPU_POWER_OFF = 1 << 0,
	KVM_ARM_VCPU_PSCI_0_2 = 1 << 2,

	KVM_DEV_TYPE_ARM_VGIC_V2 = 5,
	KVM_DEV_TYPE_ARM_VGIC_V3 = 7,
	KVM_DEV_ARM_VGIC_GRP_ADDR = 0,
	KVM_DEV_ARM_VGIC_GRP_CTRL = 4,
	KVM_VGIC_V2_ADDR_TYPE_DIST = 0,
	KVM_VGIC_V2_ADDR_TYPE_CPU = 1,
	KVM_VGIC_V3_ADDR_TYPE_DIST = 2,
	KVM_VGIC_V3_ADDR_TYPE_REDIST = 3,
	KVM_DEV_ARM_VGIC_CTRL_INIT = 0,
};

#define KVM_ARM_PREFERRED_TARGET	0x8020aeafUL
#define KVM_CREATE_DEVICE		0xc00caee0UL
#define REG_PC				0x6030000000100040UL	/* KVM_REG_ARM_CORE_REG(regs.pc), 64 bits */

/* The head of struct kvm_run, and the two members of its union that are used. */
struct kvm_run {
	u8 request_interrupt_window;
	u8 immediate_exit;
	u8 padding[6];
	u32 exit_reason;
	u32 flags;
	u64 unused[2];
	union {
		struct {
			u64 address;
			u8 data[8];
			u32 length;
			u8 is_write;
		} mmio;
		struct {
			u32 type;
		} system_event;
	};
};

struct fp_state {
	u64 v[64];
	u64 fpcr;
	u64 fpsr;
};

struct vcpu {
	int fd;
	volatile struct kvm_run *run;
	/* With these the host's FP registers are set before each entry; what they are after it is stored. */
	const struct fp_state *fp_in;
	struct fp_state *fp_out;
};

struct vm {
	int kvm;
	int fd;
	void *ram;
	struct vcpu vcpus[2];
};

enum exit_kind { GUEST_WRITES, GUEST_READS, GUEST_POWERS_OFF };

struct guest_exit {
	enum exit_kind kind;
	u64 address;
	u64 value;	/* of a write */
	u32 length;
};

long fp_syscall(long number, u64 a, u64 b, u64 c, const struct fp_state *in, struct fp_state *out);

/* Test code runs in a process of its own; these end it. */
__attribute__((noreturn)) void fail(const char *what, u64 value);
__attribute__((noreturn)) void skip(const char *reason);
void expect(const char *what, u64 got, u64 wanted);
void note_progress(void);	/* or the test is ended after a while */

/* A VM with RAM that holds the programs of payload.S; vCPUs enter `program`, all but the first when they are told to. */
void make_vm(struct vm *vm);
void add_vcpus(struct vm *vm, u32 n_vcpus, const char *program);
long set_slot(struct vm *vm, u32 slot, u64 guest_address, u64 bytes, void *memory);

struct guest_exit next_exit(struct vcpu *vcpu);
void answer(struct vcpu *vcpu, u64 value);	/* of a read, before the next entry */

/* Exits in order: what the guest reports, what it asks for, and its end. Others fail. */
u64 next_report(struct vcpu *vcpu);
void give_argument(struct vcpu *vcpu, u64 value);
void expect_end(struct vcpu *vcpu);

#endif
