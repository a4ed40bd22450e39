// SPDX-License-Identifier: GPL-2.0-or-later OR MIT
/*
 * stopwatch [--id ID] COMMAND: uses a stopwatch through its file in /dev.
 *
 *   start | pause | reset	changes its state
 *   show			prints the elapsed time
 *   lap			takes a lap, and prints it
 *   lap COUNT			takes COUNT laps with one doorbell, and prints them
 *   laps			prints the laps that are in the ring
 *   watch [SECONDS]		prints the elapsed time ten times a second
 *   timeout SECONDS		waits until a timeout of so many seconds has come
 *   timeout			prints how many timeouts there were
 *   bench			times each of these ways (guest_fs/base/bench.h)
 *
 * Of several stopwatches it means the first one, or the one with this id in the
 * machine. SECONDS may have a fraction.
 *
 * Exit status: 0 done, 1 refused or no stopwatch, 2 wrong usage.
 */
#define _GNU_SOURCE
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"
#include "stopwatch_open.h"
#include "stopwatch_page.h"

#define NS 1000000000ULL

static const char *command;
static char file_name[64] = "/dev/stopwatch*";
static int fd;

static void misused(void)
{
	fputs("usage: stopwatch [--id ID] start|pause|reset|show|lap|laps\n"
	      "       stopwatch [--id ID] lap COUNT\n"
	      "       stopwatch [--id ID] watch|timeout [SECONDS]\n"
	      "       stopwatch [--id ID] bench\n", stderr);
	exit(2);
}

/* Why the driver says so (stopwatch_uapi.h). */
static const char *meaning(int error)
{
	switch (error) {
	case EBADFD:
		return "refused in this state";
	case ERANGE:
		return "the device takes timeouts of up to 10 seconds; version 1 takes whole ones";
	case EBUSY:
		return "a timeout is under way";
	case EOPNOTSUPP:
		return "this device cannot do that";
	case ENODEV:
		return "there is no such stopwatch, or its driver is not bound";
	default:
		return strerror(error);
	}
}

static void fail(void)
{
	int error = errno;

	fprintf(stderr, "stopwatch: %s: %s (%s)\n", command, meaning(error),
		strerrorname_np(error));
	exit(1);
}

static void request(unsigned long number, void *argument)
{
	if (ioctl(fd, number, argument))
		fail();
}

static const void *map(off_t offset)
{
	void *mapped = mmap(NULL, STOPWATCH_MMAP_SIZE, PROT_READ, MAP_SHARED, fd, offset);

	return mapped == MAP_FAILED ? NULL : mapped;
}

static bool has(uint64_t feature)
{
	struct stopwatch_info info;

	request(STOPWATCH_IOC_INFO, &info);
	return info.features & feature;
}

static void print_ns(const char *before, uint64_t ns)
{
	printf("%s%llu.%09llu\n", before, ns / NS, ns % NS);
}

static void show(void)
{
	char text[STOPWATCH_DATA_SIZE + 1];
	ssize_t length = read(fd, text, sizeof(text));

	if (length < 0)
		fail();
	fwrite(text, 1, length, stdout);
}

static void print_lap(uint64_t number, uint64_t ns)
{
	char before[32];

	snprintf(before, sizeof(before), "lap %llu: ", (unsigned long long)number);
	print_ns(before, ns);
}

static void lap(void)
{
	struct stopwatch_lap taken;

	request(STOPWATCH_IOC_LAP, &taken);
	print_lap(taken.number, taken.elapsed_ns);
}

/* Timed here by the counter: only handing them over is a trap, and one for all. */
static void time_laps(struct stopwatch_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		batch->laps[i].counter = counter_now();
	request(STOPWATCH_IOC_BATCH, batch);
}

static void lap_batch(uint32_t count)
{
	struct stopwatch_batch batch = { .count = count };

	time_laps(&batch);
	for (uint32_t i = 0; i < count; i++)
		print_lap(batch.first + i, batch.laps[i].elapsed_ns);
}

static void print_laps(void)
{
	const struct stopwatch_laps *laps;
	uint64_t head, number, ns;

	if (!has(STOPWATCH_FEATURE_LAPS)) {
		errno = EOPNOTSUPP;
		fail();
	}
	laps = map(STOPWATCH_MMAP_LAPS);
	if (!laps)
		fail();
	head = laps_head(laps);
	number = laps_first(laps, head);
	if (number)
		printf("%llu older laps were overwritten\n", (unsigned long long)number);
	for (; number < head; number++)
		if (laps_read_ns(laps, number, &ns))
			print_lap(number, ns);
}

/* Returns NULL if the device has no live page. */
static const struct stopwatch_page *map_page(void)
{
	const struct stopwatch_page *page = NULL;

	if (has(STOPWATCH_FEATURE_LIVE_PAGE))
		page = map(STOPWATCH_MMAP_PAGE);
	return page && page_is_known(page) ? page : NULL;
}

/* From the live page, if there is one that says it: no trap. */
static uint64_t elapsed_ns(const struct stopwatch_page *page)
{
	uint64_t ns;

	if (!page || !page_read_ns(page, &ns))
		request(STOPWATCH_IOC_ELAPSED_NS, &ns);
	return ns;
}

static void watch(double seconds)
{
	const struct timespec tenth = { .tv_nsec = NS / 10 };
	const struct stopwatch_page *page = map_page();

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (double past = 0; past < seconds; past += 0.1) {
		print_ns("", elapsed_ns(page));
		nanosleep(&tenth, NULL);
	}
}

static void wait_for_timeout(double seconds)
{
	struct pollfd wanted = { .fd = fd, .events = POLLPRI };
	uint64_t ns = seconds * NS + 0.5;

	/* 0 would cancel a timeout, and nothing would come. */
	if (!ns) {
		errno = ERANGE;
		fail();
	}
	request(STOPWATCH_IOC_TIMEOUT, &ns);
	if (poll(&wanted, 1, -1) < 0)
		fail();
	if (wanted.revents & POLLHUP) {
		errno = ENODEV;
		fail();
	}
}

static void print_timeouts(void)
{
	struct stopwatch_status status;

	request(STOPWATCH_IOC_STATUS, &status);
	printf("%llu\n", (unsigned long long)status.timeouts);
}

static int bench_ioctl(void *ns, uint64_t ops)
{
	for (; ops; ops--)
		request(STOPWATCH_IOC_ELAPSED_NS, ns);
	return 0;
}

static int bench_page(void *page, uint64_t ops)
{
	uint64_t ns;

	for (; ops; ops--)
		if (!page_read_ns(page, &ns))
			return -1;
	return 0;
}

static int bench_lap(void *taken, uint64_t ops)
{
	for (; ops; ops--)
		request(STOPWATCH_IOC_LAP, taken);
	return 0;
}

static int bench_batch(void *batch, uint64_t ops)
{
	for (; ops; ops--)
		time_laps(batch);
	return 0;
}

/* The latest one, which is never overwritten meanwhile. */
static int bench_read_lap(void *laps, uint64_t ops)
{
	uint64_t ns;

	for (; ops; ops--)
		if (!laps_read_ns(laps, laps_head(laps) - 1, &ns))
			return -1;
	return 0;
}

/*
 * From the deadline of a timeout of 10 ms to the interrupt handler, or to poll()
 * having returned. The timeout begins in the middle of the ioctl that arms it.
 */
static void latency_row(const char *row, bool to_poll)
{
	struct pollfd wanted = { .fd = fd, .events = POLLPRI };
	const uint64_t length = NS / 100;
	const char *given = getenv("BENCH_OPS");
	uint64_t ops = given ? strtoull(given, NULL, 10) : 10;
	uint64_t sum = 0, before, armed, woken, n;
	struct stopwatch_status status;

	request(STOPWATCH_IOC_STATUS, &status);
	bench_begin(row);
	for (n = 0; n < ops; n++) {
		before = bench_ns();
		request(STOPWATCH_IOC_TIMEOUT, (void *)&length);
		armed = (before + bench_ns()) / 2;
		poll(&wanted, 1, -1);
		woken = bench_ns();
		request(STOPWATCH_IOC_STATUS, &status);
		sum += (to_poll ? woken : status.timeout_time_ns) - armed - length;
	}
	/* Three accesses each to arm it, to acknowledge it, and to ask for the status. */
	bench_end(row, ops, sum, "exits=9");
}

static void bench(void)
{
	void *page = (void *)map_page(), *laps = NULL;
	struct page_snapshot was;
	struct stopwatch_batch batch = { .count = STOPWATCH_REQUESTS_CAPACITY };
	struct stopwatch_lap taken;
	uint64_t ns;

	if (has(STOPWATCH_FEATURE_ELAPSED_NS))
		bench_row("elapsed/ioctl", bench_ioctl, &ns, "exits=1");
	else
		bench_skip("elapsed/ioctl", "the device has no register ELAPSED_NS");

	if (page)
		while (!page_try(page, &was))
			;
	if (page && page_is_valid(&was))
		bench_row("elapsed/page_mmap", bench_page, page, "exits=0");
	else
		bench_skip("elapsed/page_mmap", "there is no live page with a valid counter");

	if (has(STOPWATCH_FEATURE_LAPS))
		laps = (void *)map(STOPWATCH_MMAP_LAPS);
	if (laps) {
		/* What the driver makes of a command: clears ERROR, writes COMMAND, reads ERROR. */
		bench_row("laps/command", bench_lap, &taken, "exits=3");
		bench_row("laps/read", bench_read_lap, laps, "exits=0");
	} else {
		bench_skip("laps/command", "the device has no laps");
		bench_skip("laps/read", "the device has no laps");
	}
	/* An operation is a batch: 32 laps. */
	if (has(STOPWATCH_FEATURE_REQUESTS))
		bench_row("laps/batch", bench_batch, &batch, "exits=1");
	else
		bench_skip("laps/batch", "the device has no request ring");

	if (has(STOPWATCH_FEATURE_TIMEOUT)) {
		latency_row("latency/timer_handler", false);
		latency_row("latency/timer_poll", true);
	}
}

static double seconds_of(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	/* What no device could do either would not fit into the number. */
	if (end == text || *end || !(seconds >= 0 && seconds < 1e6))
		misused();
	return seconds;
}

static uint32_t count_of(const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (end == text || *end || count < 1 || count > STOPWATCH_REQUESTS_CAPACITY)
		misused();
	return count;
}

static void open_stopwatch(const char *id)
{
	char directory[256];

	if (stopwatch_find(id, directory, sizeof(directory)) ||
	    stopwatch_path(directory, file_name, sizeof(file_name)))
		fail();
	fd = open(file_name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail();
}

static bool is(const char *name)
{
	return !strcmp(command, name);
}

int main(int argc, char **argv)
{
	const char *id = NULL, *argument;

	if (argc > 2 && !strcmp(argv[1], "--id")) {
		id = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 2 || argc > 3)
		misused();
	command = argv[1];
	argument = argv[2];
	if (argument && !is("watch") && !is("timeout") && !is("lap"))
		misused();

	open_stopwatch(id);
	if (is("start"))
		request(STOPWATCH_IOC_START, NULL);
	else if (is("pause"))
		request(STOPWATCH_IOC_PAUSE, NULL);
	else if (is("reset"))
		request(STOPWATCH_IOC_RESET, NULL);
	else if (is("show"))
		show();
	else if (is("lap") && argument)
		lap_batch(count_of(argument));
	else if (is("lap"))
		lap();
	else if (is("laps"))
		print_laps();
	else if (is("bench"))
		bench();
	else if (is("watch"))
		watch(argument ? seconds_of(argument) : INFINITY);
	else if (is("timeout") && argument)
		wait_for_timeout(seconds_of(argument));
	else if (is("timeout"))
		print_timeouts();
	else
		misused();
	return 0;
}
