/* SPDX-License-Identifier: MIT */
/*
 * How a program of the guest prints a row of a bench (docs/own-device.md):
 *
 *   # bench begin ROW
 *   # bench end ROW ops=N ns=TOTAL [bytes=BYTES-PER-OPERATION] [exits=EXPECTED]
 *
 * The host counts what happens between the two lines, so nothing may be printed
 * there, and the first line must have left before the work begins.
 */
#ifndef STOPWATCH_BENCH_H
#define STOPWATCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t bench_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Where KVM counts the exits, the host reads its counters while nothing happens. */
static inline void bench_pause(void)
{
	if (getenv("BENCH_PAUSE"))
		usleep(200000);
}

static inline void bench_begin(const char *row)
{
	printf("# bench begin %s\n", row);
	fflush(stdout);
	/* Of a terminal; a pipe has nothing to wait for. */
	tcdrain(STDOUT_FILENO);
	bench_pause();
}

/* @more: further words, or an empty string */
static inline void bench_end(const char *row, uint64_t ops, uint64_t ns, const char *more)
{
	bench_pause();
	printf("# bench end %s ops=%llu ns=%llu%s%s\n", row, (unsigned long long)ops,
	       (unsigned long long)ns, *more ? " " : "", more);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

static inline void bench_skip(const char *row, const char *reason)
{
	printf("# bench skip %s %s\n", row, reason);
	fflush(stdout);
}

/*
 * How many operations a row makes: $BENCH_OPS where the host counts exits, or as
 * many as take 25 to 50 ms. @operation makes that many and returns 0, or a negative
 * number, which this hands on.
 */
static inline int64_t bench_operations(int (*operation)(void *arg, uint64_t ops), void *arg)
{
	const char *given = getenv("BENCH_OPS");
	const uint64_t enough = 50000000;
	uint64_t ops, start, ns;
	int ret;

	if (given)
		return strtoll(given, NULL, 10);
	for (ops = 1;; ops *= ns < enough / 32 ? 16 : 2) {
		start = bench_ns();
		ret = operation(arg, ops);
		ns = bench_ns() - start;
		if (ret < 0)
			return ret;
		if (ns >= enough / 2)
			return ops;
	}
}

/* A whole row. Returns 0, or what @operation failed with. */
static inline int bench_row(const char *row, int (*operation)(void *arg, uint64_t ops), void *arg,
			    const char *more)
{
	int64_t ops = bench_operations(operation, arg);
	uint64_t start, ns;
	int ret;

	if (ops < 0)
		return ops;
	bench_begin(row);
	start = bench_ns();
	ret = operation(arg, ops);
	ns = bench_ns() - start;
	if (ret < 0)
		return ret;
	bench_end(row, ops, ns, more);
	return 0;
}

#endif
