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
