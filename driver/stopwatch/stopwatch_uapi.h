/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What user space does with /dev/stopwatchN, one for each stopwatch.
 *
 * read()	The elapsed time as text and a newline, such as "12.34 seconds".
 *		A read at offset 0 asks the device; reads at other offsets
 *		continue that text, up to its end.
 * poll()	POLLIN always, because a read never waits. POLLPRI once a timeout
 *		interrupt has come since this open file was opened or last asked
 *		for STOPWATCH_IOC_STATUS.
 * ioctl()	See below. What changes the device needs a file that is open for
 *		writing, or fails with EBADF.
 * mmap()	The live page at offset STOPWATCH_MMAP_PAGE and the lap ring at
 *		STOPWATCH_MMAP_LAPS, one page of 4 KiB each, with PROT_READ. Any
 *		other protection fails with EACCES, at mmap() and at mprotect().
 *		EINVAL for what is not there, or where the kernel's pages are
 *		larger.
 *
 * When the driver is unbound, all of these fail with ENODEV, poll() reports
 * POLLERR and POLLHUP, and accesses to mapped memory raise SIGBUS.
 *
 * What the device refuses fails with
 *   EBADFD	not in this state
 *   ERANGE	not a timeout that the device can do
 *   EBUSY	a timeout is under way or not acknowledged
 * and EOPNOTSUPP is for what this device does not have (see
 * STOPWATCH_IOC_INFO). stopwatch_hw-sw.h has the features, the states, and the
 * constants of the live page.
 */
#ifndef _UAPI_STOPWATCH_H
#define _UAPI_STOPWATCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "stopwatch_hw-sw.h"

/**
 * struct stopwatch_text - the elapsed time as text
 * @text: ended by a NUL, such as "12.34 seconds"
 */
struct stopwatch_text {
	char text[STOPWATCH_DATA_SIZE];
};

/**
 * struct stopwatch_lap - a lap that was appended
 * @number: counted from 0 since the machine's reset
 * @elapsed_ns: its split time, in nanoseconds
 */
struct stopwatch_lap {
	__u64 number;
	__u64 elapsed_ns;
};

/**
 * struct stopwatch_timed_lap - a lap that was timed by the counter
 * @counter: the value of CNTVCT_EL0 at that time, as of struct stopwatch_page
 * @elapsed_ns: its split time, in nanoseconds
 */
struct stopwatch_timed_lap {
	__u64 counter;
	__u64 elapsed_ns;
};

/**
 * struct stopwatch_batch - laps that are handed over together
 * @count: how many, from 1
 * @reserved: 0
 * @first: number of the first of them; the others follow
 * @laps: the laps
 */
struct stopwatch_batch {
	__u32 count;
	__u32 reserved;
	__u64 first;
	struct stopwatch_timed_lap laps[STOPWATCH_REQUESTS_CAPACITY];
};

/**
 * struct stopwatch_info - which device this is
 * @version: of the device's contract, from 1
 * @reserved: 0
 * @features: STOPWATCH_FEATURE_* bits; 0 in version 1
 */
struct stopwatch_info {
	__u32 version;
	__u32 reserved;
	__u64 features;
};

/**
 * struct stopwatch_status - what the stopwatch is doing
 * @state: STOPWATCH_STATUS_RUNNING, _RESET or _PAUSED
 * @elapsed_ns: elapsed time in nanoseconds; 0 without STOPWATCH_FEATURE_ELAPSED_NS
 * @timeout_ns: nanoseconds left of a timeout; 0 if there is none, and without
 *	STOPWATCH_FEATURE_TIMEOUT
 * @timeouts: timeout interrupts since the driver was bound
 * @timeout_time_ns: when the latest one came, by CLOCK_MONOTONIC; 0 if none did
 */
struct stopwatch_status {
	__u64 state;
	__u64 elapsed_ns;
	__u64 timeout_ns;
	__u64 timeouts;
	__u64 timeout_time_ns;
};

/* Not in use by others: Documentation/userspace-api/ioctl/ioctl-number.rst */
#define STOPWATCH_IOC_MAGIC	0xDC

/* The device's commands, by their own numbers. */
#define STOPWATCH_IOC_RESET	_IO(STOPWATCH_IOC_MAGIC, STOPWATCH_CMD_RESET)
#define STOPWATCH_IOC_START	_IO(STOPWATCH_IOC_MAGIC, STOPWATCH_CMD_START)
#define STOPWATCH_IOC_PAUSE	_IO(STOPWATCH_IOC_MAGIC, STOPWATCH_CMD_PAUSE)
#define STOPWATCH_IOC_UPDATE	_IOR(STOPWATCH_IOC_MAGIC, STOPWATCH_CMD_UPDATE, \
				     struct stopwatch_text)
/*
 * Arms a timeout of this many nanoseconds; 0 cancels a pending one. Version 1 takes
 * whole seconds and cannot cancel. The driver acknowledges it.
 */
#define STOPWATCH_IOC_TIMEOUT	_IOW(STOPWATCH_IOC_MAGIC, STOPWATCH_CMD_TIMEOUT, __u64)
#define STOPWATCH_IOC_LAP	_IOR(STOPWATCH_IOC_MAGIC, STOPWATCH_CMD_LAP, struct stopwatch_lap)

/* No commands. INFO does not access the device. ELAPSED_NS is one access. */
#define STOPWATCH_IOC_INFO	_IOR(STOPWATCH_IOC_MAGIC, 0x40, struct stopwatch_info)
#define STOPWATCH_IOC_STATUS	_IOR(STOPWATCH_IOC_MAGIC, 0x41, struct stopwatch_status)
#define STOPWATCH_IOC_ELAPSED_NS _IOR(STOPWATCH_IOC_MAGIC, 0x42, __u64)

/*
 * Appends laps that the caller has timed by the counter, with one access for all
 * of them. Fills in @first and each @elapsed_ns. A counter value from before the
 * last START counts as START, and one from the future as now. So does every
 * value if the live page says that the counter is not valid. EINVAL if @count is 0 or too
 * large, EBADFD in the state RESET, EIO if the device does not answer.
 */
#define STOPWATCH_IOC_BATCH	_IOWR(STOPWATCH_IOC_MAGIC, 0x43, struct stopwatch_batch)

#define STOPWATCH_MMAP_PAGE	STOPWATCH_MEM_PAGE
#define STOPWATCH_MMAP_LAPS	STOPWATCH_MEM_LAPS
#define STOPWATCH_MMAP_SIZE	0x1000

/**
 * struct stopwatch_page - the live page
 * @magic: STOPWATCH_PAGE_MAGIC_VALUE
 * @size: bytes of this structure
 * @version: of this structure
 * @seq: odd while the device writes what follows
 * @disruption: differs after time has jumped
 * @flags: STOPWATCH_PAGE_FLAG_*
 * @state: as in struct stopwatch_status
 * @accumulated: elapsed nanoseconds at @counter
 * @counter: the value of CNTVCT_EL0 that goes with it
 * @frequency: of the counter, in Hz
 * @error: bound of the error, in nanoseconds
 *
 * The device's register specification (docs/registers.md) says how to read it.
 */
struct stopwatch_page {
	__le32 magic;
	__le32 size;
	__le32 version;
	__le32 seq;
	__le64 disruption;
	__le64 flags;
	__le64 state;
	__le64 accumulated;
	__le64 counter;
	__le64 frequency;
	__le64 error;
};

/**
 * struct stopwatch_laps - the lap ring
 * @head: laps appended since the machine's reset
 * @capacity: number of entries
 * @entries: split times in nanoseconds; lap n is in entries[n % capacity]
 */
struct stopwatch_laps {
	__le64 head;
	__le64 capacity;
	__le64 entries[];
};

#endif /* _UAPI_STOPWATCH_H */
