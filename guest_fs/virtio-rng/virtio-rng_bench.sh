#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   virtio-rng_bench.sh ID
#
# Random bytes from virtio-rng through Linux's hwrng, whose driver asks for 64 at a
# time: a write that notifies the device, and a read of the interrupt's status
# and a write that acknowledges it.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh

core=/sys/class/misc/hw_random

id=$1
read -r available <$core/rng_available
for name in $available; do
	[ "${name%.*}" != virtio_rng ] || break
done
write $core/rng_current "$name"
[ ! "$error" ] || bail_out "$name to rng_current: $error"
for size in 16 64 256 1024 4096 16384 65536 262144 1048576; do
	measure "random/$id/$size" bytes=$size exits=$((3 * size))/64 -- read /dev/hwrng || exit 1
done

# Within the kernel, without hwrng and with a buffer of the whole size: a module
# of rngboi's driver takes the device over.
timing=/lib/modules/bench/rngboi_bench.ko
[ -f $timing ] || exit 0
debug=/sys/kernel/debug/rngboi_bench
bus=/sys/bus/virtio/drivers
for device in "$bus"/virtio_rng/virtio*; do
	[ -e "$device" ] || bail_out "virtio_rng has no device"
done
device=${device##*/}
insmod $timing || exit 1
echo "$device" >$bus/virtio_rng/unbind
echo "$device" >$bus/rngboi_bench/bind || exit 1
for size in 64 1024 4096 16384 65536; do
	echo $size >$debug/size
	measure "random_kernel/$id/$size" bytes=$size exits=3 -- times "$debug/$device" || exit 1
done
rmmod rngboi_bench
echo "$device" >$bus/virtio_rng/bind
