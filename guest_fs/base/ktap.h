/* SPDX-License-Identifier: MIT */
/*
 * Tests in C that report in KTAP, version 1, as testing.sh does for scripts.
 *
 *   static const struct ktap_test tests[] = { { "reading", test_reading }, … };
 *   return ktap_report(tests, sizeof(tests) / sizeof(*tests));
 *
 * A test calls EXPECT() for what must hold, and goes on; or ktap_skip() and returns.
 */
#ifndef KTAP_H
#define KTAP_H

#include <stdio.h>
#include <stdlib.h>

struct ktap_test {
	const char *name;
	void (*run)(void);
};

static int ktap_bad;
static const char *ktap_skipped;

/* Each failure is a line that says where, and what was wrong. True if it holds. */
#define EXPECT(condition, ...) EXPECT_AS(#condition, condition, __VA_ARGS__)

/* Like EXPECT, but describes the condition as @what. */
#define EXPECT_AS(what, condition, ...) \
	((condition) ? 1 : (ktap_bad = 1, printf("# %s:%d: %s: ", __FILE__, __LINE__, what), \
			    printf(__VA_ARGS__), putchar('\n'), 0))

static inline void ktap_skip(const char *why)
{
	ktap_skipped = why;
}

/* Nothing can be tested: the rest of the plan is missing, and that is a failure. */
static inline void ktap_bail_out(const char *why)
{
	printf("Bail out! %s\n", why);
	exit(1);
}

/* Returns the program's exit status. */
static inline int ktap_report(const struct ktap_test *tests, int count)
{
	int failed = 0, skipped = 0;

	/* Lines of a program that crashes later, too. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..%d\n", count);
	for (int i = 0; i < count; i++) {
		ktap_bad = 0;
		ktap_skipped = NULL;
		tests[i].run();
		failed += ktap_bad;
		if (!ktap_bad && ktap_skipped) {
			skipped++;
			printf("ok %d %s # SKIP %s\n", i + 1, tests[i].name, ktap_skipped);
		} else {
			printf("%sok %d %s\n", ktap_bad ? "not " : "", i + 1, tests[i].name);
		}
	}
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n",
	       count - failed - skipped, failed, skipped);
	return failed > 0;
}

#endif /* KTAP_H */
