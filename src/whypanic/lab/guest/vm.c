#include "vm.h"

#include "protocol.h"
#include "text.h"

extern const char payload_start[], payload_end[];

/* A flat structure for KVM_ARM_VCPU_INIT: target and seven words of features. */
struct vcpu_init {
	u32 words[8];
};

void expect(const char *what, u64 got, u64 wanted)
{
	struct line line = { .length = 0 };

	if (got == wanted)
		return;
	add_text(&line, "# ");
	add_text(&line, what);
	add_text(&line, ": wanted ");
	add_hex(&line, wanted);
	print_line(&line);
	fail(what, got);
}

static int check(const char *what, long result)
{
	if (result < 0)
		fail(what, (u64)result);
	return (int)result;
}

long set_slot(struct vm *vm, u32 slot, u64 guest_address, u64 bytes, void *memory)
{
	struct {
		u32 slot, flags;
		u64 guest_address, bytes, memory;
	} region = { slot, 0, guest_address, bytes, (u64)memory };

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, (u64)&region);
}

void make_vm(struct vm *vm)
{
	long fd;
	char *ram;

	vm->kvm = check("open /dev/kvm", sys4(SYS_OPENAT, AT_FDCWD, "/dev/kvm", O_RDWR | O_CLOEXEC, 0));
	/* Type 0 is 40 bits of guest address; a CPU that has fewer wants to be told how many. */
	fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (fd == -EINVAL)
		fd = ioctl(vm->kvm, KVM_CREATE_VM, (u64)ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE));
	vm->fd = check("KVM_CREATE_VM", fd);
	ram = map_pages(RAM_SIZE, MAP_PRIVATE);
	if (is_error(ram))
		fail("mmap of RAM", (u64)ram);
	for (const char *from = payload_start; from < payload_end; from++)
		*ram++ = *from;
	vm->ram = ram - (payload_end - payload_start);
	check("KVM_SET_USER_MEMORY_REGION", set_slot(vm, 0, RAM_BASE, RAM_SIZE, vm->ram));
}

void add_vcpus(struct vm *vm, u32 n_vcpus, const char *program)
{
	struct vcpu_init init = { { 0 } };
	long run_bytes = check("KVM_GET_VCPU_MMAP_SIZE", ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
	u64 pc = RAM_BASE + (u64)(program - payload_start);
	struct {
		u64 id, address;
	} reg = { REG_PC, (u64)&pc };

	for (u32 i = 0; i < n_vcpus; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];

		vcpu->fd = check("KVM_CREATE_VCPU", ioctl(vm->fd, KVM_CREATE_VCPU, i));
		vcpu->run = (void *)sys6(SYS_MMAP, 0, (u64)run_bytes, PROT_READ_WRITE, MAP_SHARED, (u64)vcpu->fd, 0);
		if (is_error((const void *)vcpu->run))
			fail("mmap of kvm_run", (u64)vcpu->run);
		vcpu->fp_in = 0;
	}
	check("KVM_ARM_PREFERRED_TARGET", ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, (u64)&init));
	for (u32 i = 0; i < n_vcpus; i++) {
		init.words[1] = KVM_ARM_VCPU_PSCI_0_2 | (i ? KVM_ARM_VCPU_POWER_OFF : 0);
		check("KVM_ARM_VCPU_INIT", ioctl(vm->vcpus[i].fd, KVM_ARM_VCPU_INIT, (u64)&init));
		check("KVM_SET_ONE_REG", ioctl(vm->vcpus[i].fd, KVM_SET_ONE_REG, (u64)&reg));
	}
}

static long enter(struct vcpu *vcpu)
{
	if (vcpu->fp_in)
		return fp_syscall(SYS_IOCTL, (u64)vcpu->fd, KVM_RUN, 0, vcpu->fp_in, vcpu->fp_out);
	return ioctl(vcpu->fd, KVM_RUN, 0);
}

static void print_pc(struct vcpu *vcpu)
{
	struct line line = { .length = 0 };
	u64 pc = 0;
	struct {
		u64 id, address;
	} reg = { REG_PC, (u64)&pc };

	ioctl(vcpu->fd, KVM_GET_ONE_REG, (u64)&reg);
	add_text(&line, "# guest PC: ");
	add_hex(&line, pc);
	print_line(&line);
}

struct guest_exit next_exit(struct vcpu *vcpu)
{
	volatile struct kvm_run *run = vcpu->run;
	struct guest_exit exit = { GUEST_POWERS_OFF, 0, 0, 0 };
	long result;

	do
		result = enter(vcpu);
	while (result == -EINTR || result == -EAGAIN);
	if (result < 0) {
		print_pc(vcpu);
		fail("KVM_RUN", (u64)result);
	}
	if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
		expect("system event", run->system_event.type, KVM_SYSTEM_EVENT_SHUTDOWN);
		return exit;
	}
	if (run->exit_reason != KVM_EXIT_MMIO) {
		print_pc(vcpu);
		fail("exit reason", run->exit_reason);
	}
	exit.kind = run->mmio.is_write ? GUEST_WRITES : GUEST_READS;
	exit.address = run->mmio.address;
	exit.length = run->mmio.length;
	if (run->mmio.is_write)
		for (u32 i = 0; i < exit.length && i < 8; i++)
			exit.value |= (u64)run->mmio.data[i] << 8 * i;
	return exit;
}

void answer(struct vcpu *vcpu, u64 value)
{
	for (u32 i = 0; i < 8; i++)
		vcpu->run->mmio.data[i] = (u8)(value >> 8 * i);
}

/* The next exit that is no wish to yield; an exception of the guest fails. */
static struct guest_exit next_word(struct vcpu *vcpu)
{
	static const char *const names[] = { "guest vector", "guest ESR_EL1", "guest ELR_EL1", "guest FAR_EL1" };

	for (;;) {
		struct guest_exit exit = next_exit(vcpu);
		u64 offset = exit.address - REPORT_BASE;

		if (exit.kind != GUEST_WRITES) {
			note_progress();
			return exit;
		}
		if (offset == REPORT_YIELD) {
			sys0(SYS_SCHED_YIELD);
		} else if (offset >= REPORT_VECTOR && offset <= REPORT_FAR) {
			struct line line = { .length = 0 };

			add_text(&line, "# ");
			add_text(&line, names[(offset - REPORT_VECTOR) / 8]);
			add_text(&line, ": ");
			add_hex(&line, exit.value);
			print_line(&line);
			if (offset == REPORT_FAR)
				fail("the guest took an exception", 0);
		} else {
			note_progress();
			return exit;
		}
	}
}

static struct guest_exit expect_access(struct vcpu *vcpu, enum exit_kind kind, u64 address)
{
	struct guest_exit exit = next_word(vcpu);

	if (exit.kind != kind) {
		print_pc(vcpu);
		expect("kind of exit", exit.kind, kind);
	}
	if (exit.address != address)
		print_pc(vcpu);
	expect("address of exit", exit.address, address);
	return exit;
}

u64 next_report(struct vcpu *vcpu)
{
	return expect_access(vcpu, GUEST_WRITES, REPORT_BASE + REPORT_VALUE).value;
}

void give_argument(struct vcpu *vcpu, u64 value)
{
	expect_access(vcpu, GUEST_READS, REPORT_BASE + REPORT_ARGUMENT);
	answer(vcpu, value);
}

void expect_end(struct vcpu *vcpu)
{
	expect_access(vcpu, GUEST_WRITES, REPORT_BASE + REPORT_DONE);
}
