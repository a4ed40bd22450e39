#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   rngboi_test.sh ID
#
# causes: reads=512
#
# Tests the random generator rngboi through Linux's hwrng, and reports in KTAP,
# version 1. Exit status: 0 all passed, 1 some failed.
#
# For the host's cross-check it also prints, as diagnostics,
#
#   # observe word=0x1234abcd      some of the words that it read, in order,
#   # caused reads=N               and how many it read.
#
# The kernel reads words too, for its own pool.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh

core=/sys/class/misc/hw_random

reads=0

observe() { # WORD...
	for word; do
		echo "# observe word=$word"
	done
}

test_binding() {
	find_device "$id" || bail_out "there is no device $id"
	[ -e "$device/driver" ] || bail_out "no driver is bound to $device"
	name=${device##*/}
}

# Linux names it after its device.
test_listed() {
	read -r available <$core/rng_available
	case " $available " in
	*" $name "*) ;;
	*) bail_out "$name is not in rng_available: $available" ;;
	esac
}

test_selected() {
	write $core/rng_current "$name"
	equal "$name to rng_current" "$error" ''
	read -r current <$core/rng_current
	[ "$current" = "$name" ] || bail_out "rng_current is $current, not $name"
}

# Reads 64 bytes at a time, as Linux's core does: it hands out what it has read
# from the end, so smaller reads would get the words in another order.
test_words() {
	# shellcheck disable=SC2046 # words
	set -- $(dd if=/dev/hwrng bs=64 count=33 2>/dev/null | hexdump -v -e '1/4 "0x%08x "')
	equal 'number of words' $# 528
	reads=$((reads + $#))
	observe "$1" "$2" "$3" "$4" "${17}" "${18}" "${19}" "${20}"
	[ "$1 $2 $3 $4" != "${17} ${18} ${19} ${20}" ] || fail 'two reads gave the same words'
	_first=$1
	shift
	case " $* " in
	*" $_first "*) fail "$_first came twice in 528 words" ;;
	esac
}

# Lets Linux choose a generator again.
test_deselected() {
	write $core/rng_current ''
	equal 'nothing to rng_current' "$error" ''
}

id=$1
report binding listed selected words deselected
echo "# caused reads=$reads"
[ "$failed" = 0 ]
