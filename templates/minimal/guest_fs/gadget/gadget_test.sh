#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   gadget_test.sh ID
#
# causes: reads=6 writes=4
#
# Tests gadget, and reports in KTAP. For the host's cross-check it also prints
# what it read (`# observe`) and how often it made an access (`# caused`).

. /usr/lib/stopwatch/testing.sh

reads=0 writes=0

value_is() { # EXPECTED
	read -r value <"$device/value"
	reads=$((reads + 1))
	echo "# observe value=$value"
	equal value "$value" "$1"
}

put() { # VALUE
	write "$device/value" "$1"
	equal "error from writing $1" "$error" ''
	writes=$((writes + 1))
}

test_initial() {
	value_is 5
}

test_write() {
	for one in 0 1 170 255; do
		put "$one"
		value_is "$one"
	done
}

test_out_of_range() {
	write "$device/value" 256
	equal 'error from writing 256' "$error" "$ERANGE"
	value_is 255
}

find_device "$1" || bail_out "there is no device $1"
[ -f "$device/value" ] || bail_out "no driver is bound to $device"
report initial write out_of_range
echo "# caused reads=$reads writes=$writes"
[ "$failed" = 0 ]
