/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the stopwatch's driver share. */
#ifndef STOPWATCH_H
#define STOPWATCH_H

#include <linux/build_bug.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "stopwatch_uapi.h"

/* The layout of "mem". */
struct stopwatch_mem {
	__le64 data_len;
	char data[STOPWATCH_DATA_SIZE];
};

static_assert(offsetof(struct stopwatch_mem, data_len) == STOPWATCH_MEM_DATA_LEN);
static_assert(offsetof(struct stopwatch_mem, data) == STOPWATCH_MEM_DATA);
static_assert(sizeof(struct stopwatch_mem) == STOPWATCH_MEM_SIZE_V1);

/* The request ring, at STOPWATCH_MEM_REQUESTS in "mem". */
struct stopwatch_requests {
	__le64 head;
	__le64 tail;
	struct {
		__le64 counter;
		__le64 split;
	} entries[STOPWATCH_REQUESTS_CAPACITY];
};

static_assert(offsetof(struct stopwatch_requests, head) == STOPWATCH_REQUESTS_HEAD);
static_assert(offsetof(struct stopwatch_requests, tail) == STOPWATCH_REQUESTS_TAIL);
static_assert(offsetof(struct stopwatch_requests, entries[0].counter) ==
	      STOPWATCH_REQUESTS_ENTRIES + STOPWATCH_REQUEST_COUNTER);
static_assert(offsetof(struct stopwatch_requests, entries[0].split) ==
	      STOPWATCH_REQUESTS_ENTRIES + STOPWATCH_REQUEST_SPLIT);
static_assert(sizeof(struct stopwatch_requests) == STOPWATCH_REQUESTS_BYTES);

/**
 * struct stopwatch - one device
 * @ref: held by the binding and by each open file, which may outlive it
 * @dev: the device, for messages
 * @start: the physical address of @regs
 * @regs: the register bank
 * @mem_start: the physical address of @mem
 * @mem: the memory shared with the host
 * @version: the contract's version
 * @features: the FEATURES register; 0 on a version-1 device
 * @lock: held over a command together with its operand in @mem, its verdict
 *	in ERROR and its result in @mem; the interrupt thread takes it too
 * @gone: the driver was unbound: there are no @regs and no @mem any more. Under
 *	@lock; what is called only while the driver is bound need not look
 * @armed: a timeout was armed and its interrupt has not come, under @lock;
 *	says on a version-1 device whose an interrupt is
 * @interrupt_time: when the latest interrupt came
 * @timeouts: timeout interrupts handled, written under @lock
 * @timeout_time: @interrupt_time of the latest one, under @lock
 * @node: in the list of bound devices
 * @misc: /dev/stopwatchN
 * @id: its N
 * @wait: for a timeout interrupt, or for @gone
 * @files: the open files, under @lock
 */
struct stopwatch {
	struct kref ref;
	struct device *dev;
	resource_size_t start;
	void __iomem *regs;
	resource_size_t mem_start;
	struct stopwatch_mem *mem;
	u32 version;
	u64 features;
	struct mutex lock; /* one command at a time, operand to result */
	bool gone;
	bool armed;
	u64 interrupt_time;
	u64 timeouts;
	u64 timeout_time;
	struct list_head node;
	struct miscdevice misc;
	int id;
	wait_queue_head_t wait;
	struct list_head files;
};

/* stopwatch_main.c; all but stopwatch_state(), which is one read, need the lock. */
int stopwatch_command(struct stopwatch *sw, u64 command);
int stopwatch_state(struct stopwatch *sw);
int stopwatch_text(struct stopwatch *sw, char *text);
int stopwatch_timeout_ns(struct stopwatch *sw, u64 ns);
int stopwatch_lap(struct stopwatch *sw, struct stopwatch_lap *lap);
int stopwatch_batch(struct stopwatch *sw, struct stopwatch_batch *batch);
u64 stopwatch_read(struct stopwatch *sw, unsigned int offset, u64 feature);

void stopwatch_put(void *sw);

/* stopwatch_dev.c */
int stopwatch_dev_add(struct stopwatch *sw);
void stopwatch_dev_remove(struct stopwatch *sw);

#endif /* STOPWATCH_H */
