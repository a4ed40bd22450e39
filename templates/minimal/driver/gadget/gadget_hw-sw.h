/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/* Shared by the device and the driver; model.ts says it again, for the checks. */
#ifndef GADGET_HW_SW_H
#define GADGET_HW_SW_H

/* In the region "regs". VALUE keeps the lowest 8 of its 32 bits. */
#define GADGET_VALUE      0x00
#define GADGET_VALUE_MAX  0xff
#define GADGET_REGS_SIZE  0x1000

#endif
