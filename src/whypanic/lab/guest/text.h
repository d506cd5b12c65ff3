/* Lines on the console: each is written at once and is out before the next statement runs. */
#ifndef TEXT_H
#define TEXT_H

#include "sys.h"

struct line {
	u32 length;
	char text[252];
};

void add_text(struct line *line, const char *text);
void add_decimal(struct line *line, s64 value);
void add_hex(struct line *line, u64 value);
void print_line(struct line *line);
void print_text(const char *text);

#endif
