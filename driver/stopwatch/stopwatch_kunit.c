// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the stopwatch's driver makes of the device's answers, without a device:
 * "regs" and "mem" are plain memory. Part of the module where the kernel has KUnit.
 */

#include <kunit/test.h>
#include <linux/cleanup.h>
#include <linux/sizes.h>

#include "stopwatch.h"

struct stopwatch_fake {
	struct stopwatch sw;
	u64 regs[STOPWATCH_REGS_SIZE / sizeof(u64)];
	u8 mem[STOPWATCH_MEM_LAPS + SZ_4K] __aligned(8);
};

/* Version 1: it refuses nothing, so what is read back is what the test put there. */
static int stopwatch_kunit_init(struct kunit *test)
{
	struct stopwatch_fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	if (!fake)
		return -ENOMEM;
	fake->sw.version = 1;
	fake->sw.regs = (void __force __iomem *)fake->regs;
	fake->sw.mem = (void *)fake->mem;
	mutex_init(&fake->sw.lock);
	test->priv = fake;
	return 0;
}

static u64 *stopwatch_kunit_reg(struct stopwatch_fake *fake, unsigned int offset)
{
	return &fake->regs[offset / sizeof(u64)];
}

static void stopwatch_kunit_state(struct kunit *test)
{
	struct stopwatch_fake *fake = test->priv;
	u64 *status = stopwatch_kunit_reg(fake, STOPWATCH_STATUS);

	*status = STOPWATCH_STATUS_RUNNING;
	KUNIT_EXPECT_EQ(test, stopwatch_state(&fake->sw), STOPWATCH_STATUS_RUNNING);
	*status = STOPWATCH_STATUS_PAUSED;
	KUNIT_EXPECT_EQ(test, stopwatch_state(&fake->sw), STOPWATCH_STATUS_PAUSED);
	*status = STOPWATCH_STATUS_PAUSED + 1;
	KUNIT_EXPECT_EQ(test, stopwatch_state(&fake->sw), -EIO);
	*status = U64_MAX;
	KUNIT_EXPECT_EQ(test, stopwatch_state(&fake->sw), -EIO);
}

static int stopwatch_kunit_text_of(struct kunit *test, const char *data, u64 len)
{
	struct stopwatch_fake *fake = test->priv;
	char text[STOPWATCH_DATA_SIZE] = "before";
	int ret;

	memset(fake->sw.mem->data, 'x', STOPWATCH_DATA_SIZE);
	memcpy(fake->sw.mem->data, data, strlen(data) + 1);
	fake->sw.mem->data_len = cpu_to_le64(len);
	ret = stopwatch_text(&fake->sw, text);
	KUNIT_EXPECT_STREQ(test, text, ret ? "before" : data);
	return ret;
}

static void stopwatch_kunit_text(struct kunit *test)
{
	struct stopwatch_fake *fake = test->priv;

	guard(mutex)(&fake->sw.lock);
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "1.50 seconds", 13), 0);
	KUNIT_EXPECT_EQ(test, *stopwatch_kunit_reg(fake, STOPWATCH_COMMAND), STOPWATCH_CMD_UPDATE);
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "", 1), 0);
	/* No end, or none where the length says. */
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "1.50 seconds", 12), -EIO);
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "1.50 seconds", STOPWATCH_DATA_SIZE),
			-EIO);
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "1.50 seconds", 0), -EIO);
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "", STOPWATCH_DATA_SIZE + 1), -EIO);
	KUNIT_EXPECT_EQ(test, stopwatch_kunit_text_of(test, "", U64_MAX), -EIO);
}

static void stopwatch_kunit_timeout(struct kunit *test)
{
	struct stopwatch_fake *fake = test->priv;
	struct stopwatch *sw = &fake->sw;

	guard(mutex)(&sw->lock);
	/* Version 1 takes whole seconds, and the driver keeps to its limits. */
	KUNIT_EXPECT_EQ(test, stopwatch_timeout_ns(sw, NSEC_PER_SEC + 1), -ERANGE);
	KUNIT_EXPECT_EQ(test, stopwatch_timeout_ns(sw, 0), -ERANGE);
	KUNIT_EXPECT_EQ(test, stopwatch_timeout_ns(sw, STOPWATCH_TIMEOUT_MAX_NS + NSEC_PER_SEC),
			-ERANGE);
	KUNIT_EXPECT_FALSE(test, sw->armed);
	KUNIT_EXPECT_EQ(test, *stopwatch_kunit_reg(fake, STOPWATCH_COMMAND), 0);

	KUNIT_EXPECT_EQ(test, stopwatch_timeout_ns(sw, 3ULL * NSEC_PER_SEC), 0);
	KUNIT_EXPECT_TRUE(test, sw->armed);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(sw->mem->data_len), 3);
	KUNIT_EXPECT_EQ(test, *stopwatch_kunit_reg(fake, STOPWATCH_COMMAND), STOPWATCH_CMD_TIMEOUT);

	/* With the register any number of nanoseconds goes to the device as it is. */
	sw->features = STOPWATCH_FEATURE_TIMEOUT;
	KUNIT_EXPECT_EQ(test, stopwatch_timeout_ns(sw, 1234567), 0);
	KUNIT_EXPECT_EQ(test, *stopwatch_kunit_reg(fake, STOPWATCH_TIMEOUT_NS), 1234567);
}

static void stopwatch_kunit_lap(struct kunit *test)
{
	struct stopwatch_fake *fake = test->priv;
	struct stopwatch_laps *laps = (void *)fake->mem + STOPWATCH_MEM_LAPS;
	struct stopwatch_lap lap = { };

	guard(mutex)(&fake->sw.lock);
	KUNIT_EXPECT_EQ(test, stopwatch_lap(&fake->sw, &lap), -EOPNOTSUPP);

	fake->sw.features = STOPWATCH_FEATURE_LAPS;
	/* The device has appended none, or its ring is larger than its page. */
	KUNIT_EXPECT_EQ(test, stopwatch_lap(&fake->sw, &lap), -EIO);
	laps->head = cpu_to_le64(1);
	KUNIT_EXPECT_EQ(test, stopwatch_lap(&fake->sw, &lap), -EIO);
	laps->capacity = cpu_to_le64(U64_MAX);
	KUNIT_EXPECT_EQ(test, stopwatch_lap(&fake->sw, &lap), -EIO);

	laps->capacity = cpu_to_le64(4);
	laps->entries[0] = cpu_to_le64(100);
	laps->entries[1] = cpu_to_le64(200);
	KUNIT_EXPECT_EQ(test, stopwatch_lap(&fake->sw, &lap), 0);
	KUNIT_EXPECT_EQ(test, lap.number, 0);
	KUNIT_EXPECT_EQ(test, lap.elapsed_ns, 100);
	/* The sixth is in the second place: the ring has gone round. */
	laps->head = cpu_to_le64(6);
	KUNIT_EXPECT_EQ(test, stopwatch_lap(&fake->sw, &lap), 0);
	KUNIT_EXPECT_EQ(test, lap.number, 5);
	KUNIT_EXPECT_EQ(test, lap.elapsed_ns, 200);
}

static struct kunit_case stopwatch_kunit_cases[] = {
	KUNIT_CASE(stopwatch_kunit_state),
	KUNIT_CASE(stopwatch_kunit_text),
	KUNIT_CASE(stopwatch_kunit_timeout),
	KUNIT_CASE(stopwatch_kunit_lap),
	{ }
};

static struct kunit_suite stopwatch_kunit_suite = {
	.name = "stopwatch",
	.init = stopwatch_kunit_init,
	.test_cases = stopwatch_kunit_cases,
};

kunit_test_suite(stopwatch_kunit_suite);
