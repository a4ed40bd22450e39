/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/* What the device and the driver agree on. device/gadget/model.ts says it again, for the checks. */
#ifndef GADGET_HW_SW_H
#define GADGET_HW_SW_H

/* In the region "regs": 32 bits, of which the lowest 8 are kept */
#define GADGET_VALUE      0x00
#define GADGET_VALUE_MAX  0xff
#define GADGET_REGS_SIZE  0x1000

#endif
