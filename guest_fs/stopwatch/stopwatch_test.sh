#!/bin/sh
# SPDX-License-Identifier: MIT
#
#   stopwatch_test.sh [ID]
#
# causes: commands=20 interrupts=1
#
# Tests a stopwatch, the first one if there is no ID, from user space and reports
# in KTAP, version 1. Uses the files in its directory in /sys. With the first one
# it also tests what belongs to the driver: the module's parameters, its file in
# debugfs, binding and loading. Sleeps about three seconds in all. Exit status:
# 0 all passed, 1 some failed.
#
# For the host's cross-check it also prints, as diagnostics,
#
#   # observe text=12.34 seconds     each time it has read the text,
#   # observe elapsed_ns=N           the nanoseconds,
#   # observe status=N               the state, as a number,
#   # observe interrupts=N           the number of timeout interrupts,
#
# in the order in which it read them, and once, at the end,
#
#   # caused commands=N texts=N interrupts=N
#
# with the commands that went to the device, refused ones included: each is one
# write to COMMAND. The driver's own acknowledgements are not counted.
#
# Times are compared with the guest's own clock, which is read before and after
# each access: what lies between is how exact the comparison is, however slow
# the machine. All times are in hundredths of a second.

# shellcheck source-path=SCRIPTDIR source=../base/testing.sh
. /usr/lib/stopwatch/testing.sh
# shellcheck source=stopwatch.sh
. /usr/bin/stopwatch.sh

tests_of_first='binding texts unbinding reloading resetting starting pausing resuming
resetting_from_anywhere commands numbers timeouts busy expiry expiry_again sharing'
tests_of_others='binding texts resetting starting pausing busy expiry'

commands=0 texts=0 interrupts=0 interrupts_before=0

between() { # WHAT GOT LEAST MOST
	if [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		fail "$1: expected $3 to $4 hundredths of a second, got $2"
	fi
}

# Sleeps without a fork: nothing ever comes from a pseudo-terminal that nobody uses.
exec 9<>/dev/ptmx
nap() { # SECONDS
	# shellcheck disable=SC3045 # Busybox has it
	read -r -t "$1" _ <&9
}

# -- The stopwatch -----------------------------------------------------------

# The functions below set the variable of their name, without a fork.

status() {
	read -r status <"$state_file" || { status='unreadable' && fail 'cannot read the state' && return; }
	echo "# observe status=$status"
}

count() {
	read -r count <"$count_file" || { count='unreadable' && fail 'cannot read the count' && return; }
	echo "# observe interrupts=$count"
}

# Sets `text`, `elapsed`, and the clock `before` and `after`.
show() {
	elapsed=0
	clock
	before=$clock
	read -r text <"$text_file" || { text='unreadable' && fail 'cannot read the text' && return; }
	clock
	after=$clock
	commands=$((commands + 1)) texts=$((texts + 1))
	echo "# observe text=$text"
	_number=${text% seconds}
	case $_number in
	"$text" | *[!0-9.]* | *.*.* | .* | 0[0-9]*) fail "text is malformed: '$text'" ;;
	*.[0-9][0-9])
		hundredths "$_number"
		elapsed=$hundredths
		;;
	*) fail "text is malformed: '$text'" ;;
	esac
}

# Writes what makes the driver write to COMMAND. Any other error than these did
# not come from the device. Sets the clock `before` and `after`.
cause() { # FILE VALUE
	clock
	before=$clock
	write "$1" "$2"
	clock
	after=$clock
	case $error in
	'' | "$EINVAL" | "$EBADFD" | "$ERANGE" | "$EBUSY") commands=$((commands + 1)) ;;
	esac
}

# A command that the device must take, or refuse with this error.
perform() { # COMMAND [ERROR]
	cause "$command_file" "$1"
	equal "command $1" "$error" "$2"
}

arm() { # SECONDS [ERROR]
	cause "$arm_file" "$1"
	equal "timeout of $1" "$error" "$2"
}

# The driver alone arms and acknowledges timeouts: these do not get to the device.
keeps_timeouts() {
	for _number in $CMD_TIMEOUT $CMD_ACK; do
		write "$command_file" "$_number"
		equal "command $_number" "$error" "$EPERM"
	done
}

expect_status() { # STATUS
	status
	equal state "$status" "$1"
}

expect_count() {
	count
	equal 'number of interrupts' "$count" "$interrupts"
}

# Reads the text while the stopwatch runs: it must have counted since it was
# started, which happened between the clocks $1 and $2, on top of $3. Each
# reading of a clock or of the text is up to one hundredth too small.
expect_elapsed() { # STARTED-AFTER STARTED-BEFORE [TOP]
	show
	between 'elapsed time' "$elapsed" $((before - $2 + ${3:-0} - 2)) $((after - $1 + ${3:-0} + 2))
}

# What only version 2 of the device can do.
can_refuse() {
	[ "$version" = 2 ]
}

# "c000000.stopwatch regs" is 16 bytes long in version 1.
find_version() {
	version=2
	while read -r range _ name region; do
		[ "$name $region" = "${device##*/} regs" ] || continue
		[ $((0x${range#*-} - 0x${range%-*} + 1)) -gt 16 ] || version=1
	done </proc/iomem
}

# The driver counts from the moment at which it was bound.
count_from_zero() {
	interrupts_before=$((interrupts_before - interrupts)) interrupts=0
}

# -- The tests ---------------------------------------------------------------

test_binding() {
	[ "$device" ] || bail_out "there is no device ${id:-stopwatch}"
	[ -e "$device/driver" ] || bail_out "no driver is bound to $device"
	if [ "$first" ]; then
		use_parameters
		[ -e "$state_file" ] || bail_out "no $state_file: the driver is not there"
		[ -e "$text_file" ] || bail_out "no $text_file: debugfs is not there"
		status
		_status=$status
	fi
	use_attributes
	status
	case $status in
	[012]) ;;
	unreadable) bail_out "the state cannot be read: the driver has found no stopwatch, or reads no valid STATUS" ;;
	*) fail "state is '$status'" ;;
	esac
	[ ! "$first" ] || equal "the module's state" "$_status" "$status"
	# The test may have run before, under the same driver.
	count
	case $count in
	unreadable) ;;
	*[!0-9]* | '') fail "number of interrupts is '$count'" ;;
	*) interrupts=$count interrupts_before=$count ;;
	esac
	find_version
	echo "# version-$version device"
}

# Whatever the state: a text, and never a smaller one than before.
test_texts() {
	show
	_first=$elapsed
	_between=$elapsed
	if [ -e "$device/elapsed_ns" ]; then
		if read -r _ns <"$device/elapsed_ns"; then
			echo "# observe elapsed_ns=$_ns"
			_between=$((_ns / 10000000))
		else
			fail 'cannot read the nanoseconds'
		fi
	elif can_refuse; then
		fail "there is no $device/elapsed_ns"
	fi
	show
	between 'elapsed nanoseconds' "$_between" "$_first" "$elapsed"
	[ "$elapsed" -ge "$_first" ] || fail "elapsed time went back from $_first to $elapsed"
}

# An unbound driver reports that it has no device; the device keeps running.
test_unbinding() {
	status
	_status=$status
	unbind_all
	[ ! -e "$command_file" ] || fail "there is no driver, and there still is $command_file"
	use_parameters
	write "$command_file" $CMD_START
	equal 'command without a device' "$error" "$ENODEV"
	write "$arm_file" 1
	equal 'timeout without a device' "$error" "$ENODEV"
	for _file in $state_file $count_file $text_file; do
		{ read -r _ <"$_file"; } 2>/dev/null && fail "$_file can be read without a device"
	done
	bind_all
	expect_status "$_status"
	count_from_zero
	expect_count
}

# Ten times; the driver's timeout goes away with it, the state stays.
test_reloading() {
	[ -f $module ] || { skip 'the driver is built in' && return; }
	perform $CMD_RESET
	perform $CMD_START
	_after=$before _before=$after
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		can_refuse && arm 1
		rmmod stopwatch || fail 'cannot unload the driver'
		[ ! -e "$command_file" ] || fail 'the driver was unloaded and is still there'
		insmod $module || fail 'cannot load the driver'
		expect_status $RUNNING
	done
	count_from_zero
	expect_count
	expect_elapsed "$_after" "$_before"
}

test_resetting() {
	use_attributes
	perform $CMD_RESET
	expect_status $RESET
	show
	equal text "$text" '0.00 seconds'
	nap 0.05
	show
	equal 'text, later' "$text" '0.00 seconds'
	can_refuse || return
	perform $CMD_PAUSE "$EBADFD"
	expect_status $RESET
}

test_starting() {
	perform $CMD_START
	started_after=$before started_before=$after
	expect_status $RUNNING
	expect_elapsed "$started_after" "$started_before"
	nap 0.3
	expect_elapsed "$started_after" "$started_before"
	can_refuse || return
	perform $CMD_START "$EBADFD"
	expect_status $RUNNING
	expect_elapsed "$started_after" "$started_before"
}

test_pausing() {
	perform $CMD_PAUSE
	paused_after=$before paused_before=$after
	expect_status $PAUSED
	show
	between 'time when paused' "$elapsed" \
		$((paused_after - started_before - 2)) $((paused_before - started_after + 2))
	paused=$elapsed
	nap 0.2
	show
	equal 'time, later' "$elapsed" "$paused"
	perform $CMD_PAUSE
	expect_status $PAUSED
	show
	equal 'time, paused again' "$elapsed" "$paused"
}

test_resuming() {
	perform $CMD_START
	_after=$before _before=$after
	expect_status $RUNNING
	nap 0.1
	expect_elapsed "$_after" "$_before" "$paused"
}

test_resetting_from_anywhere() {
	use_parameters
	perform $CMD_RESET
	expect_status $RESET
	show
	equal 'text after RUNNING' "$text" '0.00 seconds'
	perform $CMD_START
	perform $CMD_PAUSE
	perform $CMD_RESET
	expect_status $RESET
	show
	equal 'text after PAUSED' "$text" '0.00 seconds'
	perform $CMD_RESET
	expect_status $RESET
}

# Numbers that are no command, some with a command in their low half.
test_commands() {
	can_refuse || { skip 'a version-1 device refuses nothing' && return; }
	perform $CMD_START
	for _number in 7 255 65536 4294967296 4294967298 18446744073709551615; do
		perform $_number "$EINVAL"
	done
	expect_status $RUNNING
	perform $CMD_RESET
	keeps_timeouts
	expect_status $RESET
	expect_count
}

# What is not even a number stays in the driver.
test_numbers() {
	for _file in $parameters/stopwatch_status $parameters/stopwatch_timeout $device/command $device/timeout; do
		for _value in x -1 1x 0x '1 2' ''; do
			write "$_file" "$_value"
			equal "'$_value' to $_file" "$error" "$EINVAL"
		done
		write "$_file" 18446744073709551616
		equal "2^64 to $_file" "$error" "$ERANGE"
	done
	expect_status $RESET
	expect_count
}

test_timeouts() {
	use_attributes
	perform $CMD_RESET
	for _seconds in 0 11 12 255 4294967297 18446744073709551615; do
		if can_refuse; then
			arm $_seconds "$ERANGE"
		else
			# Does not get beyond the driver.
			write "$arm_file" $_seconds
			equal "timeout of $_seconds" "$error" "$ERANGE"
		fi
	done
	expect_status $RESET
	expect_count
}

# Arms the timeout that test_expiry waits for.
test_busy() {
	arm 1
	armed_after=$before armed_before=$after
	expect_count
	can_refuse || return
	for _seconds in 1 10 0 11; do
		arm $_seconds "$EBUSY"
	done
	keeps_timeouts
	# RESET is about the time, not about the timeout.
	perform $CMD_RESET
	arm 2 "$EBUSY"
}

# Waits for the interrupt of a timeout of one second: none before its deadline,
# one soon after it. Each clock is up to one hundredth too small.
wait_for_interrupt() {
	nap 0.9
	count
	clock
	[ $((clock - armed_after)) -ge 100 ] ||
		equal 'number of interrupts before the deadline' "$count" "$interrupts"
	interrupts=$((interrupts + 1))
	# Far more than it takes; a machine that is stopped for a while needs it.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		nap 0.15
		clock
		[ $((clock - armed_before)) -gt 102 ] && break
	done
	expect_count
}

test_expiry() {
	perform $CMD_START
	_after=$before _before=$after
	wait_for_interrupt
	expect_status $RUNNING
	expect_elapsed "$_after" "$_before"
	keeps_timeouts
}

# The driver has acknowledged the first one, so there can be a second.
test_expiry_again() {
	use_parameters
	arm 1
	armed_after=$before armed_before=$after
	wait_for_interrupt
	expect_status $RUNNING
}

# Several processes at once, one with other files than the others: none gets
# another's error, or half a text.
test_sharing() {
	can_refuse || { skip 'a version-1 device refuses nothing' && return; }
	perform $CMD_RESET
	perform $CMD_START
	_after=$before _before=$after
	_pids=
	for _process in 1 2 3; do
		(
			errors=$errors.$_process
			[ $_process != 2 ] || use_attributes
			for _ in 1 2 3 4 5 6 7 8 9 10; do
				write "$command_file" $CMD_START
				[ "$error" = "$EBADFD" ] || exit 1
				write "$command_file" 99
				[ "$error" = "$EINVAL" ] || exit 1
			done
		) &
		_pids="$_pids $!"
	done
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		expect_elapsed "$_after" "$_before"
	done
	for _pid in $_pids; do
		wait "$_pid" || fail 'a process got an error that was not its own'
	done
	commands=$((commands + 60))
	expect_status $RUNNING
	perform $CMD_RESET
	expect_status $RESET
	expect_count
}

version=2 id=$1
choose_stopwatch "$id" || device=
tests=$tests_of_others
[ "$device" ] && [ ! "$first" ] || tests=$tests_of_first
# shellcheck disable=SC2086 # words
report $tests
echo "# caused commands=$commands texts=$texts interrupts=$((interrupts - interrupts_before))"
[ "$failed" = 0 ]
