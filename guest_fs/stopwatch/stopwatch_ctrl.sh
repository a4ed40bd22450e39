#!/bin/sh
# SPDX-License-Identifier: MIT
#
# stopwatch_ctrl.sh reset|start|pause      changes the stopwatch's state
# stopwatch_ctrl.sh show                   prints the elapsed time
# stopwatch_ctrl.sh timeout SECONDS        arms a timeout of 1 to 10 seconds
# stopwatch_ctrl.sh timeout                prints how many timeouts there were
#
# Exit status: 0 done, 1 refused or no stopwatch, 2 wrong usage.

parameters=/sys/module/stopwatch/parameters
text=/sys/kernel/debug/stopwatch/stopwatch
name=${0##*/}

usage() {
	echo "usage: $name reset|start|pause|show|timeout [seconds]" >&2
	exit 2
}

need() { # FILE
	[ -e "$1" ] && return
	echo "$name: there is no $1: the driver is not loaded, or debugfs not mounted" >&2
	exit 1
}

set_parameter() { # NAME VALUE
	need "$parameters/$1"
	error=$({ echo "$2" >"$parameters/$1"; } 2>&1) && return
	echo "$name: refused: ${error##*: }" >&2
	exit 1
}

get() { # FILE
	need "$1"
	cat "$1" || exit 1
}

case $#:$1 in
1:reset) set_parameter stopwatch_status 0 ;;
1:start) set_parameter stopwatch_status 1 ;;
1:pause) set_parameter stopwatch_status 2 ;;
1:show) get "$text" ;;
1:timeout) get "$parameters/stopwatch_timeout" ;;
2:timeout) set_parameter stopwatch_timeout "$2" ;;
*) usage ;;
esac
