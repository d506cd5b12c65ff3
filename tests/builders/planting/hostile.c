/* What breaks at EL2, written as ordinary C: which of it becomes a defect, the compiler and its options decide. */

#define HYP __attribute__((section(".hyp.text"), noinline))
#define KERNEL __attribute__((noinline, used))

typedef unsigned long u64;

struct state {
	u64 value[16];
	int number;
	char name[12];
};

int kernel_counter = 7;
int kernel_limits[4] = { 1, 2, 3, 4 };
extern int kernel_option;

KERNEL int kernel_function(struct state *s, int n)
{
	__asm__ volatile("" : : : "memory");
	return s->number + n;
}

HYP int hyp_step(struct state *s, int n)
{
	__asm__ volatile("" : : : "memory");
	return s->number ^ n;
}

HYP int hyp_first(struct state *s, int n)
{
	return hyp_step(s, n + 1) + 1;
}

HYP int hyp_second(struct state *s, int n)
{
	return hyp_step(s, n * 3) + 2;
}

HYP int hyp_switch(struct state *s, int n)
{
#define CASE(k) case k: return hyp_step(s, n * (k + 17) + k * k) + (k ^ 5);
	switch (n) {
	CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9)
	CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15) CASE(16) CASE(17) CASE(18) CASE(19)
	}
	return -1;
}

HYP int hyp_goto(struct state *s, const unsigned char *program)
{
	static const void *const labels[] = { &&add, &&take, &&clear, &&out };
	int sum = 0;

	goto *labels[*program++ & 3];
add:
	sum += s->number;
	goto *labels[*program++ & 3];
take:
	sum -= hyp_step(s, sum);
	goto *labels[*program++ & 3];
clear:
	sum = 0;
	goto *labels[*program++ & 3];
out:
	return sum;
}

HYP int hyp_name(int n)
{
	static const char *const names[] = { "running", "stopped", "waiting", "gone", "new" };

	return n < 5 ? names[n][1] : 0;
}

HYP int hyp_dispatch(struct state *s, int n)
{
	static int (*const calls[])(struct state *, int) = { hyp_first, hyp_second, hyp_step };

	return n < 3 ? calls[n](s, n) : 0;
}

HYP int hyp_data(int n)
{
	kernel_counter += n;
	return kernel_limits[n & 3];
}

HYP int hyp_option(void)
{
	return kernel_option;
}

HYP int hyp_outside(struct state *s, int n)
{
	return kernel_function(s, n) + 1;
}

HYP void hyp_copy(struct state *to, const struct state *from)
{
	*to = *from;
#ifdef WITH_FP
	to->value[3] = (u64)((double)from->value[2] * 1.5);
#endif
}

HYP int hyp_buffer(struct state *s, int n)
{
	char buffer[64];

	for (int i = 0; i < 64; i++)
		buffer[i] = s->name[(i + n) % 12];
	__asm__ volatile("" : : "r"(buffer) : "memory");
	return hyp_step(s, buffer[n & 63]);
}
