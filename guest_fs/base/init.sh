#!/bin/sh
# SPDX-License-Identifier: MIT
#
# /init, the guest's first process. Makes the system usable, loads the drivers that
# are modules, and does what the kernel's command line says:
#
#   stopwatch=test            runs the tests, then gives a shell
#   stopwatch=test_and_quit   runs the tests, then powers off
#   stopwatch=stress_and_quit the same; the tests are stress tests
#   stopwatch=bench_and_quit  runs the benches, BENCH_ROUNDS times, then powers off
#   stopwatch=exec            runs /run/exec/command as run_command.sh does
#   stopwatch_stdin=no        without its standard input
#   stopwatch_tests=ID[/NAME]:FILE,...
#                             the tests, in this order: /usr/bin/FILE ID
#   stopwatch_devices=ID:NAME,...
#                             the machine's devices, for people
#   STRESS_SECONDS=... STRESS_ROUNDS=...
#                             for how long
#   BENCH_OPS=... BENCH_PAUSE=1
#                             see bench.h
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
# A shell that ends with another exit status than 0 leaves
#
#   stopwatch: exit: STATUS

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
	_status=$?
	# For whoever has started the machine; 0 goes without saying.
	[ $_status = 0 ] || echo "stopwatch: exit: $_status"
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

# The host asks for it when nothing is printed any more: where do the processes
# that wait do so? A line on the console is the question.
show_blocked() {
	read -r _ </dev/console || return
	# 8: to the console too, whatever its loglevel.
	echo 8 >/proc/sysrq-trigger
	echo w >/proc/sysrq-trigger
	# And those that a signal would wake, which the kernel does not list.
	for _process in /proc/[0-9]*; do
		_name='' _where=''
		read -r _name <"$_process/comm"
		read -r _where <"$_process/wchan"
		case $_where in
		'' | 0 | do_wait | kthread* | worker_thread | rescuer_thread) ;;
		*) [ "$(readlink "$_process/exe")" ] && echo "process $_name waits in $_where" ;;
		esac
	done 2>/dev/null
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

mode=shell devices='' tests='' stdin=''
read -r cmdline </proc/cmdline
for word in $cmdline; do
	case $word in
	stopwatch=test | stopwatch=test_and_quit | stopwatch=stress_and_quit | stopwatch=bench_and_quit | stopwatch=exec)
		mode=${word#*=}
		;;
	stopwatch_devices=*) devices=${word#*=} ;;
	stopwatch_tests=*) tests=${word#*=} ;;
	stopwatch_stdin=*) stdin=${word#*=} ;;
	stopwatch=*) complain "'$word' is not known: expected stopwatch=test, test_and_quit, stress_and_quit, bench_and_quit or exec" ;;
	esac
done

case $mode in
test_and_quit | stress_and_quit)
	show_blocked &
	run_tests
	;;
bench_and_quit)
	for _ in $(seq "${BENCH_ROUNDS:-1}"); do run_tests; done
	;;
exec)
	set -- /run/exec/command
	# shellcheck source=guest_fs/base/run_command.sh
	. /usr/bin/run_command.sh
	;;
test)
	run_tests
	shell
	;;
shell) shell ;;
esac
power_off
