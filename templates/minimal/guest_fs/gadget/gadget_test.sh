#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   gadget_test.sh ID
#
# causes: reads=6 writes=4
#
# The guest's test, in KTAP. For the cross-check on the host it also prints what
# it read (`# observe`), and how many accesses it made at least (`# caused`).

. /usr/lib/stopwatch/testing.sh

reads=0 writes=0

# Reads the register, and expects this value.
value_is() { # VALUE
	read -r value <"$file"
	reads=$((reads + 1))
	echo "# observe value=$value"
	equal value "$value" "$1"
}

put() { # VALUE
	write "$file" "$1"
	equal "an error from writing $1" "$error" ''
	writes=$((writes + 1))
}

test_binding() {
	find_device "$id" || bail_out "there is no device $id"
	file=$device/value
	[ -f "$file" ] || bail_out "no driver is bound to $device"
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
	write "$file" 256
	equal 'the error from writing 256' "$error" "$ERANGE"
	value_is 255
}

id=$1
report binding initial write out_of_range
echo "# caused reads=$reads writes=$writes"
[ "$failed" = 0 ]
