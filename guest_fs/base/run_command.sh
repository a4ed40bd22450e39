#!/bin/sh
# SPDX-License-Identifier: MIT
#
# run_command.sh COMMAND    runs this file, with a port of virtio-serial for each of
#                           its descriptors, and says on another one how it ended:
#                           vm/console/guest-ports.ts. For `exec` on the host; init
#                           sources it, with stdin=no for an empty standard input.

# The port of this name, once the host is at its other end: a read would be at its
# end before that. `sent`: bytes that it has taken since the machine started.
find_port() { # NAME
	for _file in /sys/kernel/debug/virtio-ports/*; do
		_name='' _host=0
		while read -r _key _value; do
			case $_key in
			name:) _name=$_value ;;
			host_connected:) _host=$_value ;;
			bytes_sent:) sent=$_value ;;
			esac
		done <"$_file"
		[ "$_name" = "stopwatch.$1" ] && [ "$_host" = 1 ] && port=/dev/${_file##*/} && return
	done 2>/dev/null
	return 1
}

# Where the host has not come yet, it is about to.
wait_for_port() { # NAME
	until find_port "$1"; do
		# Nothing ever comes from there: sleeps without a fork.
		# shellcheck disable=SC3045 # Busybox has it
		read -r -t 0.01 _ <>/dev/ptmx
	done
}

stdin=${stdin:-}
port=/dev/null
[ "$stdin" = no ] || wait_for_port stdin
exec 4<"$port"
wait_for_port stdout
stdout_before=$sent
exec 5>"$port"
wait_for_port stderr
stderr_before=$sent
exec 6>"$port"
wait_for_port status
exec 3<>"$port"
# The host may still be looking whether all of this is up to date.
[ "$stdin" = no ] || read -r _ <&3
cd "${HOME:-/}" || exit
"$1" <&4 >&5 2>&6 3>&- 4<&- 5>&- 6>&-
status=$?
find_port stdout && stdout=$((sent - stdout_before))
find_port stderr && stderr=$((sent - stderr_before))
echo "$status $stdout $stderr" >&3
read -r _ <&3
