#include "text.h"

enum { TCSBRK = 0x5409 };	/* include/uapi/asm-generic/ioctls.h; with 1: wait until all is sent */

static void add_character(struct line *line, char character)
{
	if (line->length < sizeof(line->text) - 1)
		line->text[line->length++] = character;
}

void add_text(struct line *line, const char *text)
{
	while (*text)
		add_character(line, *text++);
}

void add_decimal(struct line *line, s64 value)
{
	char digits[20];
	u32 n = 0;
	u64 rest = value < 0 ? -(u64)value : (u64)value;

	do
		digits[n++] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		add_character(line, '-');
	while (n)
		add_character(line, digits[--n]);
}

void add_hex(struct line *line, u64 value)
{
	int shift = 60;

	add_text(line, "0x");
	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		add_character(line, "0123456789abcdef"[value >> shift & 15]);
}

void print_line(struct line *line)
{
	u32 done = 0;

	line->text[line->length++] = '\n';
	while (done < line->length) {
		long n = sys3(SYS_WRITE, 1, line->text + done, line->length - done);

		if (n <= 0)
			break;
		done += (u32)n;
	}
	ioctl(1, TCSBRK, 1);
	line->length = 0;
}

void print_text(const char *text)
{
	struct line line = { .length = 0 };

	add_text(&line, text);
	print_line(&line);
}

/* The compiler calls these by itself. The empty asm keeps it from making a call of the loop again. */
void *memcpy(void *to, const void *from, u64 bytes);
void *memset(void *to, int value, u64 bytes);

void *memcpy(void *to, const void *from, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++) {
		((char *)to)[i] = ((const char *)from)[i];
		__asm__ volatile("" ::: "memory");
	}
	return to;
}

void *memset(void *to, int value, u64 bytes)
{
	for (u64 i = 0; i < bytes; i++) {
		((char *)to)[i] = (char)value;
		__asm__ volatile("" ::: "memory");
	}
	return to;
}
