#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   stopwatch_bench.sh ID
#
# The elapsed time, asked for in each way that there is.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh

find_device "$1" || bail_out "there is no device $1"

# What no way can be faster than.
measure elapsed/clock_gettime exits=0 -- clock || exit 1
# ERROR is cleared, the command given, and ERROR read.
measure elapsed/update_text exits=3 -- read "$device/elapsed" || exit 1
if [ -e "$device/elapsed_ns" ]; then
	measure elapsed/elapsed_ns exits=1 -- read "$device/elapsed_ns" || exit 1
else
	echo '# bench skip elapsed/elapsed_ns the device has no register ELAPSED_NS'
fi

# Within the kernel. A driver that is built in has no such module.
timing=/lib/modules/bench/stopwatch_bench.ko
if [ -f $timing ]; then
	insmod $timing || exit 1
	debug=/sys/kernel/debug/stopwatch_bench/$1
	for row in mmio_read_user=1 page_kernel=0; do
		file=$debug/${row%=*}
		# An older device has fewer of them.
		[ ! -e "$file" ] || measure "elapsed/${row%=*}" exits=${row#*=} -- times "$file" || exit 1
	done
	rmmod stopwatch_bench
fi
stopwatch --id "$1" bench
