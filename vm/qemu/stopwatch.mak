# SPDX-License-Identifier: MIT
# QEMU's device list: the machine, our device and the disk, and what these select.
CONFIG_ARM_VIRT=y
CONFIG_STOPWATCH=y
CONFIG_VIRTIO_BLK=y
