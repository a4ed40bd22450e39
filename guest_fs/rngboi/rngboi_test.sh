#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   rngboi_test.sh ID
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
words=/tmp/rngboi.$$.words
trap 'rm -f "$errors"* "$words"' EXIT

reads=0

# Reads words, and sets `list` to them. Linux's core reads 16 at a time, and gives
# a reader who wants fewer the last ones first.
read_words() { # NUMBER, a multiple of 16
	dd if=/dev/hwrng bs=$(($1 * 4)) count=1 2>"$errors" | hexdump -v -e '1/4 "0x%08x\n"' >"$words"
	list='' count=0
	while read -r word; do
		list="$list $word" count=$((count + 1))
	done <"$words"
	equal 'number of words' "$count" "$1"
	reads=$((reads + count))
}

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

test_new_words() {
	read_words 16
	first=$list
	read_words 16
	[ "$list" != "$first" ] || fail "two reads gave the same words: $list"
	# shellcheck disable=SC2086 # words
	set -- $first
	observe "$1" "$2" "$3" "$4"
}

test_many_words() {
	read_words 512
	# shellcheck disable=SC2086 # words
	set -- $list
	observe "$1" "$2" "$3" "$4"
	# A word comes twice in one run of 30,000.
	different=$(sort -u "$words" | wc -l)
	[ "$different" -ge 511 ] || fail "512 words, and only $different different ones"
}

# Whichever Linux takes by itself.
test_deselected() {
	write $core/rng_current ''
	equal 'nothing to rng_current' "$error" ''
}

id=$1
report binding listed selected new_words many_words deselected
echo "# caused reads=$reads"
[ "$failed" = 0 ]
