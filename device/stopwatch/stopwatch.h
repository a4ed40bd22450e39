/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stopwatch: a para-virtualized device on the platform bus
 *
 * What the machine and the device-tree builder need to know of it. Registers,
 * commands and limits are in stopwatch_hw-sw.h.
 */

#ifndef HW_MISC_STOPWATCH_H
#define HW_MISC_STOPWATCH_H

#define TYPE_STOPWATCH "stopwatch"

#endif /* HW_MISC_STOPWATCH_H */
