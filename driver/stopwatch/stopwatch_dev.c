// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/stopwatchN: stopwatch_uapi.h says what user space does with it.
 *
 * A file may be open when the driver is unbound. It keeps its struct stopwatch,
 * and looks under the lock whether there is still a device behind it.
 *
 * User memory is never touched under the lock: that may fault, and a fault in a
 * mapping of ours takes the lock.
 */

#include <linux/cleanup.h>
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "stopwatch.h"

#define PAGE_MATCHES(field, offset) \
	static_assert(offsetof(struct stopwatch_page, field) == (offset))

PAGE_MATCHES(magic, STOPWATCH_PAGE_MAGIC);
PAGE_MATCHES(size, STOPWATCH_PAGE_SIZE);
PAGE_MATCHES(version, STOPWATCH_PAGE_VERSION);
PAGE_MATCHES(seq, STOPWATCH_PAGE_SEQ);
PAGE_MATCHES(disruption, STOPWATCH_PAGE_DISRUPTION);
PAGE_MATCHES(flags, STOPWATCH_PAGE_FLAGS);
PAGE_MATCHES(state, STOPWATCH_PAGE_STATE);
PAGE_MATCHES(accumulated, STOPWATCH_PAGE_ACCUMULATED);
PAGE_MATCHES(counter, STOPWATCH_PAGE_COUNTER);
PAGE_MATCHES(frequency, STOPWATCH_PAGE_FREQUENCY);
PAGE_MATCHES(error, STOPWATCH_PAGE_ERROR);
static_assert(sizeof(struct stopwatch_page) == STOPWATCH_PAGE_BYTES);
static_assert(offsetof(struct stopwatch_laps, head) == STOPWATCH_LAPS_HEAD);
static_assert(offsetof(struct stopwatch_laps, capacity) == STOPWATCH_LAPS_CAPACITY);
static_assert(offsetof(struct stopwatch_laps, entries) == STOPWATCH_LAPS_ENTRIES);

static DEFINE_IDA(stopwatch_ids);

/**
 * struct stopwatch_file - an open file
 * @sw: its device
 * @file: the file
 * @node: in the device's files
 * @seen: timeout interrupts that its user knows of
 * @text: the text of the last successful read at offset 0, or empty; under the
 *	device's lock
 */
struct stopwatch_file {
	struct stopwatch *sw;
	struct file *file;
	struct list_head node;
	u64 seen;
	char text[STOPWATCH_DATA_SIZE];
};

/* misc_deregister() waits until this is over, so the driver is bound. */
static int stopwatch_open(struct inode *inode, struct file *file)
{
	struct stopwatch *sw = container_of(file->private_data, struct stopwatch, misc);
	struct stopwatch_file *sf;

	sf = kzalloc(sizeof(*sf), GFP_KERNEL);
	if (!sf)
		return -ENOMEM;

	kref_get(&sw->ref);
	sf->sw = sw;
	sf->file = file;
	file->private_data = sf;

	guard(mutex)(&sw->lock);
	sf->seen = sw->timeouts;
	list_add(&sf->node, &sw->files);
	return 0;
}

static int stopwatch_release(struct inode *inode, struct file *file)
{
	struct stopwatch_file *sf = file->private_data;

	scoped_guard(mutex, &sf->sw->lock)
		list_del(&sf->node);
	stopwatch_put(sf->sw);
	kfree(sf);
	return 0;
}

static ssize_t stopwatch_file_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct stopwatch_file *sf = file->private_data;
	struct stopwatch *sw = sf->sw;
	char text[STOPWATCH_DATA_SIZE + 1];
	size_t len;

	scoped_guard(mutex, &sw->lock) {
		int ret = sw->gone ? -ENODEV : 0;

		if (!ret && *pos == 0)
			ret = stopwatch_text(sw, sf->text);
		if (ret)
			return ret;
		len = scnprintf(text, sizeof(text), "%s\n", sf->text);
	}

	return simple_read_from_buffer(buf, count, pos, text, len);
}

static __poll_t stopwatch_poll(struct file *file, poll_table *wait)
{
	struct stopwatch_file *sf = file->private_data;
	struct stopwatch *sw = sf->sw;

	poll_wait(file, &sw->wait, wait);

	guard(mutex)(&sw->lock);
	if (sw->gone)
		return EPOLLERR | EPOLLHUP;
	return EPOLLIN | EPOLLRDNORM | (sf->seen == sw->timeouts ? 0 : EPOLLPRI);
}

union stopwatch_arg {
	struct stopwatch_text text;
	struct stopwatch_lap lap;
	struct stopwatch_info info;
	struct stopwatch_status status;
	struct stopwatch_batch batch;
	u64 ns;
};

static int stopwatch_get_status(struct stopwatch_file *sf, struct stopwatch_status *status)
{
	struct stopwatch *sw = sf->sw;
	int state = stopwatch_state(sw);

	if (state < 0)
		return state;

	status->state = state;
	status->elapsed_ns = stopwatch_read(sw, STOPWATCH_ELAPSED_NS, STOPWATCH_FEATURE_ELAPSED_NS);
	status->timeout_ns = stopwatch_read(sw, STOPWATCH_TIMEOUT_NS, STOPWATCH_FEATURE_TIMEOUT);
	status->timeouts = sw->timeouts;
	status->timeout_time_ns = sw->timeout_time;
	sf->seen = sw->timeouts;
	return 0;
}

static int stopwatch_do_ioctl(struct stopwatch_file *sf, unsigned int cmd, union stopwatch_arg *arg)
{
	struct stopwatch *sw = sf->sw;

	switch (cmd) {
	case STOPWATCH_IOC_RESET:
	case STOPWATCH_IOC_START:
	case STOPWATCH_IOC_PAUSE:
		return stopwatch_command(sw, _IOC_NR(cmd));
	case STOPWATCH_IOC_UPDATE:
		return stopwatch_text(sw, arg->text.text);
	case STOPWATCH_IOC_TIMEOUT:
		return stopwatch_timeout_ns(sw, arg->ns);
	case STOPWATCH_IOC_LAP:
		return stopwatch_lap(sw, &arg->lap);
	case STOPWATCH_IOC_BATCH:
		return stopwatch_batch(sw, &arg->batch);
	case STOPWATCH_IOC_INFO:
		arg->info.version = sw->version;
		arg->info.features = sw->features;
		return 0;
	case STOPWATCH_IOC_STATUS:
		return stopwatch_get_status(sf, &arg->status);
	case STOPWATCH_IOC_ELAPSED_NS:
		if (!(sw->features & STOPWATCH_FEATURE_ELAPSED_NS))
			return -EOPNOTSUPP;
		arg->ns = stopwatch_read(sw, STOPWATCH_ELAPSED_NS, STOPWATCH_FEATURE_ELAPSED_NS);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* UPDATE only writes the text, so it needs no write permission. */
static bool stopwatch_changes(unsigned int cmd)
{
	return cmd == STOPWATCH_IOC_BATCH ||
	       (_IOC_NR(cmd) <= STOPWATCH_CMD_LAP && cmd != STOPWATCH_IOC_UPDATE);
}

static long stopwatch_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct stopwatch_file *sf = file->private_data;
	struct stopwatch *sw = sf->sw;
	void __user *user = (void __user *)arg;
	union stopwatch_arg data = {};
	int ret;

	if (_IOC_TYPE(cmd) != STOPWATCH_IOC_MAGIC || _IOC_SIZE(cmd) > sizeof(data))
		return -ENOTTY;
	if (stopwatch_changes(cmd) && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if ((_IOC_DIR(cmd) & _IOC_WRITE) && copy_from_user(&data, user, _IOC_SIZE(cmd)))
		return -EFAULT;

	scoped_guard(mutex, &sw->lock)
		ret = sw->gone ? -ENODEV : stopwatch_do_ioctl(sf, cmd, &data);

	if (!ret && (_IOC_DIR(cmd) & _IOC_READ) && copy_to_user(user, &data, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}

/*
 * Pages are mapped when they are touched, and not by mmap() itself: there the
 * mapping is not known to the file yet, and unbinding could not find it.
 */
static vm_fault_t stopwatch_fault(struct vm_fault *vmf)
{
	struct stopwatch_file *sf = vmf->vma->vm_private_data;
	struct stopwatch *sw = sf->sw;

	guard(mutex)(&sw->lock);
	if (sw->gone)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(sw->mem_start) + vmf->pgoff);
}

static const struct vm_operations_struct stopwatch_vm_ops = {
	.fault = stopwatch_fault,
};

static int stopwatch_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct stopwatch_file *sf = file->private_data;
	struct stopwatch *sw = sf->sw;
	unsigned long first = PHYS_PFN(STOPWATCH_MMAP_LAPS), end = first;

	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;

	/*
	 * With pages larger than 4 KiB nothing can be mapped: such a page would
	 * also expose its neighbours.
	 */
	if (sw->features & STOPWATCH_FEATURE_LIVE_PAGE)
		first = PHYS_PFN(STOPWATCH_MMAP_PAGE);
	if (sw->features & STOPWATCH_FEATURE_LAPS)
		end = PHYS_PFN(STOPWATCH_MMAP_LAPS + STOPWATCH_MMAP_SIZE);
	if (vma->vm_pgoff < first || vma->vm_pgoff >= end || vma_pages(vma) > end - vma->vm_pgoff ||
	    !PAGE_ALIGNED(sw->mem_start))
		return -EINVAL;

	/* Cacheable, as @mem is: one memory must not be mapped in two ways. */
	vm_flags_mod(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &stopwatch_vm_ops;
	vma->vm_private_data = sf;

	guard(mutex)(&sw->lock);
	return sw->gone ? -ENODEV : 0;
}

static const struct file_operations stopwatch_fops = {
	.owner = THIS_MODULE,
	.open = stopwatch_open,
	.release = stopwatch_release,
	.read = stopwatch_file_read,
	.llseek = default_llseek,
	.poll = stopwatch_poll,
	.unlocked_ioctl = stopwatch_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = stopwatch_mmap,
};

int stopwatch_dev_add(struct stopwatch *sw)
{
	int ret;

	sw->id = ida_alloc(&stopwatch_ids, GFP_KERNEL);
	if (sw->id < 0)
		return sw->id;

	sw->misc.minor = MISC_DYNAMIC_MINOR;
	sw->misc.fops = &stopwatch_fops;
	sw->misc.parent = sw->dev;
	sw->misc.mode = 0644;
	sw->misc.name = devm_kasprintf(sw->dev, GFP_KERNEL, "stopwatch%d", sw->id);
	ret = sw->misc.name ? misc_register(&sw->misc) : -ENOMEM;
	if (ret)
		ida_free(&stopwatch_ids, sw->id);
	return ret;
}

/* When it returns, no open file and no mapping leads to the device. */
void stopwatch_dev_remove(struct stopwatch *sw)
{
	struct stopwatch_file *sf;

	misc_deregister(&sw->misc);
	scoped_guard(mutex, &sw->lock) {
		sw->gone = true;
		list_for_each_entry(sf, &sw->files, node)
			unmap_mapping_range(sf->file->f_mapping, 0, 0, 1);
	}
	wake_up_all(&sw->wait);
	ida_free(&stopwatch_ids, sw->id);
}
