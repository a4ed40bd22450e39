// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver for the para-virtualized stopwatch of QEMU.
 *
 * The device has a trapping register bank ("regs"), a bank of plain memory
 * shared with the host ("mem") and one interrupt. The offsets and codes come
 * from stopwatch_hw-sw.h, which is generated from the device's contract.
 *
 * User space sees, for each device, /dev/stopwatchN (stopwatch_dev.c) and the
 * files of sysfs-stopwatch in its directory in /sys, and for the first device
 *   /sys/module/stopwatch/parameters/stopwatch_status
 *	write: a command number; read: the state
 *   /sys/module/stopwatch/parameters/stopwatch_timeout
 *	write: arms a timeout, in seconds; read: timeout interrupts so far
 *   /sys/kernel/debug/stopwatch/stopwatch
 *	read: the elapsed time, as text
 *
 * A write that is refused fails with
 *   EPERM	the command is the driver's own: it alone arms and acknowledges
 *		timeouts, or it could not count them
 *   EINVAL	there is no such command (BAD_COMMAND)
 *   EBADFD	not in this state (BAD_STATE)
 *   ERANGE	not a timeout that the device can do (BAD_TIMEOUT)
 *   EBUSY	a timeout is under way or not acknowledged (BUSY)
 *   EIO	the device does not keep to its specification
 * and the module's files fail with ENODEV while no device is bound, so their
 * parameters cannot be given to insmod. A version-1 device reports no errors:
 * there the driver checks the values it is given.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cleanup.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/kstrtox.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "stopwatch.h"

/* Entries that a ring of one page has room for. */
#define STOPWATCH_LAPS_MOST	((STOPWATCH_MMAP_SIZE - STOPWATCH_LAPS_ENTRIES) / sizeof(u64))

/* The size that the "regs" of version 2 have at least. */
#define STOPWATCH_REGS_USED_V2	(STOPWATCH_TIMEOUT_COUNT + sizeof(u64))

/*
 * The bound devices. Module parameters and the debugfs file belong to the
 * module, so they mean one device: the bound one with the lowest address,
 * whatever the order in which they were bound. Whoever uses a device from
 * there holds the mutex, which keeps it from being unbound meanwhile.
 */
static LIST_HEAD(stopwatch_devices);
static DEFINE_MUTEX(stopwatch_devices_lock);

/* Parameters given to insmod are set before this is true. */
static bool stopwatch_loaded;

static struct stopwatch *stopwatch_first(void)
{
	struct stopwatch *sw, *first = NULL;

	lockdep_assert_held(&stopwatch_devices_lock);
	list_for_each_entry(sw, &stopwatch_devices, node)
		if (!first || sw->start < first->start)
			first = sw;
	return first;
}

static int stopwatch_errno(u64 error)
{
	if (!error)
		return 0;
	if (error & STOPWATCH_ERR_BAD_COMMAND)
		return -EINVAL;
	if (error & STOPWATCH_ERR_BUSY)
		return -EBUSY;
	if (error & STOPWATCH_ERR_BAD_TIMEOUT)
		return -ERANGE;
	if (error & STOPWATCH_ERR_BAD_STATE)
		return -EBADFD;
	return -EIO;
}

/* Without ERROR (version 1) a device refuses nothing, so the driver has to. */
static bool stopwatch_has_error(const struct stopwatch *sw)
{
	return sw->features & STOPWATCH_FEATURE_ERROR;
}

/* Writes a register and returns what the device said to it. */
static int stopwatch_write(struct stopwatch *sw, unsigned int offset, u64 value)
{
	lockdep_assert_held(&sw->lock);

	if (!stopwatch_has_error(sw)) {
		writeq(value, sw->regs + offset);
		/* The write has been carried out once a read comes back. */
		readq(sw->regs + STOPWATCH_STATUS);
		return 0;
	}

	/*
	 * The bits are sticky: what is in there now is not about this write. All
	 * bits, because a later version may have more.
	 */
	writeq(U64_MAX, sw->regs + STOPWATCH_ERROR);
	writeq(value, sw->regs + offset);
	return stopwatch_errno(readq(sw->regs + STOPWATCH_ERROR));
}

int stopwatch_command(struct stopwatch *sw, u64 command)
{
	return stopwatch_write(sw, STOPWATCH_COMMAND, command);
}

/* Performs a command that user space has asked for. */
static int stopwatch_perform(struct stopwatch *sw, u64 command)
{
	if (command == STOPWATCH_CMD_TIMEOUT || command == STOPWATCH_CMD_TIMEOUT_ACK)
		return -EPERM;
	if (!stopwatch_has_error(sw) && command > STOPWATCH_CMD_TIMEOUT_ACK)
		return -EINVAL;

	guard(mutex)(&sw->lock);
	return stopwatch_command(sw, command);
}

/* 0 where the device does not have the feature. */
u64 stopwatch_read(struct stopwatch *sw, unsigned int offset, u64 feature)
{
	return sw->features & feature ? readq(sw->regs + offset) : 0;
}

int stopwatch_state(struct stopwatch *sw)
{
	u64 state = readq(sw->regs + STOPWATCH_STATUS);

	return state > STOPWATCH_STATUS_PAUSED ? -EIO : state;
}

static int stopwatch_timeout(struct stopwatch *sw, u64 seconds)
{
	int ret;

	lockdep_assert_held(&sw->lock);
	if (!stopwatch_has_error(sw) && (seconds < 1 || seconds > STOPWATCH_TIMEOUT_MAX_S))
		return -ERANGE;

	/* writeq() orders this store before the command. */
	WRITE_ONCE(sw->mem->data_len, cpu_to_le64(seconds));
	ret = stopwatch_command(sw, STOPWATCH_CMD_TIMEOUT);
	if (!ret)
		sw->armed = true;
	return ret;
}

/* Without the register only whole seconds can be armed, and none cancelled. */
int stopwatch_timeout_ns(struct stopwatch *sw, u64 ns)
{
	u32 rest;
	u64 seconds;

	if (sw->features & STOPWATCH_FEATURE_TIMEOUT)
		return stopwatch_write(sw, STOPWATCH_TIMEOUT_NS, ns);

	seconds = div_u64_rem(ns, NSEC_PER_SEC, &rest);
	return rest ? -ERANGE : stopwatch_timeout(sw, seconds);
}

/*
 * Asks for the elapsed time as text; @text takes STOPWATCH_DATA_SIZE bytes. It
 * is written only if the device's text is valid: then it ends with a NUL.
 */
int stopwatch_text(struct stopwatch *sw, char *text)
{
	char data[STOPWATCH_DATA_SIZE];
	u64 len;
	int ret;

	ret = stopwatch_command(sw, STOPWATCH_CMD_UPDATE);
	if (ret)
		return ret;

	len = le64_to_cpu(READ_ONCE(sw->mem->data_len));
	memcpy(data, sw->mem->data, sizeof(data));
	if (len < 1 || len > sizeof(data) || data[len - 1])
		return -EIO;
	memcpy(text, data, sizeof(data));
	return 0;
}

/* Appends a lap. The lock is held, so the latest one in the ring is this one. */
int stopwatch_lap(struct stopwatch *sw, struct stopwatch_lap *lap)
{
	const struct stopwatch_laps *laps = (void *)sw->mem + STOPWATCH_MEM_LAPS;
	u64 head, capacity;
	int ret;

	if (!(sw->features & STOPWATCH_FEATURE_LAPS))
		return -EOPNOTSUPP;
	ret = stopwatch_command(sw, STOPWATCH_CMD_LAP);
	if (ret)
		return ret;

	head = le64_to_cpu(READ_ONCE(laps->head));
	capacity = le64_to_cpu(READ_ONCE(laps->capacity));
	if (!head || !capacity || capacity > STOPWATCH_LAPS_MOST)
		return -EIO;
	lap->number = head - 1;
	lap->elapsed_ns = le64_to_cpu(READ_ONCE(laps->entries[lap->number % capacity]));
	return 0;
}

/*
 * Appends laps that were timed by the counter. The lock is held until all are
 * taken, so the ring is empty before, and the latest laps are these.
 */
int stopwatch_batch(struct stopwatch *sw, struct stopwatch_batch *batch)
{
	struct stopwatch_requests *ring = (void *)sw->mem + STOPWATCH_MEM_REQUESTS;
	const struct stopwatch_laps *laps = (void *)sw->mem + STOPWATCH_MEM_LAPS;
	u64 first, i;
	__le64 head, tail;

	lockdep_assert_held(&sw->lock);
	if (!(sw->features & STOPWATCH_FEATURE_REQUESTS))
		return -EOPNOTSUPP;
	if (!batch->count || batch->count > STOPWATCH_REQUESTS_CAPACITY || batch->reserved)
		return -EINVAL;

	first = le64_to_cpu(READ_ONCE(ring->tail));
	for (i = 0; i < batch->count; i++)
		WRITE_ONCE(ring->entries[(first + i) % STOPWATCH_REQUESTS_CAPACITY].counter,
			   cpu_to_le64(batch->laps[i].counter));
	head = cpu_to_le64(first + batch->count);
	smp_store_release(&ring->head, head); /* the requests before it */
	writeq(0, sw->regs + STOPWATCH_DOORBELL);

	/* At once, if the doorbell was a trap. */
	if (read_poll_timeout(smp_load_acquire, tail, tail == head, 10, USEC_PER_SEC, false,
			      &ring->tail))
		return -EIO;

	for (i = 0; i < batch->count; i++) {
		u64 slot = (first + i) % STOPWATCH_REQUESTS_CAPACITY;
		u64 split = le64_to_cpu(READ_ONCE(ring->entries[slot].split));

		if (split == STOPWATCH_SPLIT_NONE)
			return -EBADFD;
		batch->laps[i].elapsed_ns = split;
	}
	batch->first = le64_to_cpu(READ_ONCE(laps->head)) - batch->count;
	return 0;
}

/*
 * A thread, because it takes the mutex, and each of its accesses is a trap. A
 * spinlock would keep the processor's interrupts off for the three accesses of
 * a command: 7 to 22 us, at 2.3 to 7.2 us for an access to QEMU that others have
 * measured with KVM on arm64 (kvm-unit-tests' micro-bench).
 */
static irqreturn_t stopwatch_interrupt(int irq, void *data)
{
	struct stopwatch *sw = data;
	bool fired;

	guard(mutex)(&sw->lock);
	/* From version 2 on, ERROR says whether one had fired. */
	fired = !stopwatch_command(sw, STOPWATCH_CMD_TIMEOUT_ACK);
	if (!stopwatch_has_error(sw))
		fired = sw->armed;
	/* If the line is stuck, the kernel disables the interrupt. */
	if (!fired)
		return IRQ_NONE;

	sw->armed = false;
	sw->timeout_time = READ_ONCE(sw->interrupt_time);
	WRITE_ONCE(sw->timeouts, sw->timeouts + 1);
	wake_up_all(&sw->wait);
	return IRQ_HANDLED;
}

static irqreturn_t stopwatch_hardirq(int irq, void *data)
{
	struct stopwatch *sw = data;

	WRITE_ONCE(sw->interrupt_time, ktime_get_ns());
	return IRQ_WAKE_THREAD;
}

static ssize_t state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	int state = stopwatch_state(dev_get_drvdata(dev));

	return state < 0 ? state : sysfs_emit(buf, "%d\n", state);
}
static DEVICE_ATTR_RO(state);

static ssize_t command_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	u64 command;
	int ret;

	ret = kstrtou64(buf, 0, &command);
	if (!ret)
		ret = stopwatch_perform(dev_get_drvdata(dev), command);
	return ret ?: count;
}
static DEVICE_ATTR_WO(command);

static ssize_t elapsed_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct stopwatch *sw = dev_get_drvdata(dev);
	char text[STOPWATCH_DATA_SIZE];
	int ret;

	guard(mutex)(&sw->lock);
	ret = stopwatch_text(sw, text);
	return ret ?: sysfs_emit(buf, "%s\n", text);
}
static DEVICE_ATTR_RO(elapsed);

static ssize_t elapsed_ns_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct stopwatch *sw = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", readq(sw->regs + STOPWATCH_ELAPSED_NS));
}
static DEVICE_ATTR_RO(elapsed_ns);

static ssize_t timeout_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct stopwatch *sw = dev_get_drvdata(dev);
	u64 seconds;
	int ret;

	ret = kstrtou64(buf, 0, &seconds);
	if (ret)
		return ret;

	guard(mutex)(&sw->lock);
	ret = stopwatch_timeout(sw, seconds);
	return ret ?: count;
}
static DEVICE_ATTR_WO(timeout);

static ssize_t timeouts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct stopwatch *sw = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(sw->timeouts));
}
static DEVICE_ATTR_RO(timeouts);

static struct attribute *stopwatch_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_command.attr,
	&dev_attr_elapsed.attr,
	&dev_attr_elapsed_ns.attr,
	&dev_attr_timeout.attr,
	&dev_attr_timeouts.attr,
	NULL
};

static umode_t stopwatch_attr_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	struct stopwatch *sw = dev_get_drvdata(kobj_to_dev(kobj));

	if (attr == &dev_attr_elapsed_ns.attr && !(sw->features & STOPWATCH_FEATURE_ELAPSED_NS))
		return 0;
	return attr->mode;
}

static const struct attribute_group stopwatch_group = {
	.attrs = stopwatch_attrs,
	.is_visible = stopwatch_attr_is_visible,
};
__ATTRIBUTE_GROUPS(stopwatch);

static int stopwatch_no_device(const struct kernel_param *kp)
{
	if (!stopwatch_loaded)
		pr_err("%s is not a load-time option: write to it once a device is bound\n",
		       kp->name);
	return -ENODEV;
}

static int stopwatch_status_set(const char *val, const struct kernel_param *kp)
{
	struct stopwatch *sw;
	u64 command;
	int ret;

	ret = kstrtou64(val, 0, &command);
	if (ret)
		return ret;

	guard(mutex)(&stopwatch_devices_lock);
	sw = stopwatch_first();
	return sw ? stopwatch_perform(sw, command) : stopwatch_no_device(kp);
}

static int stopwatch_status_get(char *buffer, const struct kernel_param *kp)
{
	struct stopwatch *sw;
	int state;

	guard(mutex)(&stopwatch_devices_lock);
	sw = stopwatch_first();
	if (!sw)
		return -ENODEV;

	state = stopwatch_state(sw);
	return state < 0 ? state : sysfs_emit(buffer, "%d\n", state);
}

static const struct kernel_param_ops stopwatch_status_ops = {
	.set = stopwatch_status_set,
	.get = stopwatch_status_get,
};
module_param_cb(stopwatch_status, &stopwatch_status_ops, NULL, 0644);
MODULE_PARM_DESC(stopwatch_status, "write: command number; read: 0 running, 1 reset, 2 paused");

static int stopwatch_timeout_set(const char *val, const struct kernel_param *kp)
{
	struct stopwatch *sw;
	u64 seconds;
	int ret;

	ret = kstrtou64(val, 0, &seconds);
	if (ret)
		return ret;

	guard(mutex)(&stopwatch_devices_lock);
	sw = stopwatch_first();
	if (!sw)
		return stopwatch_no_device(kp);

	guard(mutex)(&sw->lock);
	return stopwatch_timeout(sw, seconds);
}

static int stopwatch_timeout_get(char *buffer, const struct kernel_param *kp)
{
	struct stopwatch *sw;

	guard(mutex)(&stopwatch_devices_lock);
	sw = stopwatch_first();
	if (!sw)
		return -ENODEV;

	return sysfs_emit(buffer, "%llu\n", READ_ONCE(sw->timeouts));
}

static const struct kernel_param_ops stopwatch_timeout_ops = {
	.set = stopwatch_timeout_set,
	.get = stopwatch_timeout_get,
};
module_param_cb(stopwatch_timeout, &stopwatch_timeout_ops, NULL, 0644);
MODULE_PARM_DESC(stopwatch_timeout, "write: arm a timeout of 1 to 10 seconds; read: timeout interrupts");

static int stopwatch_text_show(struct seq_file *file, void *unused)
{
	char text[STOPWATCH_DATA_SIZE];
	struct stopwatch *sw;
	int ret;

	guard(mutex)(&stopwatch_devices_lock);
	sw = stopwatch_first();
	if (!sw)
		return -ENODEV;

	scoped_guard(mutex, &sw->lock)
		ret = stopwatch_text(sw, text);
	if (ret)
		return ret;
	seq_printf(file, "%s\n", text);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stopwatch_text);

/* Cancel any pending timeout; its interrupt would have no handler. */
static void stopwatch_quiesce(struct stopwatch *sw)
{
	if (!(sw->features & STOPWATCH_FEATURE_TIMEOUT))
		return;

	guard(mutex)(&sw->lock);
	/* One that has fired cannot be cancelled any more. */
	if (stopwatch_write(sw, STOPWATCH_TIMEOUT_NS, 0) == -EBADFD)
		stopwatch_command(sw, STOPWATCH_CMD_TIMEOUT_ACK);
}

static void stopwatch_leave(void *data)
{
	struct stopwatch *sw = data;

	scoped_guard(mutex, &stopwatch_devices_lock)
		list_del(&sw->node);
	stopwatch_dev_remove(sw);
	stopwatch_quiesce(sw);
}

static void stopwatch_free(struct kref *ref)
{
	struct stopwatch *sw = container_of(ref, struct stopwatch, ref);

	mutex_destroy(&sw->lock);
	kfree(sw);
}

/* For devm_add_action_or_reset(), too. */
void stopwatch_put(void *sw)
{
	kref_put(&((struct stopwatch *)sw)->ref, stopwatch_free);
}

/* ID says the version. Version 1 has no ID, and no room for one. */
static int stopwatch_identify(struct stopwatch *sw, resource_size_t size, resource_size_t mem_size)
{
	u64 id;

	if (size < STOPWATCH_ID + sizeof(id)) {
		sw->version = 1;
		dev_info(sw->dev, "version 1\n");
		return 0;
	}

	id = readq(sw->regs + STOPWATCH_ID);
	if (upper_32_bits(id) != STOPWATCH_MAGIC || lower_32_bits(id) < 2)
		return dev_err_probe(sw->dev, -ENODEV, "not a stopwatch: ID is %#llx\n", id);
	if (size < STOPWATCH_REGS_USED_V2)
		return dev_err_probe(sw->dev, -EINVAL, "version %u needs %zu bytes of registers\n",
				     lower_32_bits(id), STOPWATCH_REGS_USED_V2);

	/* A later version keeps what version 2 has; its new features are not used. */
	sw->version = lower_32_bits(id);
	sw->features = readq(sw->regs + STOPWATCH_FEATURES);
	if (((sw->features & (STOPWATCH_FEATURE_LIVE_PAGE | STOPWATCH_FEATURE_LAPS)) &&
	     mem_size < STOPWATCH_MMAP_LAPS + STOPWATCH_MMAP_SIZE) ||
	    ((sw->features & STOPWATCH_FEATURE_REQUESTS) &&
	     mem_size < STOPWATCH_MEM_REQUESTS + sizeof(struct stopwatch_requests)))
		return dev_err_probe(sw->dev, -EINVAL, "features %#llx need more \"mem\"\n",
				     sw->features);
	dev_info(sw->dev, "version %u, features %#llx\n", sw->version, sw->features);
	return 0;
}

static struct resource *stopwatch_region(struct platform_device *pdev, const char *name,
					 resource_size_t size)
{
	struct resource *res = platform_get_resource_byname(pdev, IORESOURCE_MEM, name);

	if (res && resource_size(res) >= size)
		return res;
	return ERR_PTR(dev_err_probe(&pdev->dev, res ? -EINVAL : -ENXIO,
				     "needs a region \"%s\" of %pa bytes\n", name, &size));
}

static int stopwatch_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct resource *regs, *mem;
	struct stopwatch *sw;
	int irq, ret;

	/* Not devm_kzalloc(): open files may outlive the binding. */
	sw = kzalloc(sizeof(*sw), GFP_KERNEL);
	if (!sw)
		return -ENOMEM;
	kref_init(&sw->ref);
	mutex_init(&sw->lock);
	init_waitqueue_head(&sw->wait);
	INIT_LIST_HEAD(&sw->files);
	sw->dev = dev;
	platform_set_drvdata(pdev, sw);
	ret = devm_add_action_or_reset(dev, stopwatch_put, sw);
	if (ret)
		return ret;

	regs = stopwatch_region(pdev, "regs", STOPWATCH_REGS_SIZE_V1);
	if (IS_ERR(regs))
		return PTR_ERR(regs);
	sw->start = regs->start;
	sw->regs = devm_ioremap_resource(dev, regs);
	if (IS_ERR(sw->regs))
		return PTR_ERR(sw->regs);

	mem = stopwatch_region(pdev, "mem", sizeof(*sw->mem));
	if (IS_ERR(mem))
		return PTR_ERR(mem);
	if (!devm_request_mem_region(dev, mem->start, resource_size(mem), dev_name(dev)))
		return dev_err_probe(dev, -EBUSY, "%pR is in use\n", mem);
	/* Memory on the host's side too: cacheable, or the two would not see the same. */
	sw->mem_start = mem->start;
	sw->mem = devm_memremap(dev, mem->start, resource_size(mem), MEMREMAP_WB);
	if (IS_ERR(sw->mem))
		return PTR_ERR(sw->mem);

	irq = platform_get_irq(pdev, 0);
	if (irq < 0)
		return irq;

	ret = stopwatch_identify(sw, resource_size(regs), resource_size(mem));
	if (ret)
		return ret;

	stopwatch_quiesce(sw);
	ret = devm_request_threaded_irq(dev, irq, stopwatch_hardirq, stopwatch_interrupt,
					IRQF_ONESHOT, dev_name(dev), sw);
	if (ret)
		return dev_err_probe(dev, ret, "no interrupt\n");

	ret = stopwatch_dev_add(sw);
	if (ret)
		return dev_err_probe(dev, ret, "no character device\n");
	scoped_guard(mutex, &stopwatch_devices_lock)
		list_add_tail(&sw->node, &stopwatch_devices);
	return devm_add_action_or_reset(dev, stopwatch_leave, sw);
}

static const struct of_device_id stopwatch_of_match[] = {
	{ .compatible = "qemu,stopwatch" },
	{ .compatible = "stopwatch" },
	{ }
};
MODULE_DEVICE_TABLE(of, stopwatch_of_match);

static struct platform_driver stopwatch_driver = {
	.probe = stopwatch_probe,
	.driver = {
		.name = "stopwatch",
		.of_match_table = stopwatch_of_match,
		.dev_groups = stopwatch_groups,
	},
};

static struct dentry *stopwatch_debugfs;

static int __init stopwatch_init(void)
{
	int ret;

	stopwatch_loaded = true;
	/* debugfs is a convenience: its absence is no error. */
	stopwatch_debugfs = debugfs_create_dir("stopwatch", NULL);
	debugfs_create_file("stopwatch", 0444, stopwatch_debugfs, NULL, &stopwatch_text_fops);

	ret = platform_driver_register(&stopwatch_driver);
	if (ret)
		debugfs_remove(stopwatch_debugfs);
	return ret;
}
module_init(stopwatch_init);

static void __exit stopwatch_exit(void)
{
	debugfs_remove(stopwatch_debugfs);
	platform_driver_unregister(&stopwatch_driver);
}
module_exit(stopwatch_exit);

MODULE_DESCRIPTION("Para-virtualized stopwatch of QEMU");
MODULE_LICENSE("GPL");
