/*
 * rngboi: a random generator that traps
 *
 * One 32-bit register, RNG0, each read of which gives a new random word:
 * the simplest device that a guest can use, and the slowest, since every
 * word is an exit.
 *
 * With the property "seed" the words follow from it: see nextWord() in
 * contract.ts. Otherwise they come from QEMU's source of randomness for guests.
 *
 * Any other access reads 0, changes nothing, and is logged as a guest error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/guest-random.h"
#include "hw/misc/pv/pv.h"
#include "rngboi_hw-sw.h"

#define TYPE_RNGBOI "rngboi"

OBJECT_DECLARE_SIMPLE_TYPE(RngboiState, RNGBOI)

struct RngboiState {
    SysBusDevice parent_obj;

    MemoryRegion regs;
    Notifier exit_notifier;

    uint64_t seed;
    const char *id;         /* of this one among several */

    uint64_t state;         /* of the generator; 0 without a seed */
    uint64_t seq;           /* of the next trace event */
};

/* The high half of the next number of splitmix64 */
static uint32_t rngboi_next_word(RngboiState *s)
{
    uint64_t z;

    s->state += 0x9e3779b97f4a7c15ULL;
    z = s->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) >> 32;
}

static uint32_t rngboi_word(RngboiState *s)
{
    uint32_t word;

    if (s->seed) {
        return rngboi_next_word(s);
    }
    qemu_guest_getrandom_nofail(&word, sizeof(word));
    return word;
}

static uint64_t rngboi_read(void *opaque, hwaddr offset, unsigned size)
{
    RngboiState *s = opaque;
    int64_t now = pv_now();
    uint32_t word;

    if (offset != RNGBOI_RNG0 || size != sizeof(word)) {
        trace_rngboi_read(s->id, s->seq++, now, offset, 0, size);
        qemu_log_mask(LOG_GUEST_ERROR, "%s: refused: %u-byte read at 0x%"
                      HWADDR_PRIx "\n", s->id, size, offset);
        trace_rngboi_refused(s->id, s->seq++, now);
        return 0;
    }

    word = rngboi_word(s);
    trace_rngboi_read(s->id, s->seq++, now, offset, word, size);
    return word;
}

static void rngboi_write(void *opaque, hwaddr offset, uint64_t value,
                         unsigned size)
{
    RngboiState *s = opaque;
    int64_t now = pv_now();

    trace_rngboi_write(s->id, s->seq++, now, offset, value, size);
    qemu_log_mask(LOG_GUEST_ERROR, "%s: refused: %u-byte write of 0x%" PRIx64
                  " at 0x%" HWADDR_PRIx "\n", s->id, size, value, offset);
    trace_rngboi_refused(s->id, s->seq++, now);
}

/*
 * The core splits no access. A misaligned one faults in the guest, or the
 * accelerator splits it before it comes here.
 */
static const MemoryRegionOps rngboi_ops = {
    .read = rngboi_read,
    .write = rngboi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
    .impl = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
};

static void rngboi_reset_hold(Object *obj, ResetType type)
{
    RngboiState *s = RNGBOI(obj);

    s->state = s->seed;
    trace_rngboi_reset(s->id, s->seq++, pv_now(), s->seed);
}

static int rngboi_post_load(void *opaque, int version_id)
{
    RngboiState *s = opaque;

    /* What is loaded may be anything */
    if (!s->seed && s->state) {
        return -EINVAL;
    }
    trace_rngboi_load(s->id, s->seq++, pv_now(), s->state);
    return 0;
}

static const VMStateDescription vmstate_rngboi = {
    .name = TYPE_RNGBOI,
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = rngboi_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(state, RngboiState),
        VMSTATE_END_OF_LIST()
    }
};

static void rngboi_exit(Notifier *notifier, void *data)
{
    RngboiState *s = container_of(notifier, RngboiState, exit_notifier);

    trace_rngboi_end(s->id, s->seq++, pv_now());
}

static void rngboi_realize(DeviceState *dev, Error **errp)
{
    RngboiState *s = RNGBOI(dev);
    g_autofree char *regs_name = NULL;

    s->id = dev->id ?: TYPE_RNGBOI;
    regs_name = g_strdup_printf("%s-regs", s->id);

    memory_region_init_io(&s->regs, OBJECT(dev), &rngboi_ops, s, regs_name,
                          RNGBOI_REGS_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->regs);

    s->exit_notifier.notify = rngboi_exit;
    qemu_add_exit_notifier(&s->exit_notifier);
}

static void rngboi_unrealize(DeviceState *dev)
{
    RngboiState *s = RNGBOI(dev);

    qemu_remove_exit_notifier(&s->exit_notifier);
    trace_rngboi_end(s->id, s->seq++, pv_now());
}

static const Property rngboi_properties[] = {
    DEFINE_PROP_UINT64("seed", RngboiState, seed, 0),
};

static void rngboi_class_init(ObjectClass *klass, ClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "Random generator that traps";
    dc->realize = rngboi_realize;
    dc->unrealize = rngboi_unrealize;
    dc->vmsd = &vmstate_rngboi;
    rc->phases.hold = rngboi_reset_hold;
    device_class_set_props(dc, rngboi_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static const TypeInfo rngboi_types[] = {
    {
        .name = TYPE_RNGBOI,
        .parent = TYPE_DYNAMIC_SYS_BUS_DEVICE,
        .instance_size = sizeof(RngboiState),
        .class_init = rngboi_class_init,
    },
};

DEFINE_TYPES(rngboi_types)
