/* Each test makes its own VM; what it does not expect ends it through fail(). */
#include "tests.h"

#include "protocol.h"
#include "vm.h"

extern const char guest_mmio[], guest_psci[], guest_timer[], guest_memory[], guest_fp[], guest_first[];

enum { STACK_BYTES = 0x10000, N_PAGES = SLOT_SIZE / PAGE_STEP, DROPPED_BYTES = 0x10000 };

static void run_thread(void (*function)(void))
{
	char *stack = map_pages(STACK_BYTES, MAP_PRIVATE);
	long number;

	if (is_error(stack))
		fail("mmap of a stack", (u64)stack);
	number = start_thread(function, stack + STACK_BYTES);
	if (number < 0)
		fail("clone", (u64)number);
}

static void test_create(void)
{
	struct vm vm;

	make_vm(&vm);
	expect("KVM_GET_API_VERSION", (u64)ioctl(vm.kvm, KVM_GET_API_VERSION, 0), KVM_API_VERSION);
	expect("KVM_CAP_USER_MEMORY", ioctl(vm.kvm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) > 0, 1);
	expect("KVM_CAP_ARM_PSCI_0_2", ioctl(vm.kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PSCI_0_2) > 0, 1);
	add_vcpus(&vm, 1, guest_mmio);
}

static void test_mmio(void)
{
	static const struct {
		u64 value;
		u32 length;
	} writes[] = { { 0x1122334455667788, 8 }, { 0x55667788, 4 }, { 0x7788, 2 }, { 0x88, 1 } };
	static const struct {
		u64 given, reported;
	} reads[] = {
		{ 0xfedcba9876543210, 0xfedcba9876543210 },
		{ 0xfedcba98, 0xfedcba98 },
		{ 0xfedc, 0xfedc },
		{ 0xfe, 0xfe },
	};
	struct vm vm;
	struct vcpu *vcpu = &vm.vcpus[0];

	make_vm(&vm);
	add_vcpus(&vm, 1, guest_mmio);
	for (u32 i = 0; i < 4; i++) {
		struct guest_exit exit = next_exit(vcpu);

		expect("MMIO write", exit.kind, GUEST_WRITES);
		expect("MMIO address", exit.address, REPORT_BASE + REPORT_VALUE);
		expect("MMIO length", exit.length, writes[i].length);
		expect("MMIO value", exit.value, writes[i].value);
	}
	for (u32 i = 0; i < 4; i++) {
		give_argument(vcpu, reads[i].given);
		expect("value read by the guest", next_report(vcpu), reads[i].reported);
	}
	expect_end(vcpu);
}

static void test_psci(void)
{
	struct vm vm;
	struct vcpu *vcpu = &vm.vcpus[0];
	u64 version;

	make_vm(&vm);
	add_vcpus(&vm, 1, guest_psci);
	version = next_report(vcpu);
	if (version < 2 || version > 0x1ffff)	/* 0.2 to 1.x: major in bits 31 to 16 */
		fail("PSCI_VERSION", version);
	if (version >= 0x10000)
		expect("PSCI_FEATURES", next_report(vcpu), 0);
	else
		expect("PSCI_FEATURES of 0.2", (u32)next_report(vcpu), (u32)-1);
	expect("a PSCI number that is no function", (u32)next_report(vcpu), (u32)-1);
	expect("SYSTEM_OFF", next_exit(vcpu).kind, GUEST_POWERS_OFF);
}

struct device_attribute {
	u32 flags, group;
	u64 attribute, address;
};

static void set_device(int fd, u32 group, u64 attribute, u64 value)
{
	struct device_attribute wanted = { 0, group, attribute, (u64)&value };
	long result = ioctl(fd, KVM_SET_DEVICE_ATTR, (u64)&wanted);

	if (result < 0)
		fail("KVM_SET_DEVICE_ATTR", (u64)result);
}

/* Make the GIC that the host can virtualise: 3 or 2. */
static u64 make_gic(struct vm *vm)
{
	struct {
		u32 type, fd, flags;
	} device = { KVM_DEV_TYPE_ARM_VGIC_V3, 0, 0 };
	u64 version = 3;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, (u64)&device) < 0) {
		version = 2;
		device.type = KVM_DEV_TYPE_ARM_VGIC_V2;
		if (ioctl(vm->fd, KVM_CREATE_DEVICE, (u64)&device) < 0)
			skip("KVM has no GIC for its guests here");
	}
	add_vcpus(vm, 1, guest_timer);
	if (version == 3) {
		set_device((int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, GICD_BASE);
		set_device((int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, GICR_BASE);
	} else {
		set_device((int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_DIST, GICD_BASE);
		set_device((int)device.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V2_ADDR_TYPE_CPU, GICC_BASE);
	}
	set_device((int)device.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, 0);
	return version;
}

static void test_timer(void)
{
	struct vm vm;
	struct vcpu *vcpu = &vm.vcpus[0];

	make_vm(&vm);
	give_argument(vcpu, make_gic(&vm));
	for (u32 i = 0; i < N_IRQS; i++)
		expect("interrupt", next_report(vcpu), TIMER_INTID);
	expect_end(vcpu);
}

static void order(struct vcpu *vcpu, u64 what, u64 address, u64 n_pages)
{
	give_argument(vcpu, what);
	give_argument(vcpu, address);
	give_argument(vcpu, n_pages);
}

static u64 sum_of(struct vcpu *vcpu, u64 address, u64 n_pages)
{
	order(vcpu, ORDER_SUM, address, n_pages);
	return next_report(vcpu);
}

/* A read that no slot answers comes to us. */
static void expect_hole(struct vcpu *vcpu, u64 address)
{
	struct guest_exit exit;

	order(vcpu, ORDER_SUM, address, 1);
	exit = next_exit(vcpu);
	expect("read outside of any slot", exit.kind, GUEST_READS);
	expect("its address", exit.address, address);
	answer(vcpu, address + 1);
	expect("its value", next_report(vcpu), address + 1);
}

static void test_stage2(void)
{
	const u64 sum = N_PAGES * (u64)SLOT_BASE + (u64)PAGE_STEP * N_PAGES * (N_PAGES - 1) / 2;
	struct vm vm;
	struct vcpu *vcpu = &vm.vcpus[0];
	char *memory = map_pages(SLOT_SIZE, MAP_PRIVATE);
	void *dropped;

	make_vm(&vm);
	add_vcpus(&vm, 1, guest_memory);
	expect("new slot", (u64)set_slot(&vm, 1, SLOT_BASE, SLOT_SIZE, memory), 0);
	expect("sum of fresh pages", sum_of(vcpu, SLOT_BASE, N_PAGES), 0);
	order(vcpu, ORDER_FILL, SLOT_BASE, N_PAGES);
	next_report(vcpu);
	expect("sum of written pages", sum_of(vcpu, SLOT_BASE, N_PAGES), sum);
	expect_hole(vcpu, HOLE_BASE);

	/* Take the pages away from below: KVM hears of it through its MMU notifier. */
	dropped = (void *)sys6(SYS_MMAP, (u64)memory, DROPPED_BYTES, PROT_READ_WRITE,
			       MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, (u64)-1, 0);
	expect("mmap over the slot", (u64)dropped, (u64)memory);
	expect("sum of pages taken away", sum_of(vcpu, SLOT_BASE, DROPPED_BYTES / PAGE_STEP), 0);
	order(vcpu, ORDER_FILL, SLOT_BASE, DROPPED_BYTES / PAGE_STEP);
	next_report(vcpu);

	expect("moved slot", (u64)set_slot(&vm, 1, SLOT_MOVED, SLOT_SIZE, memory), 0);
	expect("sum of moved pages", sum_of(vcpu, SLOT_MOVED, N_PAGES), sum);
	expect_hole(vcpu, SLOT_BASE);
	expect("removed slot", (u64)set_slot(&vm, 1, SLOT_MOVED, 0, memory), 0);
	expect_hole(vcpu, SLOT_MOVED);
	expect("slot made again", (u64)set_slot(&vm, 1, SLOT_BASE, SLOT_SIZE, memory), 0);
	expect("sum of pages made again", sum_of(vcpu, SLOT_BASE, N_PAGES), sum);
	give_argument(vcpu, ORDER_END);
	expect_end(vcpu);
}

static void fill_fp(struct fp_state *state, u64 seed, u64 fpcr, u64 fpsr)
{
	for (u32 i = 0; i < 64; i++)
		state->v[i] = seed + i * 0x0101010101010101;
	state->fpcr = fpcr;
	state->fpsr = fpsr;
}

static int is_same_fp(const struct fp_state *a, const struct fp_state *b)
{
	u64 differs = (a->fpcr ^ b->fpcr) | (a->fpsr ^ b->fpsr);

	for (u32 i = 0; i < 64; i++)
		differs |= a->v[i] ^ b->v[i];
	return !differs;
}

static volatile u64 n_neighbour_leaks;

/* On the same CPU, with FP values of its own. */
static void run_neighbour(void)
{
	struct fp_state in, out;

	fill_fp(&in, 0x4e45494748000000, 0, 0x2);
	for (;;) {
		fp_syscall(SYS_SCHED_YIELD, 0, 0, 0, &in, &out);
		if (!is_same_fp(&in, &out))
			n_neighbour_leaks++;
	}
}

static void test_fp(void)
{
	struct vm vm;
	struct vcpu *vcpu = &vm.vcpus[0];
	struct fp_state in, out;
	u64 first_cpu = 1;

	sys3(SYS_SCHED_SETAFFINITY, 0, sizeof(first_cpu), &first_cpu);
	make_vm(&vm);
	add_vcpus(&vm, 1, guest_fp);
	vcpu->fp_in = &in;
	vcpu->fp_out = &out;
	run_thread(run_neighbour);
	for (u32 i = 0; i < 4 + 2 * N_FP_ROUNDS; i++) {
		u32 round = (i - 4) / 2;
		u64 got;

		fill_fp(&in, 0x484f535400000000 + i, 1 << 22, 0x1);	/* FPCR: towards plus infinity; FPSR: IOC */
		got = next_report(vcpu);
		expect("FP state of the host is kept", (u64)is_same_fp(&in, &out), 1);
		if (i < 4)
			expect("exit before the first use of FP", got, 4 - i);
		else if (i % 2)
			expect("bits that differ in the guest's FP state", got, 0);
		else
			expect("round", got, FP_SEED + 64 * round);
		sys0(SYS_SCHED_YIELD);
	}
	expect_end(vcpu);
	expect("times that a neighbour's FP state changed", n_neighbour_leaks, 0);
}

static struct vm two;
static volatile u64 n_second_turns;

static void run_second(void)
{
	expect("context of CPU_ON", next_report(&two.vcpus[1]), SECOND_CONTEXT);
	for (u32 i = 0; i < N_TURNS; i++) {
		expect("token of the second", next_report(&two.vcpus[1]), 2 * i + 2);
		n_second_turns++;
	}
	next_exit(&two.vcpus[1]);
	fail("the second vCPU ran on after CPU_OFF", 0);
}

static void test_two_vcpus(void)
{
	struct vcpu *vcpu = &two.vcpus[0];

	make_vm(&two);
	add_vcpus(&two, 2, guest_first);
	run_thread(run_second);
	expect("CPU_ON", next_report(vcpu), 0);
	for (u32 i = 0; i < N_TURNS; i++)
		expect("token of the first", next_report(vcpu), 2 * i + 1);
	for (;;) {
		struct guest_exit exit = next_exit(vcpu);

		if (exit.kind == GUEST_POWERS_OFF)
			break;
		expect("wait for CPU_OFF", exit.address, REPORT_BASE + REPORT_YIELD);
		sys0(SYS_SCHED_YIELD);
	}
	expect("turns of the second", n_second_turns, N_TURNS);
}

const struct test tests[] = {
	{ "kvm-create", test_create },
	{ "guest-mmio", test_mmio },
	{ "guest-psci", test_psci },
	{ "guest-timer", test_timer },
	{ "guest-stage2", test_stage2 },
	{ "guest-fp", test_fp },
	{ "guest-two-vcpus", test_two_vcpus },
};
const unsigned n_tests = sizeof(tests) / sizeof(tests[0]);
