/*
 * gadget: one register that keeps the byte it is given
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/misc/pv/pv.h"
#include "gadget_hw-sw.h"

#define TYPE_GADGET "gadget"
OBJECT_DECLARE_SIMPLE_TYPE(GadgetState, GADGET)

struct GadgetState {
    SysBusDevice parent_obj;

    MemoryRegion regs;
    Notifier exit_notifier;
    const char *id;         /* its name in the machine and in the trace */
    uint32_t initial;       /* the property */

    uint32_t value;
    uint64_t seq;           /* of the next trace event */
};

static uint64_t gadget_read(void *opaque, hwaddr offset, unsigned size)
{
    GadgetState *s = opaque;
    uint64_t value = 0;

    if (offset == GADGET_VALUE) {
        value = s->value;
    }
    trace_gadget_read(s->id, s->seq++, pv_now(), offset, value, size);
    return value;
}

static void gadget_write(void *opaque, hwaddr offset, uint64_t value,
                         unsigned size)
{
    GadgetState *s = opaque;
    int64_t now = pv_now();

    trace_gadget_write(s->id, s->seq++, now, offset, value, size);
    if (offset == GADGET_VALUE) {
        s->value = value & GADGET_VALUE_MAX;
    }
}

/* QEMU itself refuses accesses of another size */
static const MemoryRegionOps gadget_ops = {
    .read = gadget_read,
    .write = gadget_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

static void gadget_reset_hold(Object *obj, ResetType type)
{
    GadgetState *s = GADGET(obj);
    int64_t now = pv_now();

    s->value = s->initial & GADGET_VALUE_MAX;
    trace_gadget_reset(s->id, s->seq++, now, s->initial);
}

/* The last event says that the trace is complete */
static void gadget_exit(Notifier *notifier, void *data)
{
    GadgetState *s = container_of(notifier, GadgetState, exit_notifier);

    trace_gadget_end(s->id, s->seq++, pv_now());
}

static void gadget_realize(DeviceState *dev, Error **errp)
{
    GadgetState *s = GADGET(dev);
    SysBusDevice *bus = SYS_BUS_DEVICE(dev);
    g_autofree char *name = NULL;

    s->id = dev->id ?: TYPE_GADGET;
    name = g_strdup_printf("%s-regs", s->id);
    memory_region_init_io(&s->regs, OBJECT(dev), &gadget_ops, s, name,
                          GADGET_REGS_SIZE);
    sysbus_init_mmio(bus, &s->regs);
    s->exit_notifier.notify = gadget_exit;
    qemu_add_exit_notifier(&s->exit_notifier);
}

static void gadget_unrealize(DeviceState *dev)
{
    GadgetState *s = GADGET(dev);

    qemu_remove_exit_notifier(&s->exit_notifier);
    trace_gadget_end(s->id, s->seq++, pv_now());
}

static const VMStateDescription vmstate_gadget = {
    .name = TYPE_GADGET,
    .unmigratable = 1,
};

static const Property gadget_properties[] = {
    DEFINE_PROP_UINT32("initial", GadgetState, initial, 0),
};

static void gadget_class_init(ObjectClass *klass, ClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "One register that keeps the byte it is given";
    dc->realize = gadget_realize;
    dc->unrealize = gadget_unrealize;
    dc->vmsd = &vmstate_gadget;
    RESETTABLE_CLASS(klass)->phases.hold = gadget_reset_hold;
    device_class_set_props(dc, gadget_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo gadget_types[] = {
    {
        .name = TYPE_GADGET,
        .parent = TYPE_DYNAMIC_SYS_BUS_DEVICE,
        .instance_size = sizeof(GadgetState),
        .class_init = gadget_class_init,
    },
};

DEFINE_TYPES(gadget_types)
