// SPDX-License-Identifier: MIT
/** Builds QEMU's arguments and the kernel's command line from the configuration. Pure. */
import type { AcceleratorChoice } from './accelerator.js';
import { type DeliveryEndpoints, DISK_SERIAL } from '../console/delivery.js';
import { type PortPaths, portArguments } from '../console/guest-ports.js';
import type { DeviceInstance } from '../device.js';
import { plannedTests } from '../guest-tests.js';
import { StopwatchError } from '../../lib/errors.js';
import { PRODUCT } from '../../lib/product.js';
import { type BootOptions, type MachineFiles, powersOffWhenDone } from '../types.js';

/** QEMU's channels besides the console on standard input and output. */
export interface Endpoints {
  /** Path of a listening UNIX socket for QMP. Undefined: no QMP. */
  readonly qmp: string | undefined;
  /** File for trace events and guest errors. Undefined: neither is logged. */
  readonly events: string | undefined;
  /** QEMU's own trace events to enable, e.g. `memory_region_ops_*`. */
  readonly monitorPatterns: readonly string[];
  /** Put the console on a pseudo-terminal: `pty` is a symlink that QEMU creates, `log` a file for the output. */
  readonly console?: { readonly pty: string; readonly log: string };
  /** For sending files to the running guest: see delivery.ts. */
  readonly delivery?: DeliveryEndpoints | undefined;
  /** For the standard streams of a guest command: see guest-ports.ts. */
  readonly ports?: PortPaths | undefined;
}

/** QEMU's record/replay log: every external input, with the instruction count at which it arrived. */
export interface ReplayLog {
  readonly mode: 'record' | 'replay';
  /** Absolute path. */
  readonly file: string;
}

/** The complete description of one machine. */
export interface MachineParts {
  readonly files: MachineFiles;
  readonly options: BootOptions;
  /** In the order in which QEMU creates them. */
  readonly devices: readonly DeviceInstance[];
  readonly accelerator: AcceleratorChoice['accelerator'];
  /** Needs TCG with one processor. */
  readonly recording?: ReplayLog;
}

/** Escapes commas for QEMU's option syntax by doubling them. */
export function optionValue(text: string): string {
  return text.replaceAll(',', ',,');
}

/** arm64's COMMAND_LINE_SIZE without the terminating NUL. */
const LONGEST_LINE = 2047;

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function propertyValue(value: string | boolean | number): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return optionValue(String(value));
}

/** The kernel's command line. A panic or an Oops ends the machine at once. */
export function kernelCommandLine({ files, options, devices }: MachineParts): string {
  const named = options.nodev ? [] : devices;
  const list = named.map(({ id, device }) => `${id}:${device.description.name}`);
  const tests = plannedTests({ devices, options }).map(
    ({ suite, test }) => `${suite}:${fileName(test.path)}`,
  );
  const line = [
    'console=ttyAMA0',
    // Shows messages of a kernel that dies before its console driver starts.
    'earlycon',
    // Warnings and worse. `quiet` would hide a WARNING; more output costs a trap and a trace line per character.
    'loglevel=5',
    'panic=-1',
    ...(powersOffWhenDone(options) ? ['oops=panic'] : []),
    ...(files.ext4 === undefined ? ['rdinit=/init'] : ['root=/dev/vda', 'rw', 'rootwait', 'init=/init']),
    ...(options.guest === 'shell' ? [] : [`${PRODUCT}=${options.guest}`]),
    // The devices that init lists at a shell, and the tests that it runs.
    ...(list.length === 0 || powersOffWhenDone(options) ? [] : [`${PRODUCT}_devices=${list.join(',')}`]),
    ...(options.guest === 'exec' && options.vm.clock === 'icount' ? [`${PRODUCT}_stdin=no`] : []),
    ...(tests.length === 0 ? [] : [`${PRODUCT}_tests=${tests.join(',')}`]),
    ...(options.seed === undefined ? [] : [`${PRODUCT.toUpperCase()}_SEED=${options.seed}`]),
    ...options.vm.append,
  ].join(' ');
  if (line.length <= LONGEST_LINE) return line;
  throw new StopwatchError(
    'bad-config',
    `The kernel's command line is too long: expected at most ${LONGEST_LINE} characters, got ${line.length}`,
    { hint: 'Choose fewer tests with --only, or shorten vm.append.' },
  );
}

/** The value of QEMU's -device for a device. */
function deviceOption({ id, device, properties }: DeviceInstance): string[] {
  const values = Object.entries(properties).map(([name, value]) => `,${name}=${propertyValue(value)}`);
  return ['-device', `${device.description.qemuType},id=${id}${values.join('')}`];
}

/** Options on which the device tree depends: machine, processor, memory and devices. */
function hardware(
  { options, devices, accelerator, recording }: MachineParts,
  extraMachine: string,
): string[] {
  const { vm } = options;
  const machine = [
    'virt',
    accelerator === 'kvm' ? 'gic-version=max' : 'gic-version=2',
    // Random seeds in the device tree would differ between runs.
    ...(vm.clock === 'icount' || recording !== undefined ? ['dtb-randomness=off'] : []),
  ].join(',');
  return [
    ['-nodefaults', '-no-user-config'],
    ['-display', 'none'],
    ['-machine', machine + extraMachine],
    ['-accel', accelerator],
    // KVM runs the host's own processor model.
    ['-cpu', accelerator === 'kvm' ? 'host' : vm.cpu],
    ['-smp', String(vm.cpus)],
    ['-m', `${vm.memoryMiB}M`],
    options.nodev ? [] : devices.flatMap(deviceOption),
  ].flat();
}

/**
 * With icount each instruction takes one nanosecond, and sleeps are skipped. The
 * other options hide the host's time of day and randomness from the guest.
 * Record/replay always counts instructions; with `realtime`, sleeps then take
 * their full time.
 */
function clock({ options, recording }: MachineParts): string[] {
  const { seed } = options;
  const deterministic = options.vm.clock === 'icount';
  if (!deterministic && recording === undefined) return seed === undefined ? [] : ['-seed', String(seed)];
  const log = recording === undefined ? '' : `,rr=${recording.mode},rrfile=${optionValue(recording.file)}`;
  return [
    ['-icount', `shift=0${deterministic ? ',sleep=off' : ''}${log}`],
    deterministic ? ['-rtc', 'base=2000-01-01T00:00:00,clock=vm'] : [],
    ['-seed', String(seed ?? 1)],
  ].flat();
}

/** Record/replay needs a driver `blkreplay` between a disk and its device. */
function disk({ files, options, recording }: MachineParts): string[] {
  if (files.ext4 === undefined) return [];
  const snapshot = options.rw ? 'off' : 'on';
  const [image, recorder] =
    recording === undefined
      ? ['root', []]
      : ['image', ['-drive', 'driver=blkreplay,if=none,id=root,image=image']];
  return [
    '-drive',
    `if=none,id=${image},format=raw,snapshot=${snapshot},file=${optionValue(files.ext4)}`,
    ...recorder,
    '-device',
    'virtio-blk-device,drive=root',
  ];
}

function tracing(devices: readonly DeviceInstance[], { events, monitorPatterns }: Endpoints): string[] {
  if (events === undefined) return [];
  const own = devices.flatMap(({ device }) => device.description.traceEvents?.prefix ?? []);
  const patterns = [...new Set(own.map((prefix) => `${prefix}*`)), ...monitorPatterns];
  return [...patterns.flatMap((pattern) => ['-trace', pattern]), '-d', 'guest_errors', '-D', events];
}

/** A disk that only the host writes. The kernel already has the driver for `--rw`. */
function deliveryDisk(delivery: DeliveryEndpoints | undefined): string[] {
  if (delivery === undefined) return [];
  return [
    ['-drive', `if=none,id=delivery,format=raw,readonly=on,file=${optionValue(delivery.disk)}`],
    ['-device', `virtio-blk-device,drive=delivery,serial=${DISK_SERIAL}`],
  ].flat();
}

/** A second UART. */
function deliveryLine(delivery: DeliveryEndpoints | undefined): string[] {
  if (delivery === undefined) return [];
  return ['-chardev', `socket,id=delivery,path=${optionValue(delivery.line)}`, '-serial', 'chardev:delivery'];
}

function consoleDevice({ console }: Endpoints): string {
  // signal=off: Ctrl-C goes to the guest.
  if (console === undefined) return 'stdio,id=console,signal=off';
  return `pty,id=console,path=${optionValue(console.pty)},logfile=${optionValue(console.log)}`;
}

/** QEMU's arguments for one boot. The console is standard input and output unless `endpoints.console` is set. */
export function qemuArguments(parts: MachineParts, endpoints: Endpoints): string[] {
  const { files, options } = parts;
  return [
    hardware(parts, ''),
    clock(parts),
    ['-kernel', files.kernel],
    files.initramfs === undefined ? [] : ['-initrd', files.initramfs],
    // Before the root disk: the guest names the last disk first.
    deliveryDisk(endpoints.delivery),
    disk(parts),
    ['-append', kernelCommandLine(parts)],
    ['-chardev', consoleDevice(endpoints)],
    ['-serial', 'chardev:console'],
    deliveryLine(endpoints.delivery),
    portArguments(endpoints.ports),
    endpoints.qmp === undefined
      ? []
      : [
          ['-chardev', `socket,id=qmp,path=${optionValue(endpoints.qmp)}`],
          ['-mon', 'chardev=qmp,mode=control'],
        ].flat(),
    tracing(parts.devices, endpoints),
    // Exit on reboot: a guest that panics must not boot again and again.
    ['-no-reboot'],
    options.vm.qemuArgs,
  ].flat();
}

/** QEMU's arguments to write this machine's device tree to `file` and exit. */
export function dumpDeviceTreeArguments(parts: Omit<MachineParts, 'files'>, file: string): string[] {
  return [
    ...hardware({ ...parts, files: noFiles }, `,dumpdtb=${optionValue(file)}`),
    ...parts.options.vm.qemuArgs,
  ];
}
const noFiles: MachineFiles = { qemu: '', kernel: '', initramfs: undefined, ext4: undefined };
