// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random bytes read within the kernel, without Linux's hwrng: from rngboi's
 * register, and from the queue of virtio-rng.
 *
 * In debugfs, rngboi_bench/ has the file `size`, the bytes of a request, and a
 * file for each device. Writing a number to that makes as many requests.
 *
 * It maps rngboi by itself, beside the driver, and only reads. Linux's driver
 * must release a virtio-rng (in sysfs, `unbind`) before this one can have it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "rngboi_hw-sw.h"

#define MOST_BYTES	SZ_1M
#define MOST_REQUESTS	1000000

/**
 * struct source - a device to read from
 * @request: reads this many bytes into @buffer
 * @regs: registers of rngboi
 * @vq: queue of virtio-rng
 * @filled: virtio-rng has used the buffer
 * @buffer: MOST_BYTES
 * @file: in debugfs
 * @node: in rngboi_list
 */
struct source {
	int (*request)(struct source *source, u32 size);
	void __iomem *regs;
	struct virtqueue *vq;
	struct completion filled;
	void *buffer;
	struct dentry *file;
	struct list_head node;
};

static LIST_HEAD(rngboi_list);
static struct dentry *bench_root;
static u32 bench_size = 64;
/* One measurement at a time. */
static DEFINE_MUTEX(bench_lock);

static int rngboi_request(struct source *source, u32 size)
{
	u32 *words = source->buffer;
	u32 i;

	for (i = 0; i < size / sizeof(*words); i++)
		words[i] = readl(source->regs + RNGBOI_RNG0);
	return 0;
}

/* One buffer, however large: it is the number of buffers that costs. */
static int virtio_request(struct source *source, u32 size)
{
	struct scatterlist sg;
	u32 used;
	int ret;

	while (size) {
		sg_init_one(&sg, source->buffer, size);
		reinit_completion(&source->filled);
		ret = virtqueue_add_inbuf(source->vq, &sg, 1, source, GFP_KERNEL);
		if (ret)
			return ret;
		virtqueue_kick(source->vq);
		if (!wait_for_completion_timeout(&source->filled, 10 * HZ))
			return -ETIMEDOUT;
		if (!virtqueue_get_buf(source->vq, &used) || !used || used > size)
			return -EIO;
		size -= used;
	}
	return 0;
}

static int bench_set(void *data, u64 count)
{
	struct source *source = data;
	int ret = 0;
	u32 size;

	guard(mutex)(&bench_lock);
	size = READ_ONCE(bench_size);
	if (count > MOST_REQUESTS || !size || size > MOST_BYTES)
		return -ERANGE;
	while (count-- && !ret)
		ret = source->request(source, size);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(bench_fops, NULL, bench_set, "%llu\n");

static struct source *source_new(int (*request)(struct source *source, u32 size))
{
	struct source *source = kzalloc(sizeof(*source), GFP_KERNEL);

	if (!source)
		return NULL;
	source->buffer = kmalloc(MOST_BYTES, GFP_KERNEL);
	if (!source->buffer) {
		kfree(source);
		return NULL;
	}
	source->request = request;
	init_completion(&source->filled);
	return source;
}

static void source_free(struct source *source)
{
	if (source->regs)
		iounmap(source->regs);
	kfree(source->buffer);
	kfree(source);
}

static void source_show(struct source *source, const char *name)
{
	source->file = debugfs_create_file(name, 0200, bench_root, source, &bench_fops);
}

static void virtio_used(struct virtqueue *vq)
{
	struct source *source = vq->vdev->priv;

	complete(&source->filled);
}

static int virtio_probe(struct virtio_device *vdev)
{
	struct source *source = source_new(virtio_request);

	if (!source)
		return -ENOMEM;
	vdev->priv = source;
	source->vq = virtio_find_single_vq(vdev, virtio_used, "input");
	if (IS_ERR(source->vq)) {
		int ret = PTR_ERR(source->vq);

		source_free(source);
		return ret;
	}
	/* The file can be used as soon as it is there, the queue only after this. */
	virtio_device_ready(vdev);
	source_show(source, dev_name(&vdev->dev));
	return 0;
}

static void virtio_remove(struct virtio_device *vdev)
{
	struct source *source = vdev->priv;

	debugfs_remove(source->file);
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	source_free(source);
}

static const struct virtio_device_id virtio_ids[] = {
	{ VIRTIO_ID_RNG, VIRTIO_DEV_ANY_ID },
	{ }
};

static struct virtio_driver virtio_bench_driver = {
	.driver.name = KBUILD_MODNAME,
	.id_table = virtio_ids,
	.probe = virtio_probe,
	.remove = virtio_remove,
};

static void rngboi_add(struct device_node *node)
{
	const char *label = node->name;
	struct source *source;

	source = source_new(rngboi_request);
	if (!source)
		return;
	source->regs = of_iomap(node, 0);
	if (!source->regs) {
		source_free(source);
		return;
	}
	of_property_read_string(node, "label", &label);
	source_show(source, label);
	list_add(&source->node, &rngboi_list);
}

static void rngboi_remove_all(void)
{
	struct source *source, *next;

	debugfs_remove(bench_root);
	list_for_each_entry_safe(source, next, &rngboi_list, node)
		source_free(source);
}

static int __init bench_init(void)
{
	struct device_node *node;
	int ret;

	bench_root = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_u32("size", 0600, bench_root, &bench_size);
	for_each_compatible_node(node, NULL, "rngboi")
		rngboi_add(node);

	ret = register_virtio_driver(&virtio_bench_driver);
	if (ret)
		rngboi_remove_all();
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	unregister_virtio_driver(&virtio_bench_driver);
	rngboi_remove_all();
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Reads random bytes from rngboi and virtio-rng within the kernel");
MODULE_LICENSE("GPL");
