/* Functions in several sections, inlined into each other. Built by tools/build_line_fixtures.py. */

static inline int twice(int x)
{
	asm volatile("nop");
	return x + x;
}

static inline int twice_more(int x)
{
	return twice(x) + 1;
}

int in_text(int x)
{
	return twice_more(x) * 3;
}

__attribute__((section(".init.text"))) int in_init(int x)
{
	return twice(x) - in_text(x + 1);
}
