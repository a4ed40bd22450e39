/* SPDX-License-Identifier: GPL-2.0-or-later OR MIT */
/*
 * Hardware-software interface of rngboi, shared by the QEMU device and the
 * Linux driver. Generated from device/rngboi/contract.ts: edit that file, not
 * this one.
 */
#ifndef RNGBOI_HW_SW_H
#define RNGBOI_HW_SW_H

/* In the trapping region, "regs": a new random word at each 4-byte read */
#define RNGBOI_RNG0      0x00
#define RNGBOI_REGS_SIZE 0x1000

#endif /* RNGBOI_HW_SW_H */
