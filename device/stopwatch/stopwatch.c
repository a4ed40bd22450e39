/*
 * Stopwatch: a para-virtualized device on the platform bus
 *
 * A stopwatch that the guest starts, pauses, resets and reads, and a one-shot
 * timeout with an interrupt. The three ways in which a device can talk to a
 * guest, one each:
 *
 *   "mem"   pass-through RAM: u64 data_len, char data[]; a page from which the
 *           guest computes the elapsed time by itself; a ring of lap times; a
 *           ring of requests for laps
 *   "regs"  trapping bank of 64-bit little-endian registers
 *   irq     level, high while a timeout has fired and is not acknowledged
 *
 * Time is QEMU_CLOCK_VIRTUAL in nanoseconds, read once per access. What the
 * device does is a function of the accesses and of the virtual time at which
 * they are made, never of when QEMU gets round to serving the timer: whatever
 * happens at or after a deadline is preceded by the expiry.
 *
 * Nothing that a guest writes stops QEMU. A rejected access reads 0, changes
 * nothing, sets its bit in ERROR and is logged as a guest error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "exec/cpu-common.h"
#include "hw/core/cpu.h"
#include "hw/misc/pv/pv.h"
#include "system/qtest.h"
#include "system/replay.h"
#include "system/tcg.h"
#include "stopwatch_hw-sw.h"

#define TYPE_STOPWATCH "stopwatch"

#define NS_PER_HUNDREDTH (NANOSECONDS_PER_SECOND / 100)

OBJECT_DECLARE_SIMPLE_TYPE(StopwatchState, STOPWATCH)

/* Of the one timeout; the numbers are seen in the trace and in migration */
enum {
    TIMEOUT_IDLE,
    TIMEOUT_PENDING,
    TIMEOUT_FIRED,
};

struct StopwatchState {
    SysBusDevice parent_obj;

    MemoryRegion mem;
    MemoryRegion regs;
    qemu_irq irq;
    QEMUTimer timer;
    Notifier exit_notifier;
    VMChangeStateEntry *vm_state_entry;
    EventNotifier doorbell; /* rung, with ioeventfd */

    bool start_at_boot;
    bool ioeventfd;         /* a write to DOORBELL does not wait for QEMU */
    const char *id;         /* of this one among several */
    uint64_t frequency;     /* of the guest's counter; 0: not known */

    uint32_t status;
    int64_t elapsed;        /* up to the last start */
    int64_t started;        /* time of the last start, while RUNNING */
    uint32_t timeout;
    int64_t deadline;       /* while pending, else 0 */
    uint64_t timeout_count;
    uint64_t error;
    uint32_t page_seq;      /* even; of the last write of the live page */
    uint64_t disruption;
    uint64_t laps;          /* appended since machine reset */
    uint64_t taken;         /* requests for laps, since machine reset */

    bool was_stopped;       /* since the last load; not in migration */
    uint64_t seq;           /* of the next trace event, in this process */
    bool irq_level;         /* last level traced; derived */
};

/* The registers in the order of their offsets, and how each may be used */
static const struct {
    bool readable;
    bool writable;
} stopwatch_access[] = {
    [STOPWATCH_COMMAND / 8]       = { true, true  },
    [STOPWATCH_STATUS / 8]        = { true, false },
    [STOPWATCH_ID / 8]            = { true, false },
    [STOPWATCH_FEATURES / 8]      = { true, false },
    [STOPWATCH_ERROR / 8]         = { true, true  },
    [STOPWATCH_ELAPSED_NS / 8]    = { true, false },
    [STOPWATCH_TIMEOUT_NS / 8]    = { true, true  },
    [STOPWATCH_TIMEOUT_COUNT / 8] = { true, false },
    [STOPWATCH_DOORBELL / 8]      = { true, true  },
};

static const char *stopwatch_error_name(uint64_t error)
{
    switch (error) {
    case STOPWATCH_ERR_BAD_COMMAND:
        return "BAD_COMMAND";
    case STOPWATCH_ERR_BAD_STATE:
        return "BAD_STATE";
    case STOPWATCH_ERR_BAD_TIMEOUT:
        return "BAD_TIMEOUT";
    case STOPWATCH_ERR_BUSY:
        return "BUSY";
    case STOPWATCH_ERR_BAD_ACCESS:
        return "BAD_ACCESS";
    default:
        g_assert_not_reached();
    }
}

static int64_t stopwatch_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static int64_t stopwatch_elapsed(const StopwatchState *s, int64_t now)
{
    if (s->status == STOPWATCH_STATUS_RUNNING) {
        return s->elapsed + (now - s->started);
    }
    return s->elapsed;
}

static void stopwatch_trace_state(StopwatchState *s, int64_t now)
{
    trace_stopwatch_state(s->id, s->seq++, now, s->status,
                          stopwatch_elapsed(s, now), s->timeout, s->deadline,
                          s->timeout_count, s->error);
}

/* The only place that drives the interrupt line */
static void stopwatch_update_irq(StopwatchState *s, int64_t now)
{
    bool level = s->timeout == TIMEOUT_FIRED;

    if (level != s->irq_level) {
        trace_stopwatch_irq(s->id, s->seq++, now, level);
        s->irq_level = level;
    }
    qemu_set_irq(s->irq, level);
}

static void stopwatch_raise(StopwatchState *s, int64_t now, uint64_t error)
{
    s->error |= error;
    trace_stopwatch_error(s->id, s->seq++, now, error, s->error);
}

/* Fires the timeout if its deadline has come */
static void stopwatch_expire(StopwatchState *s, int64_t now)
{
    int64_t deadline = s->deadline;

    if (s->timeout != TIMEOUT_PENDING || now < deadline) {
        return;
    }
    timer_del(&s->timer);
    s->timeout = TIMEOUT_FIRED;
    s->deadline = 0;
    s->timeout_count++;
    trace_stopwatch_timer(s->id, s->seq++, now, deadline);
    stopwatch_update_irq(s, now);
    stopwatch_trace_state(s, now);
}

static void stopwatch_timer(void *opaque)
{
    StopwatchState *s = opaque;

    stopwatch_expire(s, stopwatch_now());
    if (s->timeout == TIMEOUT_PENDING) {
        /* Called early: a timeout never fires before its deadline */
        timer_mod_ns(&s->timer, s->deadline);
    }
}

static void stopwatch_arm(StopwatchState *s, int64_t deadline)
{
    s->timeout = TIMEOUT_PENDING;
    s->deadline = deadline;
    timer_mod_ns(&s->timer, deadline);
}

static void stopwatch_disarm(StopwatchState *s)
{
    timer_del(&s->timer);
    s->timeout = TIMEOUT_IDLE;
    s->deadline = 0;
}

/*
 * "data_len" and "data" need no barriers: a command is performed by the thread
 * of the vCPU that wrote it, which sees that vCPU's stores before, and whose
 * stores the vCPU sees after. Other vCPUs need a lock, which orders them. The
 * live page and the rings, which other vCPUs read, have their own barriers.
 *
 * The device accesses "mem" through its host pointer and marks it dirty: the
 * guest may have mapped something else at its guest-physical address.
 */

/*
 * Whether a command rewrites the live page. This does not depend on the time,
 * which is read later.
 */
static bool stopwatch_rewrites_page(const StopwatchState *s, uint64_t command)
{
    switch (command) {
    case STOPWATCH_CMD_RESET:
        return true;
    case STOPWATCH_CMD_START:
        return s->status != STOPWATCH_STATUS_RUNNING;
    case STOPWATCH_CMD_PAUSE:
        return s->status == STOPWATCH_STATUS_RUNNING;
    default:
        return false;
    }
}

static uint32_t *stopwatch_page_seq(StopwatchState *s)
{
    uint8_t *mem = memory_region_get_ram_ptr(&s->mem);

    return (uint32_t *)(mem + STOPWATCH_MEM_PAGE + STOPWATCH_PAGE_SEQ);
}

/*
 * To be called before the clock is read (with the vCPUs stopped, as at a reset,
 * a load or a resume, the order does not matter). A reader that still finds the
 * old number after it has read its counter has read it before this, so its time
 * is not later than the one at which the old fields cease to hold.
 */
static void stopwatch_page_begin(StopwatchState *s)
{
    qatomic_set(stopwatch_page_seq(s), cpu_to_le32(s->page_seq + 1));
    /* The odd number before the clock is read; with a reader's smp_rmb() */
    smp_mb();
}

static void stopwatch_page_end(StopwatchState *s, int64_t now)
{
    uint8_t *mem = memory_region_get_ram_ptr(&s->mem);
    uint8_t *page = mem + STOPWATCH_MEM_PAGE;
    uint64_t flags = s->frequency ? 0 : STOPWATCH_PAGE_FLAG_COUNTER_INVALID;
    uint64_t tick = s->frequency ? NANOSECONDS_PER_SECOND / s->frequency : 0;
    uint64_t counter = s->frequency ? now / tick : 0;
    uint64_t elapsed = stopwatch_elapsed(s, now);

    s->page_seq += 2;
    stl_le_p(page + STOPWATCH_PAGE_MAGIC, STOPWATCH_PAGE_MAGIC_VALUE);
    stl_le_p(page + STOPWATCH_PAGE_SIZE, STOPWATCH_PAGE_BYTES);
    stl_le_p(page + STOPWATCH_PAGE_VERSION, STOPWATCH_PAGE_VERSION_VALUE);
    stq_le_p(page + STOPWATCH_PAGE_DISRUPTION, s->disruption);
    stq_le_p(page + STOPWATCH_PAGE_FLAGS, flags);
    stq_le_p(page + STOPWATCH_PAGE_STATE, s->status);
    stq_le_p(page + STOPWATCH_PAGE_ACCUMULATED, elapsed);
    stq_le_p(page + STOPWATCH_PAGE_COUNTER, counter);
    stq_le_p(page + STOPWATCH_PAGE_FREQUENCY, s->frequency);
    stq_le_p(page + STOPWATCH_PAGE_ERROR, tick);
    /* The fields before the even number; with a reader's smp_rmb() */
    smp_wmb();
    qatomic_set(stopwatch_page_seq(s), cpu_to_le32(s->page_seq));
    memory_region_set_dirty(&s->mem, STOPWATCH_MEM_PAGE, STOPWATCH_PAGE_BYTES);
    trace_stopwatch_page(s->id, s->seq++, now, s->page_seq, s->disruption,
                         flags, s->status, elapsed, counter, s->frequency);
}

/* How many laps there are, for the guest */
static void stopwatch_write_head(StopwatchState *s)
{
    uint8_t *ring = memory_region_get_ram_ptr(&s->mem) + STOPWATCH_MEM_LAPS;

    /* The entry before the head; with a reader's smp_rmb() */
    smp_wmb();
    qatomic_set_u64((uint64_t *)(ring + STOPWATCH_LAPS_HEAD),
                    cpu_to_le64(s->laps));
    memory_region_set_dirty(&s->mem, STOPWATCH_MEM_LAPS,
                            STOPWATCH_LAPS_BYTES);
}

/* LAP: an elapsed time, at the next place in the ring */
static void stopwatch_append_lap(StopwatchState *s, int64_t now,
                                 uint64_t split)
{
    uint8_t *ring = memory_region_get_ram_ptr(&s->mem) + STOPWATCH_MEM_LAPS;
    uint64_t index = s->laps % STOPWATCH_LAPS_CAPACITY_VALUE;

    /* The last head before this entry; with a reader's second smp_rmb() */
    smp_wmb();
    stq_le_p(ring + STOPWATCH_LAPS_ENTRIES + index * 8, split);
    s->laps++;
    stopwatch_write_head(s);
    trace_stopwatch_lap(s->id, s->seq++, now, index, split, s->laps);
}

static uint8_t *stopwatch_requests(StopwatchState *s)
{
    uint8_t *mem = memory_region_get_ram_ptr(&s->mem);

    return mem + STOPWATCH_MEM_REQUESTS;
}

/* The entry of the request with this number */
static uint8_t *stopwatch_request(StopwatchState *s, uint64_t number)
{
    return stopwatch_requests(s) + STOPWATCH_REQUESTS_ENTRIES +
           number % STOPWATCH_REQUESTS_CAPACITY * STOPWATCH_REQUEST_BYTES;
}

static uint64_t stopwatch_load_u64(uint8_t *field)
{
    return le64_to_cpu(qatomic_read_u64((uint64_t *)field));
}

/* How many requests were taken, for the guest */
static void stopwatch_write_tail(StopwatchState *s)
{
    uint8_t *tail = stopwatch_requests(s) + STOPWATCH_REQUESTS_TAIL;

    /* The answers before the tail; with the guest's smp_load_acquire() */
    smp_wmb();
    qatomic_set_u64((uint64_t *)tail, cpu_to_le64(s->taken));
    memory_region_set_dirty(&s->mem, STOPWATCH_MEM_REQUESTS,
                            STOPWATCH_REQUESTS_BYTES);
}

/* When the guest's counter had this value: since START, and not after now */
static int64_t stopwatch_counter_time(const StopwatchState *s, int64_t now,
                                      uint64_t counter)
{
    uint64_t tick = s->frequency ? NANOSECONDS_PER_SECOND / s->frequency : 0;

    if (!tick || counter > now / tick) {
        return now;
    }
    return MAX((int64_t)(counter * tick), s->started);
}

/*
 * DOORBELL: takes the requests in the ring. Another vCPU may be writing to it:
 * the head and each counter are loaded once, and nothing else is.
 */
static uint64_t stopwatch_take_requests(StopwatchState *s, int64_t now)
{
    uint64_t counters[STOPWATCH_REQUESTS_CAPACITY];
    uint64_t head, count, split, i;

    head = stopwatch_load_u64(stopwatch_requests(s) +
                              STOPWATCH_REQUESTS_HEAD);
    trace_stopwatch_requests(s->id, s->seq++, now, head);
    count = head - s->taken;
    if (count > STOPWATCH_REQUESTS_CAPACITY) {
        return STOPWATCH_ERR_BAD_STATE;
    }

    /* The head before the requests; with the guest's smp_store_release() */
    smp_rmb();
    for (i = 0; i < count; i++) {
        counters[i] = stopwatch_load_u64(stopwatch_request(s, s->taken + i) +
                                         STOPWATCH_REQUEST_COUNTER);
        trace_stopwatch_request(s->id, s->seq++, now, counters[i]);
    }
    for (i = 0; i < count; i++) {
        split = STOPWATCH_SPLIT_NONE;
        if (s->status != STOPWATCH_STATUS_RESET) {
            split = stopwatch_elapsed(
                s, stopwatch_counter_time(s, now, counters[i]));
            stopwatch_append_lap(s, now, split);
        }
        stq_le_p(stopwatch_request(s, s->taken) + STOPWATCH_REQUEST_SPLIT,
                 split);
        trace_stopwatch_answer(s->id, s->seq++, now, s->taken, split);
        s->taken++;
    }
    stopwatch_write_tail(s);
    trace_stopwatch_tail(s->id, s->seq++, now, s->taken);
    return 0;
}

/* What the guest finds in "mem" after a machine reset or a load */
static void stopwatch_init_mem(StopwatchState *s, int64_t now)
{
    uint8_t *ring = memory_region_get_ram_ptr(&s->mem) + STOPWATCH_MEM_LAPS;

    stopwatch_page_begin(s);
    stopwatch_page_end(s, now);
    stq_le_p(ring + STOPWATCH_LAPS_CAPACITY, STOPWATCH_LAPS_CAPACITY_VALUE);
    stopwatch_write_head(s);
    stopwatch_write_tail(s);
    trace_stopwatch_ring(s->id, s->seq++, now, s->laps,
                         STOPWATCH_LAPS_CAPACITY_VALUE, s->taken);
}

/* UPDATE: the elapsed time in words, truncated to hundredths of a second */
static void stopwatch_write_text(StopwatchState *s, int64_t now)
{
    uint8_t *mem = memory_region_get_ram_ptr(&s->mem);
    int64_t hundredths = stopwatch_elapsed(s, now) / NS_PER_HUNDREDTH;
    char text[STOPWATCH_DATA_SIZE];
    uint64_t data_len;

    data_len = snprintf(text, sizeof(text), "%" PRId64 ".%02d seconds",
                        hundredths / 100, (int)(hundredths % 100)) + 1;

    memcpy(mem + STOPWATCH_MEM_DATA, text, data_len);
    stq_le_p(mem + STOPWATCH_MEM_DATA_LEN, data_len);
    memory_region_set_dirty(&s->mem, 0, STOPWATCH_MEM_DATA + data_len);
    trace_stopwatch_text(s->id, s->seq++, now, data_len, text);
}

/*
 * The functions from here to stopwatch_command() perform a write. They return
 * the ERROR bit of a rejected one, or 0.
 */

static uint64_t stopwatch_timeout_seconds(StopwatchState *s, int64_t now)
{
    uint8_t *mem = memory_region_get_ram_ptr(&s->mem);
    uint64_t seconds;

    if (s->timeout != TIMEOUT_IDLE) {
        return STOPWATCH_ERR_BUSY;
    }

    /* Another vCPU may be writing to it: one load, and no second look */
    seconds = le64_to_cpu(
        qatomic_read_u64((uint64_t *)(mem + STOPWATCH_MEM_DATA_LEN)));
    trace_stopwatch_mem(s->id, s->seq++, now, seconds);

    if (seconds < 1 || seconds > STOPWATCH_TIMEOUT_MAX_S) {
        return STOPWATCH_ERR_BAD_TIMEOUT;
    }
    stopwatch_arm(s, now + (int64_t)seconds * NANOSECONDS_PER_SECOND);
    return 0;
}

static uint64_t stopwatch_timeout_ns(StopwatchState *s, int64_t now,
                                     uint64_t ns)
{
    if (ns == 0) {
        if (s->timeout == TIMEOUT_FIRED) {
            return STOPWATCH_ERR_BAD_STATE;
        }
        stopwatch_disarm(s);
        return 0;
    }
    if (s->timeout != TIMEOUT_IDLE) {
        return STOPWATCH_ERR_BUSY;
    }
    if (ns > STOPWATCH_TIMEOUT_MAX_NS) {
        return STOPWATCH_ERR_BAD_TIMEOUT;
    }
    stopwatch_arm(s, now + (int64_t)ns);
    return 0;
}

static uint64_t stopwatch_command(StopwatchState *s, int64_t now,
                                  uint64_t command)
{
    switch (command) {
    case STOPWATCH_CMD_RESET:
        s->status = STOPWATCH_STATUS_RESET;
        s->elapsed = 0;
        return 0;
    case STOPWATCH_CMD_START:
        if (s->status == STOPWATCH_STATUS_RUNNING) {
            return STOPWATCH_ERR_BAD_STATE;
        }
        s->started = now;
        s->status = STOPWATCH_STATUS_RUNNING;
        return 0;
    case STOPWATCH_CMD_PAUSE:
        if (s->status == STOPWATCH_STATUS_RESET) {
            return STOPWATCH_ERR_BAD_STATE;
        }
        s->elapsed = stopwatch_elapsed(s, now);
        s->status = STOPWATCH_STATUS_PAUSED;
        return 0;
    case STOPWATCH_CMD_UPDATE:
        stopwatch_write_text(s, now);
        return 0;
    case STOPWATCH_CMD_TIMEOUT:
        return stopwatch_timeout_seconds(s, now);
    case STOPWATCH_CMD_TIMEOUT_ACK:
        if (s->timeout != TIMEOUT_FIRED) {
            return STOPWATCH_ERR_BAD_STATE;
        }
        stopwatch_disarm(s);
        stopwatch_update_irq(s, now);
        return 0;
    case STOPWATCH_CMD_LAP:
        if (s->status == STOPWATCH_STATUS_RESET) {
            return STOPWATCH_ERR_BAD_STATE;
        }
        stopwatch_append_lap(s, now, stopwatch_elapsed(s, now));
        return 0;
    default:
        return STOPWATCH_ERR_BAD_COMMAND;
    }
}

/* Whether there is a register at this offset that takes this access */
static bool stopwatch_access_ok(hwaddr offset, unsigned size, bool is_write)
{
    hwaddr i = offset / 8;

    if (size < 4 || offset % size || i >= ARRAY_SIZE(stopwatch_access)) {
        return false;
    }
    if (is_write) {
        /* Its high half would be a second write */
        return offset % 8 == 0 && stopwatch_access[i].writable;
    }
    return stopwatch_access[i].readable;
}

static uint64_t stopwatch_read_register(StopwatchState *s, int64_t now,
                                        hwaddr offset)
{
    switch (offset) {
    case STOPWATCH_COMMAND:
    case STOPWATCH_DOORBELL:
        return 0;
    case STOPWATCH_STATUS:
        return s->status;
    case STOPWATCH_ID:
        return (uint64_t)STOPWATCH_MAGIC << 32 | STOPWATCH_VERSION;
    case STOPWATCH_FEATURES:
        return STOPWATCH_FEATURE_ERROR | STOPWATCH_FEATURE_ELAPSED_NS |
               STOPWATCH_FEATURE_TIMEOUT | STOPWATCH_FEATURE_LIVE_PAGE |
               STOPWATCH_FEATURE_LAPS | STOPWATCH_FEATURE_REQUESTS;
    case STOPWATCH_ERROR:
        return s->error;
    case STOPWATCH_ELAPSED_NS:
        return stopwatch_elapsed(s, now);
    case STOPWATCH_TIMEOUT_NS:
        return s->timeout == TIMEOUT_PENDING ? s->deadline - now : 0;
    case STOPWATCH_TIMEOUT_COUNT:
        return s->timeout_count;
    default:
        g_assert_not_reached(); /* stopwatch_access_ok() knows all registers */
    }
}

static uint64_t stopwatch_write_register(StopwatchState *s, int64_t now,
                                         hwaddr offset, uint64_t value)
{
    switch (offset) {
    case STOPWATCH_COMMAND:
        return stopwatch_command(s, now, value);
    case STOPWATCH_ERROR:
        s->error &= ~value;
        return 0;
    case STOPWATCH_TIMEOUT_NS:
        return stopwatch_timeout_ns(s, now, value);
    case STOPWATCH_DOORBELL:
        return stopwatch_take_requests(s, now);
    default:
        g_assert_not_reached(); /* stopwatch_access_ok() knows the writable */
    }
}

static uint64_t stopwatch_read(void *opaque, hwaddr offset, unsigned size)
{
    StopwatchState *s = opaque;
    int64_t now = stopwatch_now();
    uint64_t value;

    stopwatch_expire(s, now);

    if (!stopwatch_access_ok(offset, size, false)) {
        trace_stopwatch_read(s->id, s->seq++, now, offset, 0, size);
        qemu_log_mask(LOG_GUEST_ERROR, "%s: BAD_ACCESS: %u-byte read at 0x%"
                      HWADDR_PRIx "\n", s->id, size, offset);
        stopwatch_raise(s, now, STOPWATCH_ERR_BAD_ACCESS);
        stopwatch_trace_state(s, now);
        return 0;
    }

    value = stopwatch_read_register(s, now, QEMU_ALIGN_DOWN(offset, 8));
    value = extract64(value, offset % 8 * 8, size * 8);
    trace_stopwatch_read(s->id, s->seq++, now, offset, value, size);
    return value;
}

static void stopwatch_write(void *opaque, hwaddr offset, uint64_t value,
                            unsigned size)
{
    StopwatchState *s = opaque;
    bool ok = stopwatch_access_ok(offset, size, true);
    bool rewrites = ok && offset == STOPWATCH_COMMAND &&
                    stopwatch_rewrites_page(s, value);
    int64_t now;
    uint64_t error;

    if (rewrites) {
        stopwatch_page_begin(s);
    }
    now = stopwatch_now();
    stopwatch_expire(s, now);
    trace_stopwatch_write(s->id, s->seq++, now, offset, value, size);

    if (ok) {
        error = stopwatch_write_register(s, now, offset, value);
    } else {
        error = STOPWATCH_ERR_BAD_ACCESS;
    }
    if (error) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: %s: %u-byte write of 0x%" PRIx64
                      " at 0x%" HWADDR_PRIx "\n", s->id,
                      stopwatch_error_name(error), size, value, offset);
        stopwatch_raise(s, now, error);
    }
    stopwatch_trace_state(s, now);
    if (rewrites) {
        stopwatch_page_end(s, now);
    }
}

/* The guest has rung the doorbell, and has not waited for this */
static void stopwatch_doorbell(EventNotifier *doorbell)
{
    StopwatchState *s = container_of(doorbell, StopwatchState, doorbell);
    int64_t now = stopwatch_now();
    uint64_t error;

    if (!event_notifier_test_and_clear(doorbell)) {
        return;
    }
    stopwatch_expire(s, now);
    trace_stopwatch_doorbell(s->id, s->seq++, now);
    error = stopwatch_take_requests(s, now);
    if (error) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: %s: doorbell\n", s->id,
                      stopwatch_error_name(error));
        stopwatch_raise(s, now, error);
    }
    stopwatch_trace_state(s, now);
}

/*
 * The core passes on all accesses: it would answer one that is not .valid
 * with an abort in the guest, and split one that is not .impl. What comes is
 * not always what the guest did: a misaligned access faults in the guest or
 * is split by the accelerator, so the contract promises nothing about it.
 */
static const MemoryRegionOps stopwatch_ops = {
    .read = stopwatch_read,
    .write = stopwatch_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
    .impl = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
};

static void stopwatch_reset_hold(Object *obj, ResetType type)
{
    StopwatchState *s = STOPWATCH(obj);
    int64_t now = stopwatch_now();
    /* Before an incoming migration it may be shared with the running source */
    bool writes = !runstate_check(RUN_STATE_INMIGRATE);

    /*
     * A timeout whose deadline has come and that was not served is gone: it
     * must not raise the line here, where the interrupt controller may have
     * been reset or not.
     */
    trace_stopwatch_reset(s->id, s->seq++, now, s->start_at_boot, writes,
                          s->frequency);
    s->status = s->start_at_boot ? STOPWATCH_STATUS_RUNNING
                                 : STOPWATCH_STATUS_RESET;
    s->started = now;
    s->elapsed = 0;
    s->timeout_count = 0;
    s->error = 0;
    s->page_seq = 0;
    s->disruption = 0;
    s->laps = 0;
    s->taken = 0;
    stopwatch_disarm(s);
    stopwatch_update_irq(s, now);
    stopwatch_trace_state(s, now);
    if (writes) {
        memset(memory_region_get_ram_ptr(&s->mem), 0, STOPWATCH_MEM_SIZE);
        memory_region_set_dirty(&s->mem, 0, STOPWATCH_MEM_SIZE);
        stopwatch_init_mem(s, now);
    }
}

/* Whether a stopwatch can be in this state: what is loaded may be anything */
static bool stopwatch_is_possible(const StopwatchState *s, int64_t now)
{
    int64_t elapsed = stopwatch_elapsed(s, now);

    if (s->status > STOPWATCH_STATUS_PAUSED || elapsed < 0) {
        return false;
    }
    if (s->status == STOPWATCH_STATUS_RESET && elapsed != 0) {
        return false;
    }
    switch (s->timeout) {
    case TIMEOUT_IDLE:
        return s->deadline == 0;
    case TIMEOUT_PENDING:
        return s->deadline > 0 &&
               s->deadline - now <= (int64_t)STOPWATCH_TIMEOUT_MAX_NS;
    case TIMEOUT_FIRED:
        return s->deadline == 0 && s->timeout_count > 0;
    default:
        return false;
    }
}

static int stopwatch_post_load(void *opaque, int version_id)
{
    StopwatchState *s = opaque;
    int64_t now = stopwatch_now();
    /* A replay finds in "mem" what the recorded guest found there */
    bool writes = replay_mode == REPLAY_MODE_NONE;

    if (!stopwatch_is_possible(s, now) || s->page_seq % 2 ||
        (s->error & ~(uint64_t)STOPWATCH_ERR_ALL)) {
        return -EINVAL;
    }

    if (s->timeout == TIMEOUT_PENDING) {
        timer_mod_ns(&s->timer, s->deadline);
    } else {
        timer_del(&s->timer);
    }
    trace_stopwatch_load(s->id, s->seq++, now, writes, s->frequency,
                         s->page_seq, s->disruption, s->laps, s->taken);
    /* The level is part of the state that was loaded, not a change of it */
    s->irq_level = s->timeout == TIMEOUT_FIRED;
    stopwatch_update_irq(s, now);
    stopwatch_trace_state(s, now);
    /* The jump that the guest may see is this one, not the end of a stop */
    s->was_stopped = false;
    if (writes) {
        /* A request is not timed before this, whatever was loaded */
        s->elapsed = stopwatch_elapsed(s, now);
        s->started = now;
        s->disruption++;
        stopwatch_init_mem(s, now);
    }
    return 0;
}

static bool stopwatch_requests_needed(void *opaque)
{
    StopwatchState *s = opaque;

    return s->taken != 0;
}

/* A state without it can be loaded by a device without requests, and here */
static const VMStateDescription vmstate_stopwatch_requests = {
    .name = TYPE_STOPWATCH "/requests",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = stopwatch_requests_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(taken, StopwatchState),
        VMSTATE_END_OF_LIST()
    }
};

/*
 * The timer follows from the deadline; "mem" migrates as RAM. Version 2 had no
 * live page and no laps: it is loaded as if there had been none so far.
 */
static const VMStateDescription vmstate_stopwatch = {
    .name = TYPE_STOPWATCH,
    .version_id = 3,
    .minimum_version_id = 2,
    .post_load = stopwatch_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(status, StopwatchState),
        VMSTATE_INT64(elapsed, StopwatchState),
        VMSTATE_INT64(started, StopwatchState),
        VMSTATE_UINT32(timeout, StopwatchState),
        VMSTATE_INT64(deadline, StopwatchState),
        VMSTATE_UINT64(timeout_count, StopwatchState),
        VMSTATE_UINT64(error, StopwatchState),
        VMSTATE_UINT32_V(page_seq, StopwatchState, 3),
        VMSTATE_UINT64_V(disruption, StopwatchState, 3),
        VMSTATE_UINT64_V(laps, StopwatchState, 3),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_stopwatch_requests,
        NULL
    }
};

/*
 * No timer is served while the VM is stopped, being saved or going away. When
 * it continues, time has passed for everybody but the guest. A replay stops
 * where the recording did not, so neither takes notice.
 */
static void stopwatch_vm_state_change(void *opaque, bool running,
                                      RunState state)
{
    StopwatchState *s = opaque;
    int64_t now = stopwatch_now();

    if (!running) {
        /* A pending doorbell is not saved */
        if (s->ioeventfd) {
            stopwatch_doorbell(&s->doorbell);
        }
        stopwatch_expire(s, now);
        s->was_stopped = replay_mode == REPLAY_MODE_NONE;
    } else if (s->was_stopped) {
        trace_stopwatch_resume(s->id, s->seq++, now);
        s->disruption++;
        stopwatch_page_begin(s);
        stopwatch_page_end(s, now);
    }
}

/*
 * Frequency of the counter that the guest reads, where it counts the ticks of
 * QEMU_CLOCK_VIRTUAL; 0 where it has a clock of its own, as with KVM, or where
 * its tick is not a whole number of nanoseconds.
 */
static uint64_t stopwatch_counter_frequency(void)
{
    uint64_t hz = 0;

    if ((tcg_enabled() || qtest_enabled()) && first_cpu &&
        object_property_find(OBJECT(first_cpu), "cntfrq")) {
        hz = object_property_get_uint(OBJECT(first_cpu), "cntfrq", NULL);
    }
    return hz && NANOSECONDS_PER_SECOND % hz == 0 ? hz : 0;
}

static void stopwatch_exit(Notifier *notifier, void *data)
{
    StopwatchState *s = container_of(notifier, StopwatchState, exit_notifier);

    trace_stopwatch_end(s->id, s->seq++, stopwatch_now());
}

static void stopwatch_realize(DeviceState *dev, Error **errp)
{
    StopwatchState *s = STOPWATCH(dev);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);
    const char *id = dev->id ?: TYPE_STOPWATCH;
    g_autofree char *mem_name = g_strdup_printf("%s-mem", id);
    g_autofree char *regs_name = g_strdup_printf("%s-regs", id);
    int ret;

    /* QEMU aborts if two RAM blocks have the same name */
    if (qemu_ram_block_by_name(mem_name)) {
        error_setg(errp, "another " TYPE_STOPWATCH " has this name, '%s': "
                   "give each an id, as in -device stopwatch,id=NAME", id);
        return;
    }
    if (!memory_region_init_ram(&s->mem, OBJECT(dev), mem_name,
                                STOPWATCH_MEM_SIZE, errp)) {
        return;
    }
    memory_region_init_io(&s->regs, OBJECT(dev), &stopwatch_ops, s,
                          regs_name, STOPWATCH_REGS_SIZE);
    s->id = id;
    s->frequency = stopwatch_counter_frequency();
    /* When the doorbell is served would be neither counted nor recorded */
    s->ioeventfd = s->ioeventfd && !icount_enabled();
    if (s->ioeventfd) {
        ret = event_notifier_init(&s->doorbell, 0);
        if (ret < 0) {
            error_setg_errno(errp, -ret,
                             "cannot create the doorbell's event notifier");
            return;
        }
        event_notifier_set_handler(&s->doorbell, stopwatch_doorbell);
        memory_region_add_eventfd(&s->regs, STOPWATCH_DOORBELL, 8, false, 0,
                                  &s->doorbell);
    }
    /* In the order of "reg" and "reg-names" in the device tree */
    sysbus_init_mmio(sbd, &s->mem);
    sysbus_init_mmio(sbd, &s->regs);
    sysbus_init_irq(sbd, &s->irq);

    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, stopwatch_timer, s);
    s->vm_state_entry =
        pv_add_vm_change_state_handler(dev, stopwatch_vm_state_change, s);
    s->exit_notifier.notify = stopwatch_exit;
    qemu_add_exit_notifier(&s->exit_notifier);
}

static void stopwatch_unrealize(DeviceState *dev)
{
    StopwatchState *s = STOPWATCH(dev);

    qemu_remove_exit_notifier(&s->exit_notifier);
    qemu_del_vm_change_state_handler(s->vm_state_entry);
    if (s->ioeventfd) {
        memory_region_del_eventfd(&s->regs, STOPWATCH_DOORBELL, 8, false, 0,
                                  &s->doorbell);
        event_notifier_set_handler(&s->doorbell, NULL);
        event_notifier_cleanup(&s->doorbell);
    }
    timer_del(&s->timer);
    trace_stopwatch_end(s->id, s->seq++, stopwatch_now());
}

/* QEMU's names have dashes; start_at_boot is the original project's */
static const Property stopwatch_properties[] = {
    DEFINE_PROP_BOOL("start_at_boot", StopwatchState, start_at_boot, true),
    DEFINE_PROP_BOOL("ioeventfd", StopwatchState, ioeventfd, false),
};

static void stopwatch_class_init(ObjectClass *klass, ClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "Stopwatch with a timeout interrupt";
    dc->realize = stopwatch_realize;
    dc->unrealize = stopwatch_unrealize;
    dc->vmsd = &vmstate_stopwatch;
    rc->phases.hold = stopwatch_reset_hold;
    device_class_set_props(dc, stopwatch_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo stopwatch_types[] = {
    {
        .name = TYPE_STOPWATCH,
        .parent = TYPE_DYNAMIC_SYS_BUS_DEVICE,
        .instance_size = sizeof(StopwatchState),
        .class_init = stopwatch_class_init,
    },
};

DEFINE_TYPES(stopwatch_types)
