// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver for rngboi, a random generator in QEMU. Each read of its one register
 * returns a new random word and traps.
 */

#include <linux/hw_random.h>
#include <linux/io.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include "rngboi_hw-sw.h"

struct rngboi {
	struct hwrng rng;
	void __iomem *regs;
};

/* The core asks for whole words only. */
static int rngboi_read(struct hwrng *rng, void *data, size_t max, bool wait)
{
	struct rngboi *boi = container_of(rng, struct rngboi, rng);
	u32 *words = data;
	size_t i;

	for (i = 0; i < max / sizeof(*words); i++)
		words[i] = readl(boi->regs + RNGBOI_RNG0);
	return i * sizeof(*words);
}

static int rngboi_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct rngboi *boi;
	int ret;

	boi = devm_kzalloc(dev, sizeof(*boi), GFP_KERNEL);
	if (!boi)
		return -ENOMEM;

	boi->regs = devm_platform_ioremap_resource_byname(pdev, "regs");
	if (IS_ERR(boi->regs))
		return PTR_ERR(boi->regs);

	/* Unique, as there may be several of them. */
	boi->rng.name = dev_name(dev);
	boi->rng.read = rngboi_read;
	/*
	 * The device may have been given a seed, which makes its words
	 * predictable, and it does not tell. So credit the least entropy that
	 * is possible: 0 would mean the maximum.
	 */
	boi->rng.quality = 1;
	ret = devm_hwrng_register(dev, &boi->rng);
	if (ret)
		return dev_err_probe(dev, ret, "cannot register\n");
	return 0;
}

static const struct of_device_id rngboi_of_match[] = {
	{ .compatible = "rngboi" },
	{ }
};
MODULE_DEVICE_TABLE(of, rngboi_of_match);

static struct platform_driver rngboi_driver = {
	.probe = rngboi_probe,
	.driver = {
		.name = "rngboi",
		.of_match_table = rngboi_of_match,
	},
};
module_platform_driver(rngboi_driver);

MODULE_DESCRIPTION("Random generator of QEMU that traps");
MODULE_LICENSE("GPL");
