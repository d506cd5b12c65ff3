/* The tests of the exerciser, in the order in which they run. */
#ifndef TESTS_H
#define TESTS_H

struct test {
	const char *name;
	void (*run)(void);	/* in a process of its own; returns when it passed */
};

extern const struct test tests[];
extern const unsigned n_tests;

#endif
