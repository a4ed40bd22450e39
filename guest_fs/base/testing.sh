#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the guest's tests have in common; they source it. How a test finds its
# device, and reports in KTAP, version 1:
#
#   report TEST...     runs the function test_TEST for each of them
#
# Such a function calls `fail` for what is not as it should be, and goes on; or
# `skip`, and returns.

# shellcheck disable=SC2034 # used by those who source it

# The words of the C library for the driver's errno values.
EINVAL='Invalid argument'
EPERM='Operation not permitted'
EBADFD='File descriptor in bad state'
ERANGE='Numerical result out of range'
EBUSY='Device or resource busy'
ENODEV='No such device'
ENXIO='No such device or address'

number=0 passed=0 failed=0 skipped=0
errors=/tmp/stopwatch.$$.errors
trap 'rm -f "$errors"*' EXIT

# Sets `device` to the sysfs directory of the platform device whose node has
# this label: its id in the machine. Fails if there is none. No fork.
find_device() { # ID
	for device in /sys/bus/platform/devices/*; do
		[ -f "$device/of_node/label" ] || continue
		# It ends with a NUL, which is dropped, and without a line end.
		_label=
		read -r _label <"$device/of_node/label"
		[ "$_label" = "$1" ] && return
	done
	device=
	return 1
}

fail() {
	bad=1
	echo "# $*"
}

skip() {
	skip=$1
}

# Nothing can be tested: the rest of the plan is missing, and that is a failure.
bail_out() {
	echo "Bail out! $*"
	exit 1
}

equal() { # WHAT GOT EXPECTED
	[ "$2" = "$3" ] || fail "$1: expected '$3', got '$2'"
}

# Writes to a file and sets `error`, empty if it was taken. Through a file: a
# subshell would cost a fork, which is most of a test's run time.
write() { # FILE VALUE
	error=
	if ! { echo "$2" >"$1"; } 2>"$errors"; then
		read -r error <"$errors" || error='no message'
		error=${error##*: }
	fi
}

# Sets the variable of its name. No fork.
hundredths() { # "12.34"
	hundredths=$((${1%.*} * 100 + 1${1#*.} - 100))
}

# The guest's own clock, in hundredths of a second, into the variable `clock`.
clock() {
	read -r up _ </proc/uptime
	hundredths "$up"
	clock=$hundredths
}

report() { # TEST...
	echo 'KTAP version 1'
	echo "1..$#"
	for test; do
		number=$((number + 1)) bad=0 skip=
		"test_$test"
		if [ "$bad" = 1 ]; then
			failed=$((failed + 1))
			echo "not ok $number $test"
		elif [ "$skip" ]; then
			skipped=$((skipped + 1))
			echo "ok $number $test # SKIP $skip"
		else
			passed=$((passed + 1))
			echo "ok $number $test"
		fi
	done
	echo "# Totals: pass:$passed fail:$failed xfail:0 xpass:0 skip:$skipped error:0"
}
