/*
 * Declarations shared by all devices in hw/misc/pv.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_PV_PV_H
#define HW_MISC_PV_PV_H

#include "qemu/log.h"
#include "qemu/module.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "migration/vmstate.h"
#include "system/runstate.h"
#include "system/system.h"
#include "trace/trace-hw_misc_pv.h"

#define QEMU_SINCE_10_1 \
    (QEMU_VERSION_MAJOR > 10 || \
     (QEMU_VERSION_MAJOR == 10 && QEMU_VERSION_MINOR >= 1))

/* Declares icount_enabled() */
#if QEMU_SINCE_10_1
#include "exec/icount.h"
#else
#include "system/cpu-timers.h"
#endif

/* The second parameter of class_init */
#if QEMU_SINCE_10_1
typedef const void ClassData;
#else
typedef void ClassData;
#endif

/* Since 10.1 the function takes a second callback, which can fail */
static inline VMChangeStateEntry *
pv_add_vm_change_state_handler(DeviceState *dev, VMChangeStateHandler *cb,
                               void *opaque)
{
#if QEMU_SINCE_10_1
    return qdev_add_vm_change_state_handler(dev, cb, NULL, opaque);
#else
    return qdev_add_vm_change_state_handler(dev, cb, opaque);
#endif
}

/* The time that the trace events carry */
static inline int64_t pv_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

#endif
