# SPDX-License-Identifier: MIT
# QEMU's devices that every machine may have, and what these select. The project's own are behind PV_DEVICES.
CONFIG_ARM_VIRT=y
CONFIG_PV_DEVICES=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_SERIAL=y
# Unused, but the `virt` machine's ACPI code calls CXL in QEMU 10.2, which does not link without it. The rest are CXL's dependencies.
CONFIG_CXL=y
CONFIG_CXL_MEM_DEVICE=y
CONFIG_PCIE_PORT=y
CONFIG_PXB=y
