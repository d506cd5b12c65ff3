// SPDX-License-Identifier: GPL-2.0-or-later
/* A computed goto: every compiler makes `labels` a table of addresses, and no flag changes that. */

/* Runs up to 21 instructions of 3 bits, the lowest first; 0 ends. */
unsigned long interpret(unsigned long program, unsigned long value)
{
	static const void *const labels[] = {
		&&end, &&increment, &&twice, &&negate, &&invert, &&square, &&halve, &&mix,
	};

	goto *labels[program & 7];
increment:
	value += 1;
	program >>= 3;
	goto *labels[program & 7];
twice:
	value += value;
	program >>= 3;
	goto *labels[program & 7];
negate:
	value = -value;
	program >>= 3;
	goto *labels[program & 7];
invert:
	value = ~value;
	program >>= 3;
	goto *labels[program & 7];
square:
	value *= value;
	program >>= 3;
	goto *labels[program & 7];
halve:
	value >>= 1;
	program >>= 3;
	goto *labels[program & 7];
mix:
	value ^= 0x5a5a;
	program >>= 3;
	goto *labels[program & 7];
end:
	return value;
}
