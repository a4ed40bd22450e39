#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Tests virtio-rng through Linux's hwrng, and reports in KTAP, version 1. Exit
# status: 0 all passed, 1 some failed. Linux does not know QEMU's names of virtio
# devices: of several, the first one is tested.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh

core=/sys/class/misc/hw_random

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

# Two reads of as much as Linux's core reads at a time.
test_random() {
	# shellcheck disable=SC2046 # words
	set -- $(dd if=/dev/hwrng bs=64 count=2 2>/dev/null | hexdump -v -e '8/8 "%016x" " "')
	equal 'number of reads' $# 2
	[ "$1" != "$2" ] || fail "read $1 twice"
}

# Whichever Linux takes by itself.
test_deselected() {
	write $core/rng_current ''
	equal 'nothing to rng_current' "$error" ''
}

report listed selected random deselected
[ "$failed" = 0 ]
