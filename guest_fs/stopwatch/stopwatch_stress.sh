#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   stopwatch_stress.sh [ID]
#
# causes: commands=20 interrupts=1
#
# Stresses the driver of a stopwatch, of the first one if there is no ID: several
# processes use its files in /sys and stopwatch_ctrl.sh at once, with values of
# every kind. Of the first one they are the module's parameters and its file in
# debugfs, and the driver is unloaded and loaded meanwhile. Reports in KTAP,
# version 1. Exit status: 0 all passed, 1 some failed.
#
#   STRESS_SECONDS=N   total time of the tests that can run for any time
#   STRESS_ROUNDS=N    or how often they do what they do, however long that takes
#   STRESS_TESTS=A+B   only these tests, and in this order
#
# What must hold: each process gets the errors that are its own, and no others; an
# accepted timeout makes one interrupt, and the driver counts it; an unloaded driver
# leaves nothing behind, no timeout either; memory is given back. The kernel's own
# complaints are looked for by the host.
#
# For the host's cross-check it prints what stopwatch_test.sh prints, and
#
#   # limited interrupts=N          the timeouts that can have fired, at the most

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh
# shellcheck source=stopwatch.sh
. /usr/bin/stopwatch.sh

kmemleak=/sys/kernel/debug/kmemleak

tests_of_first='binding writes sharing holding loading expiries memory afterwards'
tests_of_others='binding sharing afterwards'
workers='commands timeouts readers garbage control attributes'

commands=0 texts=0 interrupts=0 limit=0

# -- Time --------------------------------------------------------------------

# A share of the whole time, for the test that begins.
begin() { # PERCENT
	clock
	deadline=$((clock + seconds * $1)) said=$clock rounds_done=0
}

# Whether there is time, or a round, left. Speaks now and then: a guest that is silent is taken for hung.
more() {
	clock
	if [ $((clock - said)) -ge 100 ]; then
		said=$clock
		echo "# $((rounds_done)) rounds"
	fi
	rounds_done=$((rounds_done + 1))
	if [ "$rounds" ]; then [ $rounds_done -le "$rounds" ]; else [ "$clock" -lt "$deadline" ]; fi
}

# -- The stopwatch -----------------------------------------------------------

# As `write`, with the bytes of another file, in writes of so many bytes, from this offset on.
write_bytes() { # FROM TO BYTES OFFSET
	error=
	if ! dd if="$1" of="$2" bs="$3" seek="$4" oflag=seek_bytes conv=notrunc 2>"$errors"; then
		error=$(sed -n '1s/.*: //p' "$errors")
	fi
}

get() { # FILE
	value=
	{ read -r value <"$1"; } 2>/dev/null
}

status() {
	get "$state_file" || fail 'cannot read the state'
	echo "# observe status=$value"
}

count() {
	get "$count_file" || fail 'cannot read the number of interrupts'
}

# What the driver counts, once it has come to this number: interrupts of a busy host are late. Ten seconds at most.
count_to() { # NUMBER
	for _ in 1 2 3 4 5; do
		count
		[ "$value" -lt "$1" ] || return
		sleep 2
	done
}

# A command that the device must take.
perform() { # COMMAND
	write "$command_file" "$1"
	equal "command $1" "$error" ''
	commands=$((commands + 1))
}

arm() {
	write "$arm_file" 1
	equal 'timeout of 1' "$error" ''
	commands=$((commands + 1))
}

load() {
	if [ -f $module ]; then
		insmod $module || fail 'cannot load the driver'
	else
		bind_all
	fi
}

# Others may have a file of it open: then it is tried again, for half a minute.
unload() {
	[ -f $module ] || { unbind_all && return; }
	_tries=0
	until rmmod stopwatch 2>"$errors"; do
		_tries=$((_tries + 1))
		if [ $_tries -gt 3000 ]; then
			fail "cannot unload the driver: $(cat "$errors")"
			return 1
		fi
		usleep 10000
	done
	nothing_left
}

# Where a timeout was armed, or may have been, and the driver went: it went too, unless its second was over. `since`:
# when the driver came. On a busy host that may be long ago.
begin_short() {
	clock
	since=$clock
}

end_short() {
	clock
	[ $((clock - since)) -lt 90 ] || limit=$((limit + (clock - since + 110) / 100))
}

nothing_left() {
	for _path in ${parameters%/*} $debugfs $driver "$device/command"; do
		[ ! -e "$_path" ] || fail "the driver is unloaded, and there still is $_path"
	done
	if grep -q stopwatch /proc/interrupts; then fail 'the driver is unloaded and has an interrupt'; fi
	_claims=$(grep -c stopwatch /proc/iomem)
	equal "regions in /proc/iomem" "$_claims" "${claims:=$_claims}"
}

# -- Processes that use it ---------------------------------------------------

# Something that a worker must not see.
complain() {
	if [ "$complaints" -lt 5 ]; then echo "$name: $*" >>"$work/complaints"; fi
	complaints=$((complaints + 1))
}

# Whether an error is one of these. While the driver comes and goes, its absence is one too.
allow() { # WHAT ALLOWED...
	_what=$1
	shift
	operations=$((operations + 1))
	for _allowed; do
		[ "$error" != "$_allowed" ] || return 0
	done
	case $unloading:$error in
	# ENXIO is what debugfs says of a module that is just going.
	1:"$ENODEV" | 1:"$ENXIO" | 1:'nonexistent directory' | 1:'Permission denied' | 1:'no such file') ;;
	*) complain "$_what: '$error'" ;;
	esac
	return 1
}

command_is() { # COMMAND ALLOWED...
	_command=$1
	shift
	write "$command_file" "$_command"
	if allow "command $_command" "$@"; then did=$((did + 1)); fi
}

work_commands() {
	command_is $CMD_START '' "$EBADFD"
	command_is 99 "$EINVAL"
	command_is $CMD_UPDATE ''
	command_is $CMD_PAUSE '' "$EBADFD"
	command_is 18446744073709551615 "$EINVAL"
	command_is $CMD_RESET ''
}

# The same through the files of the device, whatever the others use.
work_attributes() {
	use_attributes
	work_commands
}

work_timeouts() {
	write "$arm_file" 1
	if allow 'timeout of 1' '' "$EBUSY"; then did=$((did + 1)); fi
	if [ ! "$error" ]; then arms=$((arms + 1)); fi
	write "$arm_file" 11
	if allow 'timeout of 11' "$ERANGE" "$EBUSY"; then did=$((did + 1)); fi
	# The driver's own.
	for _own in $CMD_TIMEOUT $CMD_ACK; do
		write "$command_file" "$_own"
		allow "command $_own" "$EPERM"
	done
}

work_readers() {
	if get "$text_file"; then
		shown=$((shown + 1)) did=$((did + 1))
		case $value in
		*[!0-9.]*' seconds' | .*) complain "text is malformed: '$value'" ;;
		*.[0-9][0-9]' seconds') ;;
		*) complain "text is malformed: '$value'" ;;
		esac
	elif [ ! "$unloading" ]; then
		complain 'cannot read the text'
	fi
	if get "$state_file"; then
		case $value in
		[012]) ;;
		*) complain "state is '$value'" ;;
		esac
	elif [ ! "$unloading" ]; then
		complain 'cannot read the state'
	fi
	if get "$count_file"; then
		[ "$unloading" ] || [ "$value" -ge "$highest" ] || complain "interrupts went from $highest to $value"
		highest=$value
	elif [ ! "$unloading" ]; then
		complain 'cannot read the number of interrupts'
	fi
	operations=$((operations + 3))
}

# What is no number stays in the driver.
work_garbage() {
	for _file in $command_file $arm_file; do
		for _value in '' x -1 1x 0x '1 2' 08 "$long"; do
			write "$_file" "$_value"
			allow "'$_value' to $_file" "$EINVAL" "$ERANGE"
		done
	done
	write "$text_file" 1
	allow "1 to $text_file" "$EINVAL" 'Permission denied'
}

work_control() {
	for _arguments in start show 'timeout 11' timeout pause reset nonsense 'timeout 1 2'; do
		# shellcheck disable=SC2086 # words
		stopwatch_ctrl.sh $which $_arguments >/dev/null 2>"$errors"
		_got=$?
		operations=$((operations + 1))
		case $unloading:$_arguments:$_got in
		*:nonsense:2 | *:'timeout 1 2':2) ;;
		*:nonsense:* | *:'timeout 1 2':*) complain "stopwatch_ctrl.sh $_arguments: exit status $_got" ;;
		1:*:[01]) ;;
		*:start:[01] | *:pause:[01] | *:'timeout 11':1 | *:show:0 | *:timeout:0 | *:reset:0) ;;
		*) complain "stopwatch_ctrl.sh $_arguments: exit status $_got: $(cat "$errors")" ;;
		esac
	done
}

# One process: does its work until it is stopped, and leaves its sums in a file.
worker() { # NUMBER NAME
	name=$2 errors=$errors.$1
	complaints=0 operations=0 did=0 shown=0 arms=0 highest=0
	while [ ! -e "$work/stop" ]; do
		"work_$name"
	done
	echo "$operations $did $shown $arms" >"$work/sums.$1"
}

start_workers() { # NAME...
	rm -f "$work"/*
	pids=
	for _name; do
		_number=$((${_number:-0} + 1))
		worker $_number "$_name" &
		pids="$pids $!"
	done
}

# Sets operations and arms to what all of them did together.
stop_workers() {
	: >"$work/stop"
	for _pid in $pids; do
		wait "$_pid" || fail "a process ended with exit status $?"
	done
	operations=0 arms=0
	for _file in "$work"/sums.*; do
		read -r _operations _did _shown _arms <"$_file"
		operations=$((operations + _operations)) arms=$((arms + _arms))
		commands=$((commands + _did)) texts=$((texts + _shown))
	done
	if [ -e "$work/complaints" ]; then
		while read -r _line; do fail "$_line"; done <"$work/complaints"
	fi
	echo "# $operations operations"
}

# -- The tests ---------------------------------------------------------------

test_binding() {
	[ "$device" ] || bail_out "there is no device ${id:-stopwatch}"
	[ -e "$device/driver" ] || bail_out "no driver is bound to $device"
	[ -e "$text_file" ] || bail_out "no $text_file: debugfs is not there"
	status
	case $value in
	[012]) ;;
	*) bail_out "the driver has found no stopwatch: its state is '$value'" ;;
	esac
	[ -e $kmemleak ] && echo clear >$kmemleak
}

# By one process alone: each is refused as it should be, and changes nothing.
test_writes() {
	perform $CMD_RESET
	count
	_count=$value
	for _file in $command_file $arm_file; do
		for _value in '' ' ' x - -0 -1 -9223372036854775808 1x 0x 0xg 08 1.0 1e3 '1 2' ' 1' '1;2' NaN ٣ true; do
			write "$_file" "$_value"
			equal "'$_value' to $_file" "$error" "$EINVAL"
		done
		for _value in 18446744073709551616 99999999999999999999 "$long"; do
			write "$_file" "$_value"
			equal "'$_value' to $_file" "$error" "$ERANGE"
		done
		# Nothing at all is not even a write.
		: >"$_file" || fail "cannot open $_file"
		# A number that no file ends in, and one of which each byte comes as a write of its own, anywhere.
		printf 'x9' >"$bytes"
		for _offset in 0 1 5 4095 4096 1048576; do
			write_bytes "$bytes" "$_file" 2 $_offset
			equal "x9 at offset $_offset of $_file" "$error" "$EINVAL"
			write_bytes "$bytes" "$_file" 1 $_offset
			equal "x, then 9, at offset $_offset of $_file" "$error" "$EINVAL"
		done
		# No text, and more than a page.
		printf '\0001\n' >"$bytes"
		write_bytes "$bytes" "$_file" 4 0
		equal "a NUL, then 1 to $_file" "$error" "$EINVAL"
		printf '\377\376' >"$bytes"
		write_bytes "$bytes" "$_file" 2 0
		equal "bytes that are no text to $_file" "$error" "$EINVAL"
		for _bytes in 4095 4096 4097 65536; do
			dd if=/dev/zero bs=$_bytes count=1 2>/dev/null | tr '\0' 9 >"$bytes"
			write_bytes "$bytes" "$_file" $_bytes 0
			equal "$_bytes digits to $_file" "$error" "$ERANGE"
			dd if=/dev/zero of="$bytes" bs=$_bytes count=1 2>/dev/null
			write_bytes "$bytes" "$_file" $_bytes 0
			equal "$_bytes NULs to $_file" "$error" "$EINVAL"
		done
		equal "bytes beyond the end of $_file" "$(dd if="$_file" bs=1 skip=64 2>/dev/null)" ''
	done
	for _value in 7 255 65536 4294967296 4294967298 18446744073709551615; do
		write "$command_file" $_value
		equal "command $_value" "$error" "$EINVAL"
	done
	for _value in 0 11 255 4294967297 18446744073709551615; do
		write "$arm_file" $_value
		equal "timeout of $_value" "$error" "$ERANGE"
	done
	for _value in '' 1 x "$long"; do
		write "$text_file" "$_value"
		equal "'$_value' to $text_file" "$error" "$EINVAL"
	done
	for _value in '' x "$long"; do
		write $driver/bind "$_value"
		equal "'$_value' to bind" "$error" "$ENODEV"
		write $driver/unbind "$_value"
		equal "'$_value' to unbind" "$error" "$ENODEV"
	done
	# A byte at a time is the same text.
	_text=$(dd if="$text_file" bs=1 2>/dev/null)
	equal 'text, byte by byte' "$_text" '0.00 seconds'
	equal 'text beyond its end' "$(dd if="$text_file" bs=1 skip=100 2>/dev/null)" ''
	commands=$((commands + 1)) texts=$((texts + 1))
	status
	equal state "$value" $RESET
	count
	equal 'number of interrupts' "$value" "$_count"
}

# Everybody at once. Every timeout that was accepted comes, once, and is counted.
test_sharing() {
	count
	_before=$value
	begin 30
	# shellcheck disable=SC2086 # words
	start_workers $workers
	while more; do sleep 0.5; done
	stop_workers
	# The last one may still be under way.
	sleep 1.2
	count_to $((_before + arms))
	equal 'interrupts' $((value - _before)) "$arms"
	interrupts=$((interrupts + arms)) limit=$((limit + arms))
	perform $CMD_RESET
}

# Files that are open while the driver goes.
test_holding() {
	exec 3<"$text_file"
	if [ -f $module ]; then
		rmmod stopwatch 2>/dev/null && fail 'was unloaded while its text was open'
		equal 'users of the module' "$(cat ${parameters%/*}/refcnt)" 1
	fi
	unbind_all
	cat <&3 >/dev/null 2>&1 && fail 'the text can be read without a device'
	exec 3<&-
	bind_all
	exec 4<>"$command_file" 5<"$count_file"
	unload
	_value=
	read -r _value <&4 && fail "the state of an unloaded driver is '$_value'"
	read -r _value <&5 && fail "the number of interrupts of an unloaded driver is '$_value'"
	{ echo $CMD_START >&4; } 2>/dev/null && fail 'an unloaded driver has started the stopwatch'
	exec 4<&- 5<&-
	load
	status
	equal state "$value" $RESET
}

# The driver comes and goes under everybody's hands.
test_loading() {
	begin 40
	unloading=1
	begin_short
	start_workers commands timeouts readers garbage attributes
	while more; do
		unbind_all
		bind_all
		usleep $((rounds_done * 7919 % 20000))
		unload || break
		end_short
		begin_short
		load
		# The unload of the next round is up to the first use of it.
		usleep $((rounds_done * 104729 % 30000))
	done
	stop_workers
	unloading=
	# None is left that a loaded driver would not get.
	unload
	end_short
	load
	echo "# loaded $rounds_done times"
	[ ! -f $module ] || equal 'users of the module' "$(cat ${parameters%/*}/refcnt)" 0
	perform $CMD_RESET
}

# Timeouts that are to come, that come, and that have come while the driver goes.
test_expiries() {
	begin 30
	unloading=1
	start_workers commands readers
	while more; do
		# The driver is unloaded, so no process gets it.
		begin_short
		arm
		unload
		end_short
		sleep 1.1
		load
		count
		equal 'interrupts of a timeout that was armed before the driver was loaded' "$value" 0
		# The next one is as if there had been none.
		arm
		sleep 1.1
		count_to 1
		equal 'interrupts of a timeout' "$value" 1
		interrupts=$((interrupts + 1)) limit=$((limit + 1))
		# And one that comes at that moment, more or less.
		arm
		usleep $((995000 + rounds_done * 1913 % 8000))
		if [ $((rounds_done % 2)) = 0 ]; then
			unload
			load
		else
			unbind_all
			bind_all
		fi
		limit=$((limit + 1))
	done
	stop_workers
	unloading=
	perform $CMD_RESET
}

# In pages of 4 KiB: what the kernel has taken and user space has not.
kernel_pages() {
	kernel_pages=0
	while read -r _name _kib _; do
		case $_name in
		Slab: | KernelStack: | PageTables: | VmallocUsed: | Percpu:)
			kernel_pages=$((kernel_pages + _kib / 4))
			;;
		esac
	done </proc/meminfo
}

use_once() {
	begin_short
	load
	arm
	get "$text_file" || fail 'cannot read the text'
	texts=$((texts + 1)) commands=$((commands + 1))
	unload
	end_short
}

# Whatever the driver takes when it is loaded it has to give back.
test_memory() {
	unload
	for _ in 1 2 3 4 5 6 7 8 9 10; do use_once; done
	if [ -e $kmemleak ]; then ask_kmemleak; else count_pages; fi
	load
}

# Each page that is not given back is missed a hundred times.
count_pages() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	kernel_pages
	_before=$kernel_pages
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		for _ in 1 2 3 4 5 6 7 8 9 10; do use_once; done
	done
	echo 3 >/proc/sys/vm/drop_caches
	kernel_pages
	echo "# $_before pages before, $kernel_pages after 100 loads"
	[ $((kernel_pages - _before)) -lt 90 ] ||
		fail "the kernel had $_before pages, and $kernel_pages after the driver was loaded 100 times"
}

# Every object that nothing points to any more. It does not suspect what is younger than five seconds. What freed
# memory still says may hide some of them, so a single leak may go unnoticed, but not ten.
ask_kmemleak() {
	sleep 6
	echo scan >$kmemleak
	echo scan >$kmemleak
	while read -r _line; do fail "kmemleak: $_line"; done <$kmemleak
}

# All is as ever.
test_afterwards() {
	perform $CMD_RESET
	get "$text_file"
	echo "# observe text=$value"
	commands=$((commands + 1)) texts=$((texts + 1))
	equal text "$value" '0.00 seconds'
	perform $CMD_START
	count
	_count=$value
	arm
	sleep 1.1
	count_to $((_count + 1))
	equal 'number of interrupts' "$value" $((_count + 1))
	interrupts=$((interrupts + 1)) limit=$((limit + 1))
	status
	equal state "$value" $RUNNING
	[ ! -f $module ] || equal 'users of the module' "$(cat ${parameters%/*}/refcnt)" 0
}

seconds=${STRESS_SECONDS:-20} rounds=${STRESS_ROUNDS:-}
unloading='' claims=''
work=/tmp/stopwatch_stress.$$
errors=$work.errors bytes=$work.bytes
mkdir $work || bail_out "cannot make $work"
trap 'rm -rf "$work"*' EXIT
long=99999999999999999999999999999999999999999999999999999999999999999999999999
id=$1 which=${1:+--id $1}
choose_stopwatch "$id" || device=
tests=$tests_of_first
use_parameters
if [ "$device" ] && [ ! "$first" ]; then
	tests=$tests_of_others
	use_attributes
fi
[ ! "$STRESS_TESTS" ] || tests=$(echo "$STRESS_TESTS" | tr + ' ')
# shellcheck disable=SC2086 # words
report $tests
echo "# caused commands=$commands texts=$texts interrupts=$interrupts"
echo "# limited interrupts=$limit"
[ "$failed" = 0 ]
