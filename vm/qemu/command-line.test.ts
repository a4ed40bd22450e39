// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import config from '../../config.js';
import { anInstance } from '../../test/support/machine.js';
import {
  dumpDeviceTreeArguments,
  kernelCommandLine,
  type MachineParts,
  qemuArguments,
} from './command-line.js';
import type { BootOptions } from '../types.js';

const endpoints = { qmp: '/run/a,b/qmp', events: '/run/events', monitorPatterns: ['gic_set_irq'] };

function parts(options: Partial<BootOptions> = {}, vm: Partial<BootOptions['vm']> = {}): MachineParts {
  return {
    files: { qemu: '/b/qemu', kernel: '/b/Image', initramfs: '/b/initramfs.cpio', ext4: undefined },
    options: {
      nodev: false,
      rw: false,
      guest: 'test_and_quit',
      trace: true,
      ...options,
      vm: { ...config.vm, ...vm },
    },
    devices: [anInstance('stopwatch', 'stopwatch', { properties: { start_at_boot: true } })],
    accelerator: 'tcg',
  };
}
/** The values that follow this option, in order. */
function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1] ?? ''] : []));
}

describe('qemuArguments', () => {
  it('makes the deterministic test machine', () => {
    expect(qemuArguments(parts(), endpoints)).toMatchInlineSnapshot(`
      [
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-machine",
        "virt,gic-version=2,dtb-randomness=off",
        "-accel",
        "tcg",
        "-cpu",
        "cortex-a57",
        "-smp",
        "1",
        "-m",
        "128M",
        "-device",
        "stopwatch,id=stopwatch,start_at_boot=on",
        "-icount",
        "shift=0,sleep=off",
        "-rtc",
        "base=2000-01-01T00:00:00,clock=vm",
        "-seed",
        "1",
        "-kernel",
        "/b/Image",
        "-initrd",
        "/b/initramfs.cpio",
        "-append",
        "console=ttyAMA0 earlycon loglevel=5 panic=-1 oops=panic rdinit=/init stopwatch=test_and_quit stopwatch_tests=stopwatch:stopwatch_test.sh",
        "-chardev",
        "stdio,id=console,signal=off",
        "-serial",
        "chardev:console",
        "-chardev",
        "socket,id=qmp,path=/run/a,,b/qmp",
        "-mon",
        "chardev=qmp,mode=control",
        "-trace",
        "stopwatch_*",
        "-trace",
        "gic_set_irq",
        "-d",
        "guest_errors",
        "-D",
        "/run/events",
        "-no-reboot",
      ]
    `);
  });

  it('leaves the host’s clock alone in realtime', () => {
    const args = qemuArguments(parts({}, { clock: 'realtime' }), endpoints);
    expect(args).not.toContain('-icount');
    expect(args).not.toContain('-rtc');
    expect(valuesOf(args, '-machine')).toEqual(['virt,gic-version=2']);
  });

  it('runs the host’s processor with KVM', () => {
    const args = qemuArguments({ ...parts({}, { clock: 'realtime' }), accelerator: 'kvm' }, endpoints);
    expect(valuesOf(args, '-cpu')).toEqual(['host']);
    expect(valuesOf(args, '-accel')).toEqual(['kvm']);
    expect(valuesOf(args, '-machine')).toEqual(['virt,gic-version=max']);
  });

  it('has the devices in their order, each with its properties as QEMU reads them', () => {
    const devices = [
      anInstance('lap', 'stopwatch', { properties: { start_at_boot: false, count: 3, label: 'a,b' } }),
      anInstance('stopwatch'),
      anInstance('rng', 'rngboi', { properties: { seed: 7 } }),
    ];
    const args = qemuArguments({ ...parts(), devices }, endpoints);
    expect(valuesOf(args, '-device')).toEqual([
      'stopwatch,id=lap,start_at_boot=off,count=3,label=a,,b',
      'stopwatch,id=stopwatch',
      'rngboi,id=rng,seed=7',
    ]);
    expect(valuesOf(args, '-trace')).toEqual(['stopwatch_*', 'rngboi_*', 'gic_set_irq']);
  });

  it('traces nothing of a device without events', () => {
    const { device, ...rest } = anInstance('virtio', 'virtio-rng');
    const { traceEvents: _, ...description } = device.description;
    const devices = [{ ...rest, device: { description } }];
    expect(valuesOf(qemuArguments({ ...parts(), devices }, endpoints), '-trace')).toEqual(['gic_set_irq']);
  });

  it('doubles commas in paths', () => {
    expect(valuesOf(qemuArguments(parts(), endpoints), '-chardev')).toContain(
      'socket,id=qmp,path=/run/a,,b/qmp',
    );
  });

  it('can leave out the devices and the trace', () => {
    const args = qemuArguments(parts({ nodev: true }), { ...endpoints, events: undefined });
    expect(args).not.toContain('-device');
    expect(args).not.toContain('-trace');
    expect(args).not.toContain('-D');
  });

  it('traces the device and its monitors into the same log', () => {
    const args = qemuArguments(parts(), endpoints);
    expect(valuesOf(args, '-trace')).toEqual(['stopwatch_*', 'gic_set_irq']);
    expect(valuesOf(args, '-D')).toEqual(['/run/events']);
  });

  it.each([
    [false, 'snapshot=on'],
    [true, 'snapshot=off'],
  ])('keeps an ext4 root file system’s changes only when asked to: rw %s', (rw, expected) => {
    const machine = parts({ rw });
    const files = { ...machine.files, initramfs: undefined, ext4: '/b/root,fs.ext4' };
    const args = qemuArguments({ ...machine, files }, endpoints);
    expect(valuesOf(args, '-drive')).toEqual([
      `if=none,id=root,format=raw,${expected},file=/b/root,,fs.ext4`,
    ]);
    expect(args).not.toContain('-initrd');
    expect(valuesOf(args, '-append')[0]).toContain('root=/dev/vda');
  });

  it.each([
    ['icount', 'record', 'shift=0,sleep=off,rr=record,rrfile=/r,,1/log'],
    ['icount', 'replay', 'shift=0,sleep=off,rr=replay,rrfile=/r,,1/log'],
    ['realtime', 'record', 'shift=0,rr=record,rrfile=/r,,1/log'],
  ] as const)('counts instructions for a recording, whatever the clock: %s, %s', (clock, mode, expected) => {
    const machine = { ...parts({}, { clock }), recording: { mode, file: '/r,1/log' } };
    const args = qemuArguments(machine, endpoints);
    expect(valuesOf(args, '-icount')).toEqual([expected]);
    expect(valuesOf(args, '-seed')).toEqual(['1']);
    expect(valuesOf(args, '-machine')).toEqual(['virt,gic-version=2,dtb-randomness=off']);
  });

  it('records what a disk answers', () => {
    const machine = { ...parts(), recording: { mode: 'record', file: '/r/log' } as const };
    const files = { ...machine.files, initramfs: undefined, ext4: '/b/root.ext4' };
    const args = qemuArguments({ ...machine, files }, endpoints);
    expect(valuesOf(args, '-drive')).toEqual([
      'if=none,id=image,format=raw,snapshot=on,file=/b/root.ext4',
      'driver=blkreplay,if=none,id=root,image=image',
    ]);
    expect(valuesOf(args, '-device')).toContain('virtio-blk-device,drive=root');
  });

  it('puts the user’s arguments last', () => {
    expect(qemuArguments(parts({}, { qemuArgs: ['-d', 'int'] }), endpoints).slice(-2)).toEqual(['-d', 'int']);
  });
});

describe('kernelCommandLine', () => {
  it.each([
    ['test_and_quit', ' stopwatch=test_and_quit stopwatch_tests=stopwatch:stopwatch_test.sh'],
    ['stress_and_quit', ' stopwatch=stress_and_quit stopwatch_tests=stopwatch:stopwatch_stress.sh'],
    [
      'test',
      ' stopwatch=test stopwatch_devices=stopwatch:stopwatch stopwatch_tests=stopwatch:stopwatch_test.sh',
    ],
    ['shell', ' stopwatch_devices=stopwatch:stopwatch'],
  ] as const)('tells the guest’s init what to do: %s', (guest, expected) => {
    const line = kernelCommandLine(parts({ guest }, { append: ['loglevel=7'] }));
    expect(line.endsWith(`rdinit=/init${expected} loglevel=7`)).toBe(true);
  });
});

describe('the list of tests for the guest’s init', () => {
  const devices = [anInstance('lap'), anInstance('rng', 'rngboi')];
  it.each<[string, Partial<BootOptions>, string]>([
    ['all', {}, ' stopwatch_tests=lap:stopwatch_test.sh,rng:rngboi_test.sh'],
    ['those that are tested', { tested: ['rng'] }, ' stopwatch_tests=rng:rngboi_test.sh'],
    ['none', { nodev: true }, ''],
  ])('%s', (_name, options, expected) => {
    const line = kernelCommandLine({ ...parts(options), devices });
    expect(line.endsWith(`stopwatch=test_and_quit${expected}`)).toBe(true);
  });
});

describe('dumpDeviceTreeArguments', () => {
  it('needs no kernel, and has the same hardware', () => {
    const args = dumpDeviceTreeArguments(parts(), '/out/a.dtb');
    expect(valuesOf(args, '-machine')).toEqual(['virt,gic-version=2,dtb-randomness=off,dumpdtb=/out/a.dtb']);
    expect(args).not.toContain('-kernel');
    expect(valuesOf(args, '-device')).toEqual(valuesOf(qemuArguments(parts(), endpoints), '-device'));
  });
});
