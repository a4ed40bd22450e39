// SPDX-License-Identifier: GPL-2.0-or-later OR MIT
/*
 * stopwatch_dev_test [ID]: tests /dev/stopwatchN, the live page and the lap ring.
 *
 * causes: commands=20 texts=3
 *
 * Reports in KTAP. For the host's cross-check it prints what it saw and what it
 * caused, as stopwatch_test.sh does, and
 *
 *   # observe page=SEQ STATE ACCUMULATED	after each change of the live page
 *   # observe lap=NS			each split that it found in the ring
 *
 * The page is compared with the register ELAPSED_NS, which is read before and
 * after: what the page says must lie between, but for the error that it states.
 *
 * With several processors the test `torn` has readers on all of them while the
 * device writes; TORN_READS in the environment says how often each of them reads.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <time.h>

#include "ktap.h"
#include "stopwatch_open.h"
#include "stopwatch_page.h"

#define NS 1000000000ULL

typedef unsigned long long ull;

static char directory[256], path[64];
static const char *chosen;
static int fd;
static uint64_t features;
static const struct stopwatch_page *page;
static const struct stopwatch_laps *laps;
static bool bound_again;
static int commands, texts, interrupts, lap_count;

/* The error, or 0. Commands of the device are counted: each is one write to COMMAND. */
static int request(unsigned long number, void *argument)
{
	int error = ioctl(fd, number, argument) ? errno : 0;

	if (_IOC_NR(number) <= STOPWATCH_CMD_LAP && number != STOPWATCH_IOC_TIMEOUT)
		commands++;
	return error;
}

#define EXPECT_ERROR(got, expected) do {						\
	int error_ = (got);								\
											\
	EXPECT_AS(#got, error_ == (expected), "expected %s, got %s",			\
		  strerrorname_np(expected), strerrorname_np(error_));			\
} while (0)

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

static struct stopwatch_status status(void)
{
	struct stopwatch_status status = {};

	EXPECT_ERROR(request(STOPWATCH_IOC_STATUS, &status), 0);
	printf("# observe status=%llu\n", (ull)status.state);
	if (features & STOPWATCH_FEATURE_ELAPSED_NS)
		printf("# observe elapsed_ns=%llu\n", (ull)status.elapsed_ns);
	/* A driver that was bound again counts from 0, and the device does not. */
	if (!bound_again)
		printf("# observe interrupts=%llu\n", (ull)status.timeouts);
	return status;
}

static void expect_state(uint64_t expected)
{
	uint64_t state = status().state;

	EXPECT(state == expected, "expected %llu, got %llu", (ull)expected, (ull)state);
}

/* Through the register. */
static uint64_t elapsed_ns(void)
{
	uint64_t ns = 0;

	EXPECT_ERROR(request(STOPWATCH_IOC_ELAPSED_NS, &ns), 0);
	printf("# observe elapsed_ns=%llu\n", (ull)ns);
	return ns;
}

static void test_opening(void)
{
	struct stopwatch_info info = {};

	if (stopwatch_find(chosen, directory, sizeof(directory)) < 0)
		ktap_bail_out("there is no stopwatch, or no driver is bound");
	if (stopwatch_path(directory, path, sizeof(path)))
		ktap_bail_out("the driver has made no file in /dev");
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ktap_bail_out("the file cannot be opened");
	EXPECT_ERROR(request(STOPWATCH_IOC_INFO, &info), 0);
	EXPECT(info.version >= 1 && !info.reserved, "version %u", info.version);
	features = info.features;
	printf("# %s: version %u, features %#llx\n", path, info.version, (ull)features);
}

static bool can_refuse(void)
{
	return features & STOPWATCH_FEATURE_ERROR;
}

/* One text at a time, whole or in pieces, and an end. */
static void test_reading(void)
{
	char text[160], pieces[160];
	ssize_t length, piece, read_so_far = 0;

	length = pread(fd, text, sizeof(text), 0);
	commands++;
	texts++;
	if (!EXPECT(length > 0, "%s", strerrorname_np(errno)))
		return;
	printf("# observe text=%.*s", (int)length, text);
	EXPECT(text[length - 1] == '\n', "no newline at the end");
	EXPECT(!memcmp(text + length - 9, " seconds", 8), "got '%.*s'", (int)length, text);
	EXPECT(pread(fd, text, sizeof(text), length) == 0, "no end");
	EXPECT(pread(fd, text, sizeof(text), length + 100) == 0, "no end");

	while ((piece = read(fd, pieces + read_so_far, 3)) > 0)
		read_so_far += piece;
	commands++;
	texts++;
	EXPECT(piece == 0, "%s", strerrorname_np(errno));
	printf("# observe text=%.*s", (int)read_so_far, pieces);
	EXPECT(read(fd, text, sizeof(text)) == 0, "no end");
	EXPECT(pread(fd, text, 5, 2) == 5 && !memcmp(text, pieces + 2, 5), "another text");

	EXPECT(lseek(fd, 0, SEEK_SET) == 0, "%s", strerrorname_np(errno));
	length = read(fd, text, sizeof(text));
	commands++;
	texts++;
	EXPECT(length >= read_so_far, "%zd bytes, and there were %zd", length, read_so_far);
	printf("# observe text=%.*s", (int)length, text);
	lseek(fd, 0, SEEK_SET);
}

static void test_commands(void)
{
	struct stopwatch_text text;

	EXPECT_ERROR(request(STOPWATCH_IOC_RESET, NULL), 0);
	expect_state(STOPWATCH_STATUS_RESET);
	if (can_refuse())
		EXPECT_ERROR(request(STOPWATCH_IOC_PAUSE, NULL), EBADFD);
	EXPECT_ERROR(request(STOPWATCH_IOC_UPDATE, &text), 0);
	texts++;
	printf("# observe text=%s\n", text.text);
	EXPECT(!strcmp(text.text, "0.00 seconds"), "got '%s'", text.text);
	EXPECT_ERROR(request(STOPWATCH_IOC_START, NULL), 0);
	if (can_refuse())
		EXPECT_ERROR(request(STOPWATCH_IOC_START, NULL), EBADFD);
	expect_state(STOPWATCH_STATUS_RUNNING);
	EXPECT_ERROR(request(STOPWATCH_IOC_PAUSE, NULL), 0);
	expect_state(STOPWATCH_STATUS_PAUSED);
}

/* None of these gets to the device. */
static void test_misuse(void)
{
	int reader = open(path, O_RDONLY | O_CLOEXEC), own = fd;
	struct stopwatch_batch batch = { .count = 1 };
	uint64_t ns = NS;

	fd = reader;
	EXPECT(reader >= 0, "%s", strerrorname_np(errno));
	EXPECT(ioctl(fd, STOPWATCH_IOC_START) < 0 && errno == EBADF, "START without writing");
	EXPECT(ioctl(fd, STOPWATCH_IOC_TIMEOUT, &ns) < 0 && errno == EBADF, "TIMEOUT likewise");
	EXPECT(ioctl(fd, STOPWATCH_IOC_BATCH, &batch) < 0 && errno == EBADF, "BATCH likewise");
	expect_state(STOPWATCH_STATUS_PAUSED);
	close(reader);

	fd = own;
	EXPECT_ERROR(request(_IO(STOPWATCH_IOC_MAGIC, 0x7f), NULL), ENOTTY);
	EXPECT_ERROR(request(_IO(0x54, 1), NULL), ENOTTY);
	EXPECT_ERROR(request(STOPWATCH_IOC_STATUS, NULL), EFAULT);
	EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, NULL), EFAULT);
	EXPECT(write(fd, "1", 1) < 0, "it takes what is written");
	/* What writes into the page is refused like any other bad address. */
	if (page)
		EXPECT_ERROR(request(STOPWATCH_IOC_STATUS, (void *)page), EFAULT);
}

static int poll_for(int file, int milliseconds)
{
	struct pollfd wanted = { .fd = file, .events = POLLIN | POLLPRI };

	poll(&wanted, 1, milliseconds);
	return wanted.revents;
}

static void test_polling(void)
{
	struct pollfd wanted = { .fd = fd, .events = POLLPRI };
	struct stopwatch_status was = status(), is;
	/* Version 1 takes whole seconds. */
	bool short_ones = features & STOPWATCH_FEATURE_TIMEOUT;
	uint64_t ns = short_ones ? NS / 50 : NS, none = 0, before;
	int other;

	EXPECT(poll_for(fd, 0) == POLLIN, "got %#x", poll_for(fd, 0));
	before = now_ns();
	EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &ns), 0);
	if (can_refuse())
		EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &ns), EBUSY);
	/* For ever: after a limit it would look again, and find what nothing woke it for. */
	EXPECT(poll(&wanted, 1, -1) == 1, "%s", strerrorname_np(errno));
	EXPECT(wanted.revents == POLLPRI, "got %#x", wanted.revents);
	interrupts++;

	EXPECT(poll_for(fd, 0) == (POLLIN | POLLPRI), "got %#x", poll_for(fd, 0));
	other = open(path, O_RDONLY | O_CLOEXEC);
	EXPECT(poll_for(other, 0) == POLLIN, "a timeout of before it was opened");
	close(other);
	is = status();
	EXPECT(poll_for(fd, 0) == POLLIN, "got %#x", poll_for(fd, 0));
	EXPECT(is.timeouts == was.timeouts + 1, "%llu, then %llu", (ull)was.timeouts, (ull)is.timeouts);
	EXPECT(is.timeout_time_ns >= before + ns, "before the deadline: %llu, %llu",
	       (ull)before, (ull)is.timeout_time_ns);
	EXPECT(is.timeout_time_ns <= now_ns(), "in the future: %llu", (ull)is.timeout_time_ns);
	EXPECT(!is.timeout_ns, "%llu ns left", (ull)is.timeout_ns);
	if (!short_ones) {
		EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &none), ERANGE);
		ns = NS + 1;
		EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &ns), ERANGE);
		return;
	}

	ns = 5 * NS;
	EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &ns), 0);
	is = status();
	EXPECT(is.timeout_ns && is.timeout_ns <= ns, "%llu ns left", (ull)is.timeout_ns);
	EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &none), 0);
	EXPECT(!status().timeout_ns, "not cancelled");
	ns = STOPWATCH_TIMEOUT_MAX_NS + 1;
	EXPECT_ERROR(request(STOPWATCH_IOC_TIMEOUT, &ns), ERANGE);
}

static int map_error(size_t length, int protection, int flags, off_t offset)
{
	void *mapped = mmap(NULL, length, protection, flags, fd, offset);

	if (mapped == MAP_FAILED)
		return errno;
	munmap(mapped, length);
	return 0;
}

static void test_mapping(void)
{
	const int size = STOPWATCH_MMAP_SIZE;
	int expected_page = features & STOPWATCH_FEATURE_LIVE_PAGE ? 0 : EINVAL;
	int expected_laps = features & STOPWATCH_FEATURE_LAPS ? 0 : EINVAL;
	void *mapped;

	EXPECT_ERROR(map_error(size, PROT_READ, MAP_SHARED, 0), EINVAL);
	EXPECT_ERROR(map_error(size, PROT_READ, MAP_SHARED, STOPWATCH_MMAP_LAPS + size), EINVAL);
	EXPECT_ERROR(map_error(size, PROT_READ, MAP_SHARED, 1L << 44), EINVAL);
	EXPECT_ERROR(map_error(3 * size, PROT_READ, MAP_SHARED, STOPWATCH_MMAP_PAGE), EINVAL);
	EXPECT_ERROR(map_error(2 * size, PROT_READ, MAP_SHARED, STOPWATCH_MMAP_LAPS), EINVAL);
	EXPECT_ERROR(map_error(size, PROT_READ | PROT_WRITE, MAP_SHARED, STOPWATCH_MMAP_PAGE), EACCES);
	EXPECT_ERROR(map_error(size, PROT_READ | PROT_WRITE, MAP_PRIVATE, STOPWATCH_MMAP_LAPS), EACCES);
	EXPECT_ERROR(map_error(size, PROT_READ | PROT_EXEC, MAP_SHARED, STOPWATCH_MMAP_PAGE), EACCES);
	EXPECT_ERROR(map_error(size, PROT_READ, MAP_SHARED, STOPWATCH_MMAP_PAGE), expected_page);
	EXPECT_ERROR(map_error(size, PROT_READ, MAP_PRIVATE, STOPWATCH_MMAP_LAPS), expected_laps);
	if (expected_page || expected_laps) {
		ktap_skip("the device has no live page, or no laps");
		return;
	}

	mapped = mmap(NULL, 2 * size, PROT_READ, MAP_SHARED, fd, STOPWATCH_MMAP_PAGE);
	if (!EXPECT(mapped != MAP_FAILED, "%s", strerrorname_np(errno)))
		return;
	EXPECT(mprotect(mapped, size, PROT_READ | PROT_WRITE) && errno == EACCES, "it can be written");
	EXPECT(mprotect(mapped, size, PROT_READ | PROT_EXEC) && errno == EACCES, "it can be executed");
	page = mapped;
	laps = mapped + size;
	EXPECT(page_is_known(page), "magic %#x, size %u, version %u", le32toh(page->magic),
	       le32toh(page->size), le32toh(page->version));
	EXPECT(load64(&laps->capacity) > 1, "capacity %llu", (ull)load64(&laps->capacity));
}

static bool has_page(void)
{
	if (!page)
		ktap_skip("the device has no live page");
	return page;
}

static struct page_snapshot snapshot(void)
{
	struct page_snapshot was;

	while (!page_try(page, &was))
		;
	return was;
}

/* The page says the same as the register, to within its error. */
static void expect_page_right(void)
{
	uint64_t before = elapsed_ns(), ns = 0, after;
	struct page_snapshot was = snapshot();
	bool valid = page_read_ns(page, &ns);

	after = elapsed_ns();
	if (was.state == STOPWATCH_STATUS_RUNNING && !page_is_valid(&was)) {
		EXPECT(!valid, "a time without a valid counter");
		return;
	}
	if (!EXPECT(valid, "no time"))
		return;
	EXPECT(ns + was.error >= before && ns <= after + was.error,
	       "state %llu: register %llu, page %llu, register %llu, error %llu", (ull)was.state,
	       (ull)before, (ull)ns, (ull)after, (ull)was.error);
}

/* A command that the device takes, and writes the page for; or one that it does not. */
static void perform(unsigned long number, int refused, uint64_t writes, uint64_t state)
{
	struct page_snapshot was = snapshot(), is;

	EXPECT_ERROR(request(number, NULL), refused);
	is = snapshot();
	EXPECT(is.seq == (uint32_t)(was.seq + 2 * writes), "from %u to %u", was.seq, is.seq);
	EXPECT(is.state == state, "state %llu", (ull)is.state);
	EXPECT(is.disruption == was.disruption, "from %llu to %llu", (ull)was.disruption,
	       (ull)is.disruption);
	if (writes)
		printf("# observe page=%u %llu %llu\n", is.seq, (ull)is.state, (ull)is.accumulated);
	expect_page_right();
}

static void test_live_page(void)
{
	struct page_snapshot was;

	if (!has_page())
		return;
	was = snapshot();
	EXPECT(!was.flags || was.flags == STOPWATCH_PAGE_FLAG_COUNTER_INVALID, "%#llx", (ull)was.flags);
	if (page_is_valid(&was)) {
		uint64_t tick = (NS + was.frequency - 1) / was.frequency;

		EXPECT(was.error >= NS / was.frequency && was.error <= tick, "error %llu, tick %llu",
		       (ull)was.error, (ull)tick);
	}
	for (int round = 0; round < 2; round++) {
		perform(STOPWATCH_IOC_RESET, 0, 1, STOPWATCH_STATUS_RESET);
		EXPECT(!snapshot().accumulated, "%llu", (ull)snapshot().accumulated);
		perform(STOPWATCH_IOC_PAUSE, EBADFD, 0, STOPWATCH_STATUS_RESET);
		perform(STOPWATCH_IOC_START, 0, 1, STOPWATCH_STATUS_RUNNING);
		perform(STOPWATCH_IOC_START, EBADFD, 0, STOPWATCH_STATUS_RUNNING);
		usleep(1000);
		expect_page_right();
		perform(STOPWATCH_IOC_PAUSE, 0, 1, STOPWATCH_STATUS_PAUSED);
		perform(STOPWATCH_IOC_PAUSE, 0, 0, STOPWATCH_STATUS_PAUSED);
		usleep(1000);
		expect_page_right();
		perform(STOPWATCH_IOC_START, 0, 1, STOPWATCH_STATUS_RUNNING);
	}
}

/* While nothing changes, no reading is smaller than the one before. */
static void test_monotonic(void)
{
	uint64_t last = 0, ns;

	if (!has_page())
		return;
	for (int i = 0; i < 1000; i++) {
		if (!page_read_ns(page, &ns)) {
			ktap_skip("the counter is not valid");
			return;
		}
		if (!EXPECT(ns >= last, "from %llu to %llu", (ull)last, (ull)ns))
			return;
		last = ns;
	}
}

/* A lap through the driver and through the ring is the same, and between two readings. */
static void take_lap(uint64_t number)
{
	uint64_t before = elapsed_ns(), head = laps_head(laps), ns = 0, after;
	struct stopwatch_lap taken = {};

	EXPECT_ERROR(request(STOPWATCH_IOC_LAP, &taken), 0);
	lap_count++;
	after = elapsed_ns();
	EXPECT(taken.number == number && head == number && laps_head(laps) == number + 1,
	       "expected %llu, got %llu; head was %llu and is %llu", (ull)number, (ull)taken.number,
	       (ull)head, (ull)laps_head(laps));
	EXPECT(laps_read_ns(laps, number, &ns), "it is not in the ring");
	printf("# observe lap=%llu\n", (ull)ns);
	EXPECT(ns == taken.elapsed_ns, "%llu in the ring, %llu by ioctl", (ull)ns, (ull)taken.elapsed_ns);
	EXPECT(ns >= before && ns <= after, "%llu is not from %llu to %llu", (ull)ns, (ull)before,
	       (ull)after);
}

static void test_laps(void)
{
	struct stopwatch_lap taken;
	uint64_t head;

	if (!laps) {
		EXPECT_ERROR(ioctl(fd, STOPWATCH_IOC_LAP, &taken) ? errno : 0, EOPNOTSUPP);
		ktap_skip("the device has no laps");
		return;
	}
	head = laps_head(laps);
	EXPECT_ERROR(request(STOPWATCH_IOC_RESET, NULL), 0);
	EXPECT_ERROR(request(STOPWATCH_IOC_LAP, &taken), EBADFD);
	EXPECT(laps_head(laps) == head, "RESET and a refused lap moved it to %llu", (ull)laps_head(laps));
	EXPECT_ERROR(request(STOPWATCH_IOC_START, NULL), 0);
	take_lap(head);
	take_lap(head + 1);
	EXPECT_ERROR(request(STOPWATCH_IOC_PAUSE, NULL), 0);
	take_lap(head + 2);
	EXPECT(laps_read_ns(laps, head, &(uint64_t){ 0 }), "the first one is not in the ring any more");
	EXPECT_ERROR(request(STOPWATCH_IOC_START, NULL), 0);
}

/* Hands over laps of the counter; each lap and the number of the first are in the ring. */
static void take_batch(struct stopwatch_batch *batch)
{
	uint64_t head = laps_head(laps), ns = 0;

	EXPECT_ERROR(request(STOPWATCH_IOC_BATCH, batch), 0);
	lap_count += batch->count;
	EXPECT(batch->first == head && laps_head(laps) == head + batch->count,
	       "%u laps from %llu on; head was %llu and is %llu", batch->count, (ull)batch->first,
	       (ull)head, (ull)laps_head(laps));
	for (uint32_t i = 0; i < batch->count; i++) {
		EXPECT(laps_read_ns(laps, head + i, &ns), "lap %u is not in the ring", i);
		printf("# observe lap=%llu\n", (ull)ns);
		EXPECT(ns == batch->laps[i].elapsed_ns, "%llu in the ring, %llu by ioctl", (ull)ns,
		       (ull)batch->laps[i].elapsed_ns);
	}
}

/* A lap is timed when the counter is read, not when the doorbell rings. */
static void test_batch(void)
{
	struct stopwatch_batch batch = { .count = STOPWATCH_REQUESTS_CAPACITY };
	uint64_t before, after, ns[STOPWATCH_REQUESTS_CAPACITY];
	struct page_snapshot was;

	if (!(features & STOPWATCH_FEATURE_REQUESTS)) {
		EXPECT_ERROR(request(STOPWATCH_IOC_BATCH, &batch), EOPNOTSUPP);
		ktap_skip("the device has no request ring");
		return;
	}
	batch.count = 0;
	EXPECT_ERROR(request(STOPWATCH_IOC_BATCH, &batch), EINVAL);
	batch.count = STOPWATCH_REQUESTS_CAPACITY + 1;
	EXPECT_ERROR(request(STOPWATCH_IOC_BATCH, &batch), EINVAL);
	batch = (struct stopwatch_batch) { .count = 1, .reserved = 1 };
	EXPECT_ERROR(request(STOPWATCH_IOC_BATCH, &batch), EINVAL);

	batch = (struct stopwatch_batch) { .count = 2 };
	EXPECT_ERROR(request(STOPWATCH_IOC_RESET, NULL), 0);
	EXPECT_ERROR(request(STOPWATCH_IOC_BATCH, &batch), EBADFD);
	EXPECT_ERROR(request(STOPWATCH_IOC_START, NULL), 0);
	usleep(1000);

	was = snapshot();
	if (page_is_valid(&was)) {
		/* Two from before START, one from the future. */
		batch = (struct stopwatch_batch) { .count = 3 };
		batch.laps[0].counter = was.counter - 1;
		batch.laps[2].counter = ~0ULL;
		before = elapsed_ns();
		take_batch(&batch);
		after = elapsed_ns();
		EXPECT(!batch.laps[0].elapsed_ns && !batch.laps[1].elapsed_ns, "%llu and %llu",
		       (ull)batch.laps[0].elapsed_ns, (ull)batch.laps[1].elapsed_ns);
		EXPECT(batch.laps[2].elapsed_ns >= before && batch.laps[2].elapsed_ns <= after,
		       "%llu is not from %llu to %llu", (ull)batch.laps[2].elapsed_ns, (ull)before,
		       (ull)after);
	}

	batch = (struct stopwatch_batch) { .count = STOPWATCH_REQUESTS_CAPACITY };
	before = elapsed_ns();
	for (uint32_t i = 0; i < batch.count; i++) {
		was.now = counter_now();
		batch.laps[i].counter = was.now;
		ns[i] = page_is_valid(&was) ? page_elapsed_ns(&was) : before;
	}
	usleep(1000);
	take_batch(&batch);
	after = elapsed_ns();
	for (uint32_t i = 0; i < batch.count; i++) {
		uint64_t split = batch.laps[i].elapsed_ns;

		EXPECT(split + was.error >= before && split <= after, "%llu is not from %llu to %llu",
		       (ull)split, (ull)before, (ull)after);
		if (page_is_valid(&was))
			EXPECT(split < ns[i] + was.error && ns[i] < split + was.error,
			       "%llu, and %llu by the page", (ull)split, (ull)ns[i]);
	}
}

/* Those that are overwritten are known to be. */
static void test_overrun(void)
{
	struct stopwatch_lap taken[STOPWATCH_LAPS_CAPACITY_VALUE];
	uint64_t head, capacity, ns;

	if (!laps) {
		ktap_skip("the device has no laps");
		return;
	}
	head = laps_head(laps);
	capacity = load64(&laps->capacity);
	if (!EXPECT(capacity == STOPWATCH_LAPS_CAPACITY_VALUE, "capacity %llu", (ull)capacity))
		return;
	for (uint64_t i = 0; i < capacity; i++) {
		EXPECT_ERROR(request(STOPWATCH_IOC_LAP, &taken[i]), 0);
		lap_count++;
		EXPECT(taken[i].number == head + i, "expected %llu, got %llu", (ull)(head + i),
		       (ull)taken[i].number);
	}
	/* Its place is that of the next one. */
	EXPECT(!laps_read_ns(laps, head, &ns), "lap %llu of %llu", (ull)head, (ull)laps_head(laps));
	EXPECT(laps_first(laps, laps_head(laps)) == head + 1, "first is %llu",
	       (ull)laps_first(laps, laps_head(laps)));
	for (uint64_t i = 1; i < capacity; i++) {
		EXPECT(laps_read_ns(laps, head + i, &ns), "lap %llu of %llu", (ull)(head + i),
		       (ull)laps_head(laps));
		EXPECT(ns == taken[i].elapsed_ns, "%llu in the ring, %llu by ioctl", (ull)ns,
		       (ull)taken[i].elapsed_ns);
	}
	printf("# observe lap=%llu\n", (ull)ns);
}

/* -- Readers on all processors ------------------------------------------------ */

/* Transitions that are remembered: as many as one run has. */
#define TRANSITIONS	65536

struct written {
	bool known;
	uint64_t state, accumulated, counter;
};

struct reader {
	pthread_t thread;
	struct written *seen;
	uint64_t reads, retries, torn;
	uint32_t first_seq;
	long limit;
};

static bool torn_over;

static void remember(struct written *at, const struct page_snapshot *was)
{
	*at = (struct written) { true, was->state, was->accumulated, was->counter };
}

static bool same(const struct written *a, const struct written *b)
{
	return a->state == b->state && a->accumulated == b->accumulated && a->counter == b->counter;
}

static void *read_pages(void *data)
{
	struct reader *reader = data;
	struct page_snapshot was;
	struct written now;

	for (; (long)reader->reads < reader->limit; reader->reads++) {
		struct written *seen;

		if (__atomic_load_n(&torn_over, __ATOMIC_RELAXED))
			break;
		while (!page_try(page, &was))
			reader->retries++;
		seen = &reader->seen[(was.seq - reader->first_seq) / 2 % TRANSITIONS];
		remember(&now, &was);
		if (!seen->known)
			*seen = now;
		else if (!same(seen, &now))
			reader->torn++;
	}
	return NULL;
}

/*
 * The device has one writer. What it wrote is known for each SEQ from a look at rest,
 * and everything that a reader saw must be that.
 */
static void test_torn(void)
{
	static const unsigned long round[] = {
		STOPWATCH_IOC_PAUSE, STOPWATCH_IOC_START, STOPWATCH_IOC_RESET, STOPWATCH_IOC_START,
	};
	static struct written expected[TRANSITIONS];
	const char *given = getenv("TORN_READS");
	int readers = get_nprocs() - 1, running = 0, done;
	struct page_snapshot was;
	struct reader *all;
	uint64_t reads = 0, retries = 0, torn = 0;

	if (!has_page())
		return;
	if (!readers) {
		ktap_skip("one processor: none could read while the device writes");
		return;
	}
	all = calloc(readers, sizeof(*all));
	was = snapshot();
	for (int i = 0; i < readers; i++) {
		all[i].seen = calloc(TRANSITIONS, sizeof(*all[i].seen));
		all[i].first_seq = was.seq;
		all[i].limit = given ? atol(given) : 10000;
		running += !pthread_create(&all[i].thread, NULL, read_pages, &all[i]);
	}
	EXPECT(running == readers, "%d of %d threads", running, readers);
	remember(&expected[0], &was);
	for (done = 0; done < TRANSITIONS - 1 && running; done++) {
		EXPECT_ERROR(request(round[done % 4], NULL), 0);
		was = snapshot();
		remember(&expected[done + 1], &was);
		running = 0;
		for (int i = 0; i < readers; i++)
			running += (long)__atomic_load_n(&all[i].reads, __ATOMIC_RELAXED) < all[i].limit;
	}
	__atomic_store_n(&torn_over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < readers; i++) {
		pthread_join(all[i].thread, NULL);
		for (int n = 0; n < TRANSITIONS; n++)
			torn += all[i].seen[n].known && !same(&all[i].seen[n], &expected[n]);
		reads += all[i].reads;
		retries += all[i].retries;
		torn += all[i].torn;
		free(all[i].seen);
	}
	free(all);
	printf("# torn: %d readers, %llu reads, %llu retries, %d transitions\n", readers, (ull)reads,
	       (ull)retries, done);
	EXPECT(!torn, "%llu of %llu reads are of no one state", (ull)torn, (ull)reads);
}

/* -- Unbinding ---------------------------------------------------------------- */

static sigjmp_buf after_fault;

static void on_fault(int number)
{
	siglongjmp(after_fault, number);
}

/* The signal that an access to this memory raises, or 0. */
static int fault_of(const void *memory)
{
	struct sigaction action = { .sa_handler = on_fault }, bus, segv;
	int number;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	number = sigsetjmp(after_fault, 1);
	if (!number)
		(void)__atomic_load_n((const char *)memory, __ATOMIC_RELAXED);
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return number;
}

static void *poll_until_gone(void *events)
{
	struct pollfd wanted = { .fd = fd, .events = POLLPRI };

	poll(&wanted, 1, -1);
	*(int *)events = wanted.revents;
	return NULL;
}

static void tell_driver(const char *what)
{
	char file[64];
	const char *name = strrchr(directory, '/') + 1;
	int driver;

	snprintf(file, sizeof(file), STOPWATCH_DRIVER "/%s", what);
	driver = open(file, O_WRONLY | O_CLOEXEC);
	EXPECT(write(driver, name, strlen(name)) == (ssize_t)strlen(name), "cannot %s %s: %s", what, name,
	       strerrorname_np(errno));
	close(driver);
}

/* Whoever has it open gets an error, and a later driver is none of theirs. */
static void test_unbinding(void)
{
	int events = 0, old = fd;
	uint64_t state = status().state, ns = NS;
	pthread_t poller;
	char text[8];

	pthread_create(&poller, NULL, poll_until_gone, &events);
	usleep(1000);
	if (page)
		EXPECT(!fault_of(page), "it faults while there is a driver");
	tell_driver("unbind");
	pthread_join(poller, NULL);
	EXPECT(events == (POLLERR | POLLHUP), "who had waited got %#x", events);
	for (int bound = 0; bound < 2; bound++) {
		EXPECT(poll_for(old, 0) == (POLLERR | POLLHUP), "got %#x", poll_for(old, 0));
		EXPECT(pread(old, text, sizeof(text), 0) < 0 && errno == ENODEV, "it can be read");
		EXPECT(pread(old, text, sizeof(text), 2) < 0 && errno == ENODEV, "it can be read");
		EXPECT(ioctl(old, STOPWATCH_IOC_START) && errno == ENODEV, "it takes START");
		EXPECT(ioctl(old, STOPWATCH_IOC_TIMEOUT, &ns) && errno == ENODEV, "it takes TIMEOUT");
		if (page) {
			EXPECT(fault_of(page) == SIGBUS, "signal %d", fault_of(page));
			EXPECT(fault_of(laps) == SIGBUS, "signal %d", fault_of(laps));
			EXPECT_ERROR(map_error(STOPWATCH_MMAP_SIZE, PROT_READ, MAP_SHARED,
					       STOPWATCH_MMAP_PAGE), ENODEV);
		}
		if (bound)
			break;
		EXPECT(open(path, O_RDONLY) < 0 && errno == ENOENT, "there still is %s", path);
		tell_driver("bind");
		bound_again = true;
	}
	close(old);
	if (page)
		munmap((void *)page, 2 * STOPWATCH_MMAP_SIZE);
	page = NULL;
	laps = NULL;

	if (!EXPECT(!stopwatch_path(directory, path, sizeof(path)), "no file in /dev"))
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	EXPECT(fd >= 0, "%s", strerrorname_np(errno));
	expect_state(state);
	EXPECT(!status().timeouts, "%llu timeouts", (ull)status().timeouts);
}

int main(int argc, char **argv)
{
	static const struct ktap_test tests[] = {
		{ "opening", test_opening },
		{ "reading", test_reading },
		{ "commands", test_commands },
		{ "mapping", test_mapping },
		{ "misuse", test_misuse },
		{ "polling", test_polling },
		{ "live_page", test_live_page },
		{ "monotonic", test_monotonic },
		{ "laps", test_laps },
		{ "batch", test_batch },
		{ "overrun", test_overrun },
		{ "torn", test_torn },
		{ "unbinding", test_unbinding },
	};
	int ret;

	chosen = argc > 1 ? argv[1] : NULL;
	ret = ktap_report(tests, sizeof(tests) / sizeof(*tests));
	printf("# caused commands=%d texts=%d interrupts=%d", commands, texts, interrupts);
	if (lap_count)
		printf(" laps=%d", lap_count);
	putchar('\n');
	return ret;
}
