# SPDX-License-Identifier: MIT
# QEMU's devices that every machine may have, and what these select. The project's own are behind PV_DEVICES.
CONFIG_ARM_VIRT=y
CONFIG_PV_DEVICES=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_SERIAL=y
# Not used. But QEMU 10.2 calls CXL from the `virt` machine's ACPI code, and does not link without it; the rest is what CXL needs.
CONFIG_CXL=y
CONFIG_CXL_MEM_DEVICE=y
CONFIG_PCIE_PORT=y
CONFIG_PXB=y
