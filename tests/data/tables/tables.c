/*
 * Code that compilers reach through tables, for tests/unit/code/test_jump_tables.py.
 * tools/build_tables.py compiles it with several compilers and keeps their assembler output here.
 */

void callee0(int), callee1(int), callee2(int), callee3(int), callee4(int), callee5(int);
void callee6(int), callee7(int), callee8(int), callee9(int), callee10(int), callee11(int);
void callee12(int), callee13(int), callee14(int), callee15(int), callee16(int), callee17(int);
extern volatile int cell;

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17)

/* A switch from 3 up: the index is what is left after a subtraction. */
void dense(unsigned int n, int x)
{
#define CASE(i) case i + 3: callee##i(x); break;
	switch (n) {
	EACH(CASE)
	}
}

/* Inline assembly makes LLVM use entries of four bytes. */
void with_asm(unsigned long n)
{
#define ASM(i) case i: asm volatile("hint %0" : : "i"(32 + i)); break;
	switch (n) {
	EACH(ASM)
	default:
		callee0(1);
	}
}

/* Calls in a loop: the table's address may be formed before it, and kept where a call does not change it. */
void in_loop(const unsigned char *p, int n)
{
#define STEP(i) case i: callee##i(cell + i); break;
	while (n--) {
		switch (*p++) {
		EACH(STEP)
		default:
			return;
		}
	}
}

/* Threaded code. */
int threaded(const unsigned char *p)
{
	static const void *const labels[] = { &&stop, &&up, &&down, &&twice };
	int sum = 0;

	goto *labels[*p++];
up:
	sum += cell;
	goto *labels[*p++];
down:
	sum -= cell;
	goto *labels[*p++];
twice:
	sum *= 2;
	goto *labels[*p++];
stop:
	return sum;
}

/* An array of functions, called and jumped to. */
int through_array(unsigned int n, int x)
{
	static void (*const functions[])(int) = { callee0, callee5, callee2, callee9 };

	if (n >= 4)
		return -1;
	functions[n](x);
	return cell;
}

void tail_call(unsigned int n, int x)
{
	static void (*const functions[])(int) = { callee1, callee4, callee3, callee8 };

	functions[n & 3](x);
}

/* Tables of data: no branch goes through them. */
int numbers(unsigned int n)
{
	switch (n) {
	case 0: return 17; case 1: return 3; case 2: return 99; case 3: return 4; case 4: return 1000;
	case 5: return 42; case 6: return 7; case 7: return 12; case 8: return -5;
	}
	return 0;
}

const char *names(unsigned int n)
{
	switch (n) {
	case 0: return "zero"; case 1: return "un"; case 2: return "deux"; case 3: return "trois";
	case 4: return "quatre"; case 5: return "cinq"; case 6: return "six"; case 7: return "sept";
	}
	return "?";
}

#ifdef FAR_APART
/* Cases so long that a byte does not reach. */
void far_apart(unsigned int n, int x)
{
#define LONG(i) case i: cell = x * (i + 3); cell = x ^ (i * 77); callee##i(cell + x / (i + 1)); \
	cell = cell * 3 + i; cell = cell / (x + i); callee##i(cell ^ x); cell = cell * x + cell / 7; break;
	switch (n) {
	EACH(LONG)
	}
}
#endif
