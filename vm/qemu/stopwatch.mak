# SPDX-License-Identifier: MIT
# QEMU's device list: the machine and our device, and what these select.
CONFIG_ARM_VIRT=y
CONFIG_STOPWATCH=y
