#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tests virtio-rng through Linux's hwrng, and reports in KTAP, version 1. Exit
# status: 0 all passed, 1 some failed. Linux does not know QEMU's names of virtio
# devices: of several, the first one is tested.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh

core=/sys/class/misc/hw_random
words=/tmp/virtio-rng.$$.words
trap 'rm -f "$errors"* "$words"' EXIT

read_word() {
	dd if=/dev/hwrng bs=64 count=1 2>"$errors" | hexdump -v -n 8 -e '1/8 "%016x\n"' >"$words"
	word=
	read -r word <"$words" || fail 'cannot read /dev/hwrng'
}

test_listed() {
	read -r available <$core/rng_available
	for name in $available; do
		[ "${name%.*}" != virtio_rng ] || return
	done
	bail_out "there is no virtio_rng in rng_available: $available"
}

test_selected() {
	write $core/rng_current "$name"
	equal "$name to rng_current" "$error" ''
	read -r current <$core/rng_current
	equal rng_current "$current" "$name"
}

test_random() {
	read_word
	first=$word
	read_word
	[ "$word" != "$first" ] || fail "read $word twice"
}

# Whichever Linux takes by itself.
test_deselected() {
	write $core/rng_current ''
	equal 'nothing to rng_current' "$error" ''
}

report listed selected random deselected
[ "$failed" = 0 ]
