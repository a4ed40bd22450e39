#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the stopwatch's scripts have in common; they source it. Needs testing.sh
# for all but the module's files.
#
#   choose_stopwatch [ID]   sets `device`, its directory in /sys; and `first`,
#                           which is empty unless the module's parameters mean it
#   use_attributes          the files below are those of `device`
#   use_parameters          they are the module's, which mean the first stopwatch
#
# Each sets `command_file` and `arm_file`, to write to; `state_file`, `count_file`
# and `text_file`, to read.

# shellcheck disable=SC2034 # used by those who source it

parameters=/sys/module/stopwatch/parameters
debugfs=/sys/kernel/debug/stopwatch
driver=/sys/bus/platform/drivers/stopwatch
module=/lib/modules/stopwatch.ko

RUNNING=0 RESET=1 PAUSED=2
CMD_RESET=0 CMD_START=1 CMD_PAUSE=2 CMD_UPDATE=3 CMD_TIMEOUT=4 CMD_ACK=5

# The first one is the one with the lowest address, and so the first by name.
choose_stopwatch() { # [ID]
	for _first in "$driver"/*.stopwatch; do break; done
	device=/sys/bus/platform/devices/${_first##*/}
	if [ "$1" ]; then find_device "$1" || return; fi
	first=
	[ "${device##*/}" != "${_first##*/}" ] || first=yes
	[ -e "$device" ]
}

use_attributes() {
	command_file=$device/command state_file=$device/state
	arm_file=$device/timeout count_file=$device/timeouts
	text_file=$device/elapsed
}

use_parameters() {
	command_file=$parameters/stopwatch_status state_file=$command_file
	arm_file=$parameters/stopwatch_timeout count_file=$arm_file
	text_file=$debugfs/stopwatch
}

# All stopwatches. The first one goes last and comes first, so that the module's
# parameters never mean another one.
unbind_all() {
	_names=
	for _device in "$driver"/*.stopwatch; do
		_names="${_device##*/} $_names"
	done
	for _name in $_names; do
		echo "$_name" >$driver/unbind || fail "cannot unbind $_name"
	done
}

bind_all() {
	for _device in /sys/bus/platform/devices/*.stopwatch; do
		echo "${_device##*/}" >$driver/bind || fail "cannot bind ${_device##*/}"
	done
}
