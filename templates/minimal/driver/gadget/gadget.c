// SPDX-License-Identifier: GPL-2.0-only
/* Driver for gadget: the file `value` in the directory of the device in /sys. */

#include <linux/device.h>
#include <linux/io.h>
#include <linux/kstrtox.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sysfs.h>

#include "gadget_hw-sw.h"

struct gadget {
	void __iomem *regs;
};

static ssize_t value_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct gadget *priv = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", readl(priv->regs + GADGET_VALUE));
}

static ssize_t value_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	struct gadget *priv = dev_get_drvdata(dev);
	u8 value;
	int ret;

	ret = kstrtou8(buf, 0, &value);
	if (ret)
		return ret;
	writel(value, priv->regs + GADGET_VALUE);
	return count;
}
static DEVICE_ATTR_RW(value);

static struct attribute *gadget_attrs[] = {
	&dev_attr_value.attr,
	NULL
};
ATTRIBUTE_GROUPS(gadget);

static int gadget_probe(struct platform_device *pdev)
{
	struct gadget *priv;

	priv = devm_kzalloc(&pdev->dev, sizeof(*priv), GFP_KERNEL);
	if (!priv)
		return -ENOMEM;
	priv->regs = devm_platform_ioremap_resource_byname(pdev, "regs");
	if (IS_ERR(priv->regs))
		return PTR_ERR(priv->regs);
	platform_set_drvdata(pdev, priv);
	return 0;
}

static const struct of_device_id gadget_of_match[] = {
	{ .compatible = "gadget" },
	{ }
};
MODULE_DEVICE_TABLE(of, gadget_of_match);

static struct platform_driver gadget_driver = {
	.probe = gadget_probe,
	.driver = {
		.name = "gadget",
		.of_match_table = gadget_of_match,
		.dev_groups = gadget_groups,
	},
};
module_platform_driver(gadget_driver);

MODULE_DESCRIPTION("One register that keeps the byte it is given");
MODULE_LICENSE("GPL");
