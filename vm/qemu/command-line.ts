// SPDX-License-Identifier: MIT
/** QEMU's arguments and the kernel's command line: pure functions of the configuration. */
import type { AcceleratorChoice } from './accelerator.js';
import { type DeliveryEndpoints, DISK_SERIAL } from '../console/delivery.js';
import { type PortPaths, portArguments } from '../console/guest-ports.js';
import type { DeviceInstance } from '../device.js';
import { plannedTests } from '../guest-tests.js';
import { StopwatchError } from '../../lib/errors.js';
import { PRODUCT } from '../../lib/product.js';
import { type BootOptions, type MachineFiles, powersOffWhenDone } from '../types.js';

/** Where QEMU talks to us, besides the console on its standard input and output. */
export interface Endpoints {
  /** Path of a listening UNIX socket; QEMU connects to it and speaks QMP. Undefined: it does not. */
  readonly qmp: string | undefined;
  /** File for trace events and guest errors. Undefined: neither is written. */
  readonly events: string | undefined;
  /** Trace events of QEMU's own, beside the devices', e.g. `memory_region_ops_*`. */
  readonly monitorPatterns: readonly string[];
  /** The console on a pseudo-terminal instead: a link to it that QEMU makes, and a file for all that is printed. */
  readonly console?: { readonly pty: string; readonly log: string };
  /** For a machine that takes new files while it runs: see delivery.ts. */
  readonly delivery?: DeliveryEndpoints | undefined;
  /** For a command's standard input and output: see guest-ports.ts. */
  readonly ports?: PortPaths | undefined;
}

/** A log of everything that reaches the machine from outside, with the instruction at which it did: written, or obeyed. */
export interface ReplayLog {
  readonly mode: 'record' | 'replay';
  /** Absolute path. */
  readonly file: string;
}

/** Everything one machine is made of. */
export interface MachineParts {
  readonly files: MachineFiles;
  readonly options: BootOptions;
  /** In the order in which QEMU makes them. */
  readonly devices: readonly DeviceInstance[];
  readonly accelerator: AcceleratorChoice['accelerator'];
  /** One processor, emulated. */
  readonly recording?: ReplayLog;
}

/** In QEMU's option syntax a comma ends a value; a doubled one is a comma. */
export function optionValue(text: string): string {
  return text.replaceAll(',', ',,');
}

/** COMMAND_LINE_SIZE of arm64, with its NUL. */
const LONGEST_LINE = 2047;

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function propertyValue(value: string | boolean | number): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return optionValue(String(value));
}

/** The kernel's command line. A panic or an Oops ends the machine at once: nobody is there to look at it. */
export function kernelCommandLine({ files, options, devices }: MachineParts): string {
  const named = options.nodev ? [] : devices;
  const list = named.map(({ id, device }) => `${id}:${device.description.name}`);
  const tests = plannedTests({ devices, options }).map(
    ({ suite, test }) => `${suite}:${fileName(test.path)}`,
  );
  const line = [
    'console=ttyAMA0',
    // Without it a kernel that dies before its console driver starts says nothing at all.
    'earlycon',
    // Warnings and worse. `quiet` would hide a WARNING; more is trapped character by character, and traced.
    'loglevel=5',
    'panic=-1',
    ...(powersOffWhenDone(options) ? ['oops=panic'] : []),
    ...(files.ext4 === undefined ? ['rdinit=/init'] : ['root=/dev/vda', 'rw', 'rootwait', 'init=/init']),
    ...(options.guest === 'shell' ? [] : [`${PRODUCT}=${options.guest}`]),
    // What the guest's init says at a shell, and what it runs.
    ...(list.length === 0 || powersOffWhenDone(options) ? [] : [`${PRODUCT}_devices=${list.join(',')}`]),
    ...(options.guest === 'exec' && options.vm.clock === 'icount' ? [`${PRODUCT}_stdin=no`] : []),
    ...(tests.length === 0 ? [] : [`${PRODUCT}_tests=${tests.join(',')}`]),
    ...(options.seed === undefined ? [] : [`${PRODUCT.toUpperCase()}_SEED=${options.seed}`]),
    ...options.vm.append,
  ].join(' ');
  if (line.length <= LONGEST_LINE) return line;
  throw new StopwatchError(
    'bad-config',
    `The kernel's command line has ${line.length} characters, and the kernel takes ${LONGEST_LINE}`,
    { hint: 'Choose fewer tests with --only, or shorten vm.append.' },
  );
}

/** A device as an option of QEMU. */
function deviceOption({ id, device, properties }: DeviceInstance): string[] {
  const values = Object.entries(properties).map(([name, value]) => `,${name}=${propertyValue(value)}`);
  return ['-device', `${device.description.qemuType},id=${id}${values.join('')}`];
}

/** Machine, processor, memory and the devices: what the device tree depends on. */
function hardware(
  { options, devices, accelerator, recording }: MachineParts,
  extraMachine: string,
): string[] {
  const { vm } = options;
  const machine = [
    'virt',
    accelerator === 'kvm' ? 'gic-version=max' : 'gic-version=2',
    // Seeds in the device tree differ from run to run.
    ...(vm.clock === 'icount' || recording !== undefined ? ['dtb-randomness=off'] : []),
  ].join(',');
  return [
    ['-nodefaults', '-no-user-config'],
    ['-display', 'none'],
    ['-machine', machine + extraMachine],
    ['-accel', accelerator],
    // KVM runs the host's own processor; a model by name works only by chance.
    ['-cpu', accelerator === 'kvm' ? 'host' : vm.cpu],
    ['-smp', String(vm.cpus)],
    ['-m', `${vm.memoryMiB}M`],
    options.nodev ? [] : devices.flatMap(deviceOption),
  ].flat();
}

/**
 * With icount every instruction is a nanosecond, and a sleeping guest costs
 * nothing. The rest takes the host out of what the guest can see: its time of
 * day, and random numbers. A recording counts instructions in any case; by the
 * host's clock the guest's sleeps take as long as they say.
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

/** What a disk answers, and when, is recorded by a driver between it and its device. */
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

/** A disk that only the host writes. The kernel has its driver for `--rw`. */
function deliveryDisk(delivery: DeliveryEndpoints | undefined): string[] {
  if (delivery === undefined) return [];
  return [
    ['-drive', `if=none,id=delivery,format=raw,readonly=on,file=${optionValue(delivery.disk)}`],
    ['-device', `virtio-blk-device,drive=delivery,serial=${DISK_SERIAL}`],
  ].flat();
}

/** A second serial line, like the console's. */
function deliveryLine(delivery: DeliveryEndpoints | undefined): string[] {
  if (delivery === undefined) return [];
  return ['-chardev', `socket,id=delivery,path=${optionValue(delivery.line)}`, '-serial', 'chardev:delivery'];
}

function consoleDevice({ console }: Endpoints): string {
  // signal=off: Ctrl-C is the guest's.
  if (console === undefined) return 'stdio,id=console,signal=off';
  return `pty,id=console,path=${optionValue(console.pty)},logfile=${optionValue(console.log)}`;
}

/** Arguments of one boot. The console is QEMU's standard input and output, byte by byte, unless told otherwise. */
export function qemuArguments(parts: MachineParts, endpoints: Endpoints): string[] {
  const { files, options } = parts;
  return [
    hardware(parts, ''),
    clock(parts),
    ['-kernel', files.kernel],
    files.initramfs === undefined ? [] : ['-initrd', files.initramfs],
    // Before the root's disk: the last one is the guest's first.
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
    // A restart is an end: a guest that panics must not boot again and again.
    ['-no-reboot'],
    options.vm.qemuArgs,
  ].flat();
}

/** Arguments that write the device tree QEMU makes for this machine to `file`, and quit. */
export function dumpDeviceTreeArguments(parts: Omit<MachineParts, 'files'>, file: string): string[] {
  return [
    ...hardware({ ...parts, files: noFiles }, `,dumpdtb=${optionValue(file)}`),
    ...parts.options.vm.qemuArgs,
  ];
}
const noFiles: MachineFiles = { qemu: '', kernel: '', initramfs: undefined, ext4: undefined };
