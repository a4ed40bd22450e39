#!/bin/sh
# SPDX-License-Identifier: MIT
#
# stopwatch_ctrl.sh reset|start|pause      changes the stopwatch's state
# stopwatch_ctrl.sh show                   prints the elapsed time
# stopwatch_ctrl.sh timeout SECONDS        arms a timeout of 1 to 10 seconds
# stopwatch_ctrl.sh timeout                prints how many timeouts there were
#
# Of several stopwatches it means the first one, or that of --id ID, which comes
# before the command.
#
# Exit status: 0 done, 1 refused or no stopwatch, 2 wrong usage.

# shellcheck source-path=SCRIPTDIR source=stopwatch.sh
. /usr/bin/stopwatch.sh

name=${0##*/}

usage() {
	echo "usage: $name [--id ID] reset|start|pause|show|timeout [seconds]" >&2
	exit 2
}

need() { # FILE
	[ -e "$1" ] && return
	echo "$name: there is no $1: the driver is not loaded, or debugfs not mounted" >&2
	exit 1
}

put() { # FILE VALUE
	need "$1"
	error=$({ echo "$2" >"$1"; } 2>&1) && return
	echo "$name: refused: ${error##*: }" >&2
	exit 1
}

get() { # FILE
	need "$1"
	cat "$1" || exit 1
}

use_parameters
if [ "$1" = --id ]; then
	[ "$2" ] || usage
	# shellcheck source=../base/testing.sh
	. /usr/lib/stopwatch/testing.sh
	if ! choose_stopwatch "$2"; then
		echo "$name: there is no device $2" >&2
		exit 1
	fi
	use_attributes
	shift 2
fi

case $#:$1 in
1:reset) put "$command_file" $CMD_RESET ;;
1:start) put "$command_file" $CMD_START ;;
1:pause) put "$command_file" $CMD_PAUSE ;;
1:show) get "$text_file" ;;
1:timeout) get "$count_file" ;;
2:timeout) put "$arm_file" "$2" ;;
*) usage ;;
esac
