/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/*
 * A reader of the stopwatch's live page and lap ring, for programs that have mapped
 * them. docs/registers.md says why this is enough.
 */
#ifndef STOPWATCH_PAGE_H
#define STOPWATCH_PAGE_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include "stopwatch_uapi.h"

/* What the fields were at one moment, and the counter at that moment. */
struct page_snapshot {
	uint32_t seq;
	uint64_t disruption;
	uint64_t flags;
	uint64_t state;
	uint64_t accumulated;
	uint64_t counter;
	uint64_t frequency;
	uint64_t error;
	uint64_t now;
};

/* Loads once, and whole. */
static inline uint64_t load64(const __le64 *field)
{
	return le64toh(__atomic_load_n(field, __ATOMIC_RELAXED));
}

/* Keeps its place: neither before what is above nor behind what is below. */
static inline uint64_t counter_now(void)
{
	uint64_t now;

	asm volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r" (now) : : "memory");
	return now;
}

/* Whether this page can be read: its later versions only have more at the end. */
static inline bool page_is_known(const struct stopwatch_page *page)
{
	return le32toh(page->magic) == STOPWATCH_PAGE_MAGIC_VALUE &&
	       le32toh(page->version) >= STOPWATCH_PAGE_VERSION_VALUE &&
	       le32toh(page->size) >= sizeof(*page);
}

static inline bool page_is_valid(const struct page_snapshot *was)
{
	return !(was->flags & STOPWATCH_PAGE_FLAG_COUNTER_INVALID) && was->frequency;
}

/* One try; false if the device was writing. */
static inline bool page_try(const struct stopwatch_page *page, struct page_snapshot *was)
{
	was->seq = le32toh(__atomic_load_n(&page->seq, __ATOMIC_ACQUIRE));
	if (was->seq & 1)
		return false;
	was->disruption = load64(&page->disruption);
	was->flags = load64(&page->flags);
	was->state = load64(&page->state);
	was->accumulated = load64(&page->accumulated);
	was->counter = load64(&page->counter);
	was->frequency = load64(&page->frequency);
	was->error = load64(&page->error);
	was->now = counter_now();
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return le32toh(__atomic_load_n(&page->seq, __ATOMIC_RELAXED)) == was->seq;
}

static inline uint64_t page_elapsed_ns(const struct page_snapshot *was)
{
	unsigned __int128 ticks = was->now - was->counter;

	if (was->state != STOPWATCH_STATUS_RUNNING)
		return was->accumulated;
	return was->accumulated + (uint64_t)(ticks * 1000000000 / was->frequency);
}

/* The elapsed time without a trap. False if the page does not say it: ask the device. */
static inline bool page_read_ns(const struct stopwatch_page *page, uint64_t *ns)
{
	struct page_snapshot was;

	while (!page_try(page, &was))
		;
	if (was.state == STOPWATCH_STATUS_RUNNING && !page_is_valid(&was))
		return false;
	*ns = page_elapsed_ns(&was);
	return true;
}

static inline uint64_t laps_head(const struct stopwatch_laps *laps)
{
	return le64toh(__atomic_load_n(&laps->head, __ATOMIC_ACQUIRE));
}

/* The first lap whose entry is there for sure, although one is being appended. */
static inline uint64_t laps_first(const struct stopwatch_laps *laps, uint64_t head)
{
	uint64_t capacity = load64(&laps->capacity);

	return head < capacity ? 0 : head - capacity + 1;
}

/* False if the entry was overwritten, or may just be so. */
static inline bool laps_read_ns(const struct stopwatch_laps *laps, uint64_t number, uint64_t *ns)
{
	*ns = load64(&laps->entries[number % load64(&laps->capacity)]);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return number >= laps_first(laps, laps_head(laps));
}

#endif /* STOPWATCH_PAGE_H */
