#!/bin/sh
# SPDX-License-Identifier: MIT
#
# /init, the guest's first process. Makes the system usable, loads the driver if
# it is a module, and does what the kernel's command line says:
#
#   stopwatch=test            runs stopwatch_test.sh, then gives a shell
#   stopwatch=test_and_quit   runs stopwatch_test.sh, then powers off
#   stopwatch=stress_and_quit runs stopwatch_stress.sh, then powers off
#   STRESS_SECONDS=... STRESS_ROUNDS=...
#                             for how long
#   (neither)                 gives a shell; leaving it powers off
#   TERM=... LINES=... COLUMNS=...
#                             the terminal on the other end of the serial line
#
# After a test the console holds exactly one line
#
#   stopwatch: result: pass|fail|error
#
# Without that line the guest has not got that far, whatever else is there.

PATH=/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
TERM=${TERM:-linux}
PS1='stopwatch:\w# '
export PATH HOME TERM PS1

module=/lib/modules/stopwatch.ko

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
	cat <<-'END'

	Commands: stopwatch_ctrl.sh reset|start|pause|show|timeout [seconds], stopwatch_test.sh
	`exit` powers the machine off.

	END
	cd "$HOME" || complain "no $HOME"
	setsid cttyhack sh
}

run_test() { # SCRIPT
	"$1"
	case $? in
	0) result=pass ;;
	1) result=fail ;;
	*) result=error ;;
	esac
	echo "stopwatch: result: $result"
}

mount_at proc /proc
mount_at sysfs /sys
mount_at devtmpfs /dev
mkdir -p /dev/pts
mount_at devpts /dev/pts
mount_at tmpfs /tmp
mount_at debugfs /sys/kernel/debug
hostname stopwatch

if [ -f "$module" ]; then
	insmod "$module" || complain "cannot load $module"
fi

# A machine that takes new files while it runs has a second serial line.
if [ -c /dev/ttyAMA1 ]; then
	network_update.sh --serve &
fi

mode=shell
read -r cmdline </proc/cmdline
for word in $cmdline; do
	case $word in
	stopwatch=test | stopwatch=test_and_quit | stopwatch=stress_and_quit) mode=${word#*=} ;;
	stopwatch=*) complain "'$word' is none of stopwatch=test, test_and_quit and stress_and_quit" ;;
	esac
done

case $mode in
test_and_quit) run_test stopwatch_test.sh ;;
stress_and_quit) run_test stopwatch_stress.sh ;;
test)
	run_test stopwatch_test.sh
	shell
	;;
shell) shell ;;
esac
power_off
