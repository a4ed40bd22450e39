#!/bin/sh
# SPDX-License-Identifier: MIT
#
# /init, the guest's first process. Makes the system usable, loads the drivers that
# are modules, and does what the kernel's command line says:
#
#   stopwatch=test            runs the tests, then gives a shell
#   stopwatch=test_and_quit   runs the tests, then powers off
#   stopwatch=stress_and_quit the same; the tests are stress tests
#   stopwatch=exec            runs /run/exec/command with the ports of exec.sh
#   stopwatch_tests=ID[/NAME]:FILE,...
#                             the tests, in this order: /usr/bin/FILE ID
#   stopwatch_devices=ID:NAME,...
#                             the machine's devices, for people
#   STRESS_SECONDS=... STRESS_ROUNDS=...
#                             for how long
#   (neither)                 gives a shell; leaving it powers off
#   TERM=... LINES=... COLUMNS=...
#                             the terminal on the other end of the serial line
#
# What a test prints is between two lines,
#
#   stopwatch: test: ID[/NAME]
#   stopwatch: result: ID[/NAME] pass|fail|skip|error EXIT-STATUS
#
# Without the second one the guest has not got that far, whatever else is there.

PATH=/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
TERM=${TERM:-linux}
PS1='stopwatch:\w# '
export PATH HOME TERM PS1

complain() {
	echo "init: $*" >&2
}

mount_at() { # TYPE DIRECTORY
	mountpoint -q "$2" || mount -t "$1" "$1" "$2" || complain "cannot mount $1 at $2"
}

power_off() {
	sync
	mount -o remount,ro / 2>/dev/null
	# Setting the terminal waits until it has sent everything.
	stty opost </dev/console
	poweroff -f
	complain 'cannot power off'
	# Were PID 1 to end, the kernel would panic and hide the message.
	while :; do sleep 1000; done
}

# The kernel hands TERM, LINES and COLUMNS on as environment. A serial
# line has no size of its own.
shell() {
	if [ "$LINES" ] && [ "$COLUMNS" ]; then
		stty rows "$LINES" cols "$COLUMNS" </dev/console
	fi
	unset LINES COLUMNS
	_commands=
	for _script in /usr/bin/*.sh; do
		_commands="$_commands ${_script##*/}"
	done
	cat <<-END

	Devices: ${devices:-none}
	Commands:$_commands
	\`exit\` powers the machine off.

	END
	cd "$HOME" || complain "no $HOME"
	setsid cttyhack sh
}

run_test() { # ID[/NAME] FILE
	echo "stopwatch: test: $1"
	"/usr/bin/$2" "${1%%/*}"
	_status=$?
	case $_status in
	0) _result=pass ;;
	1) _result=fail ;;
	4) _result=skip ;;
	*) _result=error ;;
	esac
	echo "stopwatch: result: $1 $_result $_status"
}

run_tests() {
	_rest=$tests
	while [ "$_rest" ]; do
		_pair=${_rest%%,*}
		_rest=${_rest#"$_pair"}
		_rest=${_rest#,}
		run_test "${_pair%%:*}" "${_pair#*:}"
	done
}

mount_at proc /proc
mount_at sysfs /sys
mount_at devtmpfs /dev
mkdir -p /dev/pts
mount_at devpts /dev/pts
mount_at tmpfs /tmp
mount_at debugfs /sys/kernel/debug
hostname stopwatch

for module in /lib/modules/*.ko; do
	[ -f "$module" ] || continue
	insmod "$module" || complain "cannot load $module"
done

# A machine that takes new files while it runs has a second serial line.
if [ -c /dev/ttyAMA1 ]; then
	network_update.sh --serve &
fi

mode=shell devices='' tests=''
read -r cmdline </proc/cmdline
for word in $cmdline; do
	case $word in
	stopwatch=test | stopwatch=test_and_quit | stopwatch=stress_and_quit | stopwatch=exec) mode=${word#*=} ;;
	stopwatch_devices=*) devices=${word#*=} ;;
	stopwatch_tests=*) tests=${word#*=} ;;
	stopwatch=*) complain "'$word' is none of stopwatch=test, test_and_quit, stress_and_quit and exec" ;;
	esac
done

case $mode in
test_and_quit | stress_and_quit) run_tests ;;
test)
	run_tests
	shell
	;;
shell) shell ;;
esac
power_off
