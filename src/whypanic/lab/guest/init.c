/*
 * The first process of a kernel under test: looks for /dev/kvm, runs the tests, prints KTAP, powers the machine off.
 * The lines that start with `whypanic-init:` are defined in ../markers.py.
 */
#include "sys.h"
#include "tests.h"
#include "text.h"
#include "vm.h"

enum { DEADLINE_S = 4, LATE = -1, STUCK = -2, REASON_BYTES = 128 };
enum result { PASSED, FAILED, SKIPPED };

void run_init(void);

/* What the process of a test tells us: it is shared. */
static struct {
	volatile u64 n_exits;
	char reason[REASON_BYTES];	/* why it was skipped */
} *told;

void note_progress(void)
{
	told->n_exits++;
}

void fail(const char *what, u64 value)
{
	struct line line = { .length = 0 };

	add_text(&line, "# failed: ");
	add_text(&line, what);
	add_text(&line, ": ");
	add_hex(&line, value);
	if ((s64)value < 0 && (s64)value >= -4095) {
		add_text(&line, ", error ");
		add_decimal(&line, -(s64)value);
	}
	print_line(&line);
	for (;;)
		sys1(SYS_EXIT_GROUP, FAILED);
}

void skip(const char *why)
{
	for (u32 i = 0; i < REASON_BYTES - 1 && (told->reason[i] = why[i]); i++)
		;
	for (;;)
		sys1(SYS_EXIT_GROUP, SKIPPED);
}

static void print_mark(const char *mark, s64 value)
{
	struct line line = { .length = 0 };

	add_text(&line, mark);
	add_decimal(&line, value);
	print_line(&line);
}

static void print_named(const char *mark, s64 number, const char *name)
{
	struct line line = { .length = 0 };

	add_text(&line, mark);
	add_decimal(&line, number);
	add_text(&line, " ");
	add_text(&line, name);
	print_line(&line);
}

static s64 count_cpus(void)
{
	u64 mask[64] = { 0 };
	s64 n = 0;

	sys3(SYS_SCHED_GETAFFINITY, 0, sizeof(mask), mask);
	for (u32 i = 0; i < 64; i++)
		for (u64 rest = mask[i]; rest; rest &= rest - 1)
			n++;
	return n;
}

static void mount(const char *type, const char *where)
{
	sys6(SYS_MOUNT, (u64)type, (u64)where, (u64)type, 0, 0, 0);
}

/* 0, or the error of opening it. Where devtmpfs is not compiled in, the node in the initramfs serves. */
static long try_kvm(void)
{
	long fd = sys4(SYS_OPENAT, AT_FDCWD, "/dev/kvm", O_RDWR | O_CLOEXEC, 0);

	if (fd < 0)
		return -fd;
	sys1(SYS_CLOSE, fd);
	return 0;
}

/*
 * The wait status of a child; LATE when it had to be killed, STUCK when not even that ended it. A line a second tells
 * that we live. The time runs from its last progress: on a loaded machine all is slow, and that is no failure.
 */
static s64 wait_for(s64 child, const char *name)
{
	const u64 child_signal = 1UL << (SIGCHLD - 1);
	const struct timespec one_second = { 1, 0 };
	u64 n_seen = told->n_exits;
	s64 n_waits = 0, n_idle = 0;
	int status;

	while (n_idle <= DEADLINE_S) {
		long signal = sys4(SYS_RT_SIGTIMEDWAIT, &child_signal, 0, &one_second, sizeof(child_signal));

		if (sys4(SYS_WAIT4, child, &status, WNOHANG, 0) == child)
			return n_idle < DEADLINE_S ? status : LATE;
		if (signal != -EAGAIN)
			continue;
		print_named("whypanic-init: waiting ", ++n_waits, name);
		n_idle = n_seen == told->n_exits || n_idle >= DEADLINE_S ? n_idle + 1 : 0;
		n_seen = told->n_exits;
		if (n_idle == DEADLINE_S)
			sys2(SYS_KILL, child, SIGKILL);
	}
	return STUCK;
}

static void print_diagnosis(const char *what, s64 value)
{
	struct line line = { .length = 0 };

	add_text(&line, "# failed: ");
	add_text(&line, what);
	add_decimal(&line, value);
	print_line(&line);
}

/* Run one test in a process of its own, so that whatever becomes of it, we go on. */
static enum result run_test(const struct test *test)
{
	s64 child = sys6(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);
	s64 status;

	if (child == 0) {
		test->run();
		for (;;)
			sys1(SYS_EXIT_GROUP, PASSED);
	}
	if (child < 0) {
		print_diagnosis("no process for it, error ", -child);
		return FAILED;
	}
	status = wait_for(child, test->name);
	if (status == STUCK)
		print_diagnosis("stuck in the kernel, killing it did not end it, seconds ", DEADLINE_S + 1);
	else if (status == LATE)
		print_diagnosis("no progress, killed after seconds ", DEADLINE_S);
	else if (status & 0x7f)
		print_diagnosis("killed by the kernel, signal ", status & 0x7f);
	else if (status >> 8 == PASSED || status >> 8 == SKIPPED)
		return (enum result)(status >> 8);
	return FAILED;
}

static void print_result(enum result result, u32 number, const char *name, const char *why)
{
	struct line line = { .length = 0 };

	add_text(&line, result == FAILED ? "not ok " : "ok ");
	add_decimal(&line, number);
	add_text(&line, " ");
	add_text(&line, name);
	if (result == SKIPPED) {
		add_text(&line, " # SKIP ");
		add_text(&line, why);
	}
	print_line(&line);
}

static void run_tests(long kvm_error, s64 counts[3])
{
	struct line plan = { .length = 0 };

	print_text("KTAP version 1");
	add_text(&plan, "1..");
	add_decimal(&plan, n_tests);
	print_line(&plan);
	for (u32 i = 0; i < n_tests; i++) {
		enum result result = SKIPPED;

		if (!kvm_error) {
			print_named("whypanic-init: test ", i + 1, tests[i].name);
			result = run_test(&tests[i]);
		}
		print_result(result, i + 1, tests[i].name, kvm_error ? "no /dev/kvm" : told->reason);
		counts[result]++;
	}
}

void run_init(void)
{
	const u64 child_signal = 1UL << (SIGCHLD - 1);
	s64 counts[3] = { 0, 0, 0 };
	struct line done = { .length = 0 };
	long kvm_error;

	print_text("whypanic-init: start");
	mount("devtmpfs", "/dev");
	mount("proc", "/proc");
	mount("sysfs", "/sys");
	print_mark("whypanic-init: cpus ", count_cpus());
	kvm_error = try_kvm();
	if (kvm_error)
		print_mark("whypanic-init: /dev/kvm no, error ", kvm_error);
	else
		print_text("whypanic-init: /dev/kvm yes");
	sys4(SYS_RT_SIGPROCMASK, SIG_BLOCK, &child_signal, 0, sizeof(child_signal));
	told = map_pages(sizeof(*told), MAP_SHARED);
	if (is_error(told))
		told = map_pages(sizeof(*told), MAP_PRIVATE);
	run_tests(kvm_error, counts);
	add_text(&done, "whypanic-init: done passed=");
	add_decimal(&done, counts[PASSED]);
	add_text(&done, " failed=");
	add_decimal(&done, counts[FAILED]);
	add_text(&done, " skipped=");
	add_decimal(&done, counts[SKIPPED]);
	print_line(&done);
	sys0(SYS_SYNC);
	/* LINUX_REBOOT_MAGIC1, MAGIC2, CMD_POWER_OFF: include/uapi/linux/reboot.h. */
	print_mark("whypanic-init: power off failed, error ", -sys4(SYS_REBOOT, 0xfee1dead, 672274793, 0x4321fedc, 0));
	for (;;)
		sys2(SYS_NANOSLEEP, (&(struct timespec){ 1000, 0 }), 0);
}
