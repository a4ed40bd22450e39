# SPDX-License-Identifier: MIT
# QEMU's devices that every machine may have, and what these select. The project's own are behind PV_DEVICES.
CONFIG_ARM_VIRT=y
CONFIG_PV_DEVICES=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_SERIAL=y
