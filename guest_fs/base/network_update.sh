#!/bin/sh
# SPDX-License-Identifier: MIT
#
# network_update.sh NAME...    asks the host for what it has now; what is stale
#                              is built there, and put in its place here. A
#                              module is unloaded and loaded. The host says
#                              which names there are.
# network_update.sh --serve    carries out what the host says; init starts it
#
# Works in a machine that was started with `run --serve`. Exit status: 0 all is
# as on the host, 1 something was refused or failed, 2 wrong usage.
#
# Host and guest talk on the second serial line. The host's lines:
#
#   secret SECRET                           answers `hello`
#   put ID SIZE SHA256 MODE PATH [MODULE]   this is on the disk now
#   run ID PROGRAM [ARGUMENT...]            its output goes to the same line
#   stop ID
#   tell KEY STATUS TEXT                    answers `ask`
#
# The guest's, of which the first begins with ^A and the others with ^ASECRET and
# a blank:
#
#   hello
#   ready
#   done ID STATUS TEXT
#   ask KEY NAME
#
# They may come in the middle of a line. All else is output of the program: it does
# not know the secret, so no output passes for a message, or hides one.
#
# Content comes on a disk of its own: a serial line takes an interrupt for each
# 16 bytes. A file is written beside the old one, verified, and only then put in
# its place; a module only if it could be loaded. Whatever fails, the old one
# is still there.

line=/dev/ttyAMA1
name=${0##*/}
# What init mounts anew at each start. A FIFO for each that asks.
state=/tmp/$name

find_disk() {
	for _serial in /sys/block/*/serial; do
		[ "$(cat "$_serial" 2>/dev/null)" = delivery ] || continue
		disk=${_serial#/sys/block/}
		disk=/dev/${disk%/serial}
		return
	done
	return 1
}

say() {
	echo "$mark$*" >&3
}

sum_of() { # FILE
	_sum=$(sha256sum "$1" 2>/dev/null)
	sum=${_sum%% *}
}

# The functions below set `why` when they fail.

receive() { # SIZE SHA256 MODE FILE
	# Not through the page cache, which knows only what was there before. Of a
	# full disk only cat says that it is one.
	why=$({
		dd if="$disk" bs=4096 count=$((($1 + 4095) / 4096)) iflag=direct 2>/dev/null |
			head -c "$1" | cat >"$4"
	} 2>&1) || return
	_size=$(stat -c %s "$4")
	if [ "$_size" != "$1" ]; then
		why="expected $1 bytes, got $_size"
		return 1
	fi
	sum_of "$4"
	if [ "$sum" != "$2" ]; then
		why="expected the SHA-256 sum $2, got $sum"
		return 1
	fi
	why=$(chmod "$3" "$4" 2>&1)
}

reload() { # MODULE NEW-FILE OLD-FILE
	if [ -e "/sys/module/$1/initstate" ]; then
		why=$(rmmod "$1" 2>&1) || return
	fi
	why=$(insmod "$2" 2>&1) && return
	insmod "$3" 2>/dev/null || why="$why; and the old one cannot be loaded any more"
	return 1
}

put() { # ID SIZE SHA256 MODE PATH [MODULE]
	sum_of "$5"
	if [ "$sum" = "$3" ] && [ ! "$6" ]; then
		say "done $1 0 same"
		return
	fi
	_new=${5%/*}/.${5##*/}.new
	if receive "$2" "$3" "$4" "$_new" &&
		{ [ ! "$6" ] || reload "$6" "$_new" "$5"; } &&
		sync && why=$(mv "$_new" "$5" 2>&1) && sync; then
		say "done $1 0 new${6:+, loaded}"
	else
		rm -f "$_new"
		# shellcheck disable=SC2086 # one line, whatever it was
		say "done $1 1" ${why:-failed}
	fi
}

start() { # ID PROGRAM [ARGUMENT...]
	running=$1
	# A session of its own, so that all of it can be stopped.
	# shellcheck disable=SC2016 # its own parameters
	setsid sh -c 'id=$1
		shift
		"$@" </dev/null >&3 2>&1 3>&-
		echo "${0}done $id $?" >&3' "$mark" "$@" &
	session=$!
}

stop() { # ID
	[ "$running" = "$1" ] || return
	kill -s KILL -- "-$session" 2>/dev/null
	say "done $1 137 stopped"
	running=
}

answer() { # KEY STATUS-AND-TEXT
	_fifo=$state/$1
	# Also opened for reading: whoever asked may have gone, and we must not wait.
	[ -p "$_fifo" ] && echo "$2" 1<>"$_fifo"
}

serve() {
	if [ ! -c "$line" ] || ! find_disk; then
		echo "$name: this machine was started without --serve" >&2
		exit 1
	fi
	exec 3<>"$line" </dev/null
	# With crtscts the host is made to wait when we do not keep up.
	stty raw -echo crtscts <&3
	mkdir -p "$state"
	running=
	# Not from /dev/urandom: without entropy, its first bytes cost seconds.
	mark=$(printf '\001')
	say hello
	read -r _ secret <&3
	mark="$mark$secret "
	echo "$mark" >"$state/mark"
	say ready
	while read -r verb key rest <&3; do
		# shellcheck disable=SC2086 # words
		case $verb in
		put) put "$key" $rest ;;
		run) start "$key" $rest ;;
		stop) stop "$key" ;;
		tell) answer "$key" "$rest" ;;
		esac
	done
}

ask() { # NAME
	echo "${mark}ask $$ $1" >"$line"
	read -r status text <&4
	echo "$1: $text"
	return "$status"
}

case $1 in
--serve)
	serve
	exit
	;;
'' | -*)
	echo "usage: $name NAME..." >&2
	exit 2
	;;
esac
if [ ! -d "$state" ]; then
	echo "$name: this machine was started without --serve" >&2
	exit 1
fi
read -r mark <"$state/mark"
mark="$mark "
fifo=$state/$$
trap 'rm -f "$fifo"' EXIT
mknod "$fifo" p && exec 4<>"$fifo" || exit 1
failed=0
for each in "$@"; do
	ask "$each" || failed=1
done
exit "$failed"
