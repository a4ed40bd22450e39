// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to the stopwatch from within the kernel, for measurements.
 *
 * In debugfs, for each device, there is stopwatch_bench/LABEL/ with a file for
 * each kind of access. Writing a number performs as many of them in a row.
 *
 *   mmio_read_user	the register ELAPSED_NS: a trap to QEMU
 *   page_kernel	the live page: no trap
 *
 * It maps the device by itself, beside the driver, and only reads.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include <asm/arch_timer.h>

#include "stopwatch_uapi.h"

/* Some seconds, at the 7 us that an access to QEMU may take. */
#define MOST_TRAPS	1000000
/* A read of the page takes some 10 ns, where the processor is not emulated. */
#define MOST_READS	100000000

struct bench {
	void __iomem *regs;
	void *mem;
	struct list_head node;
};

static LIST_HEAD(benches);
static struct dentry *bench_root;

/* As the device's register specification says. */
static u64 bench_read_page(const struct stopwatch_page *page)
{
	u64 state, accumulated, counter, frequency, now;
	u32 seq;

	do {
		while ((seq = le32_to_cpu(READ_ONCE(page->seq))) & 1)
			cpu_relax();
		smp_rmb(); /* SEQ before the fields and the counter */
		state = le64_to_cpu(READ_ONCE(page->state));
		accumulated = le64_to_cpu(READ_ONCE(page->accumulated));
		counter = le64_to_cpu(READ_ONCE(page->counter));
		frequency = le64_to_cpu(READ_ONCE(page->frequency));
		now = __arch_counter_get_cntvct();
		isb();
		smp_rmb(); /* the fields and the counter before SEQ */
	} while (le32_to_cpu(READ_ONCE(page->seq)) != seq);

	if (state != STOPWATCH_STATUS_RUNNING || !frequency)
		return accumulated;
	return accumulated + mul_u64_u64_div_u64(now - counter, NSEC_PER_SEC, frequency);
}

static int mmio_set(void *data, u64 count)
{
	struct bench *bench = data;

	if (count > MOST_TRAPS)
		return -ERANGE;
	while (count--)
		readq(bench->regs + STOPWATCH_ELAPSED_NS);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mmio_fops, NULL, mmio_set, "%llu\n");

static int page_set(void *data, u64 count)
{
	struct bench *bench = data;

	if (count > MOST_READS)
		return -ERANGE;
	while (count--) {
		u64 ns = bench_read_page(bench->mem + STOPWATCH_MEM_PAGE);

		/* Or the compiler would leave the division out. */
		OPTIMIZER_HIDE_VAR(ns);
	}
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(page_fops, NULL, page_set, "%llu\n");

static void bench_add(struct device_node *node, struct bench *bench)
{
	const char *label = node->name;
	struct dentry *dir;
	struct resource regs, mem;
	u64 features;
	int i;

	list_add(&bench->node, &benches);
	i = of_property_match_string(node, "reg-names", "regs");
	if (i < 0 || of_address_to_resource(node, i, &regs) ||
	    resource_size(&regs) < STOPWATCH_REGS_SIZE)
		return;
	bench->regs = ioremap(regs.start, resource_size(&regs));
	if (!bench->regs)
		return;

	of_property_read_string(node, "label", &label);
	dir = debugfs_create_dir(label, bench_root);
	features = readq(bench->regs + STOPWATCH_FEATURES);
	if (features & STOPWATCH_FEATURE_ELAPSED_NS)
		debugfs_create_file("mmio_read_user", 0200, dir, bench, &mmio_fops);

	i = of_property_match_string(node, "reg-names", "mem");
	if (i < 0 || of_address_to_resource(node, i, &mem) ||
	    !(features & STOPWATCH_FEATURE_LIVE_PAGE) ||
	    resource_size(&mem) < STOPWATCH_MEM_PAGE + sizeof(struct stopwatch_page))
		return;
	bench->mem = memremap(mem.start, resource_size(&mem), MEMREMAP_WB);
	if (bench->mem)
		debugfs_create_file("page_kernel", 0200, dir, bench, &page_fops);
}

static int __init bench_init(void)
{
	struct device_node *node;

	bench_root = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for_each_compatible_node(node, NULL, "stopwatch") {
		struct bench *bench = kzalloc(sizeof(*bench), GFP_KERNEL);

		if (bench)
			bench_add(node, bench);
	}
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	struct bench *bench, *next;

	debugfs_remove(bench_root);
	list_for_each_entry_safe(bench, next, &benches, node) {
		if (bench->mem)
			memunmap(bench->mem);
		if (bench->regs)
			iounmap(bench->regs);
		kfree(bench);
	}
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Measures accesses to the para-virtualized stopwatch of QEMU");
MODULE_LICENSE("GPL");
