#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   rngboi_bench.sh ID
#
# Random bytes from rngboi through Linux's hwrng: an access for each 4 of them.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh

core=/sys/class/misc/hw_random

id=$1
find_device "$id" || bail_out "there is no device $id"
write $core/rng_current "${device##*/}"
[ ! "$error" ] || bail_out "${device##*/} to rng_current: $error"
for size in 16 64 256 1024 4096 16384 65536 262144 1048576; do
	measure "random/$id/$size" bytes=$size exits=$((size / 4)) -- read /dev/hwrng || exit 1
done

# Within the kernel, without hwrng. A driver that is built in has no such module.
timing=/lib/modules/bench/rngboi_bench.ko
[ -f $timing ] || exit 0
debug=/sys/kernel/debug/rngboi_bench
insmod $timing || exit 1
for size in 64 1024 4096 16384 65536; do
	echo $size >$debug/size
	measure "random_kernel/$id/$size" bytes=$size exits=$((size / 4)) -- times "$debug/$id" || exit 1
done
rmmod rngboi_bench
