// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import config from '../../config.js';
import { createProcesses } from '../../lib/process/process.js';
import type { ProjectDevice } from '../../vm/device.js';
import type { Config } from '../config/schema.js';
import { VARIANTS } from '../config/variants.js';
import { buildGraph, selectTargets } from '../engine/graph.js';
import { driverTask } from './linux/drivers.js';
import { bootTargets, buildTasks, PATCH_TARGETS, prepareTargets, updateTargets } from './graph.js';
import type { Task } from '../engine/task.js';
import { nameIn, taskNamed } from './variant-names.js';

const at = (name: string) => `/nowhere/project/.stopwatch/${name}`;
const paths = {
  package: '/nowhere/package',
  project: '/nowhere/project',
  work: '/nowhere/project/.stopwatch',
  src: at('src'),
  build: at('build'),
  vm: at('vm'),
  logs: at('logs'),
  reports: at('reports'),
};
const stopwatch: ProjectDevice = {
  device: {
    description: {
      name: 'stopwatch',
      qemuType: 'stopwatch',
      properties: {},
      deviceTree: { compatible: 'stopwatch', regions: ['regs'] },
    },
  },
  root: '/nowhere/package',
  files: {
    qemu: ['/nowhere/package/device/stopwatch/stopwatch.c'],
    driver: {
      directory: '/nowhere/package/driver/stopwatch',
      module: 'stopwatch',
      names: ['Kbuild', 'stopwatch.c'],
    },
    kernelConfig: undefined,
    guest: [],
    programs: [
      {
        name: 'lap',
        file: '/nowhere/package/guest_fs/stopwatch/lap.c',
        headers: ['/nowhere/package/driver/stopwatch/uapi.h'],
        path: '/usr/bin/lap',
        mode: 0o755,
      },
    ],
    tests: [],
    stress: undefined,
  },
};
/** QEMU's own, and without a driver of the project. */
const other: ProjectDevice = {
  device: { description: { name: 'virtio-rng', qemuType: 'virtio-rng-device', properties: {} } },
  root: '/nowhere/project',
  files: {
    qemu: [],
    driver: undefined,
    kernelConfig: undefined,
    guest: [],
    programs: [],
    tests: [],
    stress: undefined,
  },
};
const tasksOf = (changed: Config) =>
  buildTasks(changed, paths, [stopwatch, other], {
    processes: createProcesses(),
    environment: { PATH: process.env['PATH'] },
  });
const withVm = (vm: Partial<Config['vm']>): Config => ({ ...config, vm: { ...config.vm, ...vm } });

const variants: readonly (readonly [string, Config])[] = [
  ['the defaults', config],
  ['the driver built in', withVm({ driver: 'builtin' })],
  ['an ext4 root', withVm({ rootfs: 'ext4' })],
  [
    'a tree of the user',
    {
      ...config,
      sources: { ...config.sources, linux: { ...config.sources.linux, tree: '/nowhere/linux' } },
    },
  ],
];

describe.each(variants)('the graph of %s', (_, changed) => {
  test('is sound, and has every target', () => {
    const graph = buildGraph(tasksOf(changed));
    const targets = [
      ...prepareTargets(undefined),
      ...PATCH_TARGETS,
      ...updateTargets(changed),
      ...bootTargets(changed, { rw: true }),
    ];
    expect(() => selectTargets(graph, targets)).not.toThrow();
  });
});

describe('variants', () => {
  const graphs = VARIANTS.map((variant) => {
    const changed = { ...config, build: { ...config.build, variant } };
    return { variant, changed, tasks: tasksOf(changed) };
  });

  test.each(graphs)('$variant is sound, and has every target', ({ variant, changed, tasks }) => {
    const targets = [...updateTargets(changed), driverTask(stopwatch), 'guest:disk'];
    const named = targets.map((name) => nameIn(variant, name));
    expect(() => selectTargets(buildGraph(tasks), named)).not.toThrow();
  });

  // Otherwise a run of the one would make what the other has stale.
  test('what has one name in several is the same in them all', () => {
    const seen = new Map<string, object>();
    for (const { name, deps, inputs, outputs } of graphs.flatMap(({ tasks }) => tasks)) {
      expect([name, seen.get(name) ?? { deps, inputs, outputs }]).toEqual([name, { deps, inputs, outputs }]);
      seen.set(name, { deps, inputs, outputs });
    }
  });

  test('what has several names is in several places', () => {
    const places = new Map<string, string>();
    for (const { name, outputs } of graphs.flatMap(({ tasks }) => tasks))
      for (const output of outputs) {
        expect([output, places.get(output) ?? name]).toEqual([output, name]);
        places.set(output, name);
      }
  });
});

const nameOf = (tasks: readonly Task[], plain: string) => taskNamed(tasks, 'plain', plain);

describe('another release beside the project’s', () => {
  const { linux, qemu } = config.sources;
  const beside = (versions: { readonly linux?: string; readonly qemu?: string }) => {
    const sources = {
      ...config.sources,
      linux: { ...linux, version: versions.linux ?? linux.version },
      qemu: { ...qemu, version: versions.qemu ?? qemu.version },
    };
    return buildTasks(
      { ...config, sources },
      { ...paths, beside: (['linux', 'qemu'] as const).filter((name) => versions[name] !== undefined) },
      [stopwatch, other],
      { processes: createProcesses(), environment: { PATH: process.env['PATH'] } },
    );
  };
  const graphs = [
    tasksOf(config),
    beside({ linux: '6.99.1' }),
    beside({ linux: '6.99.2' }),
    beside({ qemu: '99.1.0' }),
    beside({ linux: '6.99.1', qemu: '99.1.0' }),
  ];

  test('has its own tasks, and shares all others', () => {
    const both = graphs.at(-1) ?? [];
    expect(
      ['linux:build', 'driver:stopwatch', 'guest:initramfs', 'qemu:build'].map((name) => nameOf(both, name)),
    ).toEqual([
      'linux:build@linux-6.99.1',
      'driver:stopwatch@linux-6.99.1',
      'guest:initramfs@linux-6.99.1',
      'qemu:build@qemu-99.1.0',
    ]);
    expect(nameOf(both, 'busybox:build')).toBe('busybox:build');
    expect(nameOf(both, 'vm:manifest')).toBe('vm:manifest@linux-6.99.1@qemu-99.1.0');
  });

  test.each(graphs.map((tasks) => ({ tasks })))('graph %# is sound, and has every target', ({ tasks }) => {
    const named = updateTargets(config).map((name) => nameOf(tasks, name) ?? name);
    expect(() => selectTargets(buildGraph(tasks), named)).not.toThrow();
  });

  // Otherwise a run of the one would make what the other has stale.
  test('one name is one thing in one place', () => {
    const seen = new Map<string, object>();
    const places = new Map<string, string>();
    for (const { name, deps, inputs, outputs } of graphs.flat()) {
      expect([name, seen.get(name) ?? { deps, inputs, outputs }]).toEqual([name, { deps, inputs, outputs }]);
      seen.set(name, { deps, inputs, outputs });
      for (const output of outputs) {
        expect([output, places.get(output) ?? name]).toEqual([output, name]);
        places.set(output, name);
      }
    }
  });
});

/** The target and all that it needs. */
function ancestors(changed: Config, target: string): string[] {
  return selectTargets(buildGraph(tasksOf(changed)), [target]).tasks.map(({ name }) => name);
}

describe('what a change makes stale', () => {
  test('prepare of one source is about that one', () => {
    expect(ancestors(config, 'busybox:tree')).toEqual(['busybox:download', 'busybox:tree']);
  });

  test('the kernel does not wait for the driver when that is a module', () => {
    const build = tasksOf(config).find(({ name }) => name === 'linux:build');
    expect(build?.inputs.files).toEqual([]);
    expect(ancestors(config, 'linux:build')).not.toContain('driver:stopwatch');
  });

  test('the kernel is built again for a driver that is in it', () => {
    const build = tasksOf(withVm({ driver: 'builtin' })).find(({ name }) => name === 'linux:build');
    expect(build?.inputs.files).toEqual([
      '/nowhere/package/driver/stopwatch/Kbuild',
      '/nowhere/package/driver/stopwatch/stopwatch.c',
    ]);
    expect(ancestors(withVm({ driver: 'builtin' }), 'guest:initramfs')).not.toContain('driver:stopwatch');
  });

  test('the module needs the kernel, and nothing of QEMU', () => {
    const names = ancestors(config, driverTask(stopwatch));
    expect(names).toContain('linux:build');
    expect(names.filter((name) => name.startsWith('qemu'))).toEqual([]);
  });

  test('a program of the guest needs its sources and no kernel; the root has it', () => {
    const program = tasksOf(config).find(({ name }) => name === 'program:lap');
    expect(program?.inputs.files).toEqual([
      '/nowhere/package/guest_fs/stopwatch/lap.c',
      '/nowhere/package/driver/stopwatch/uapi.h',
    ]);
    expect(ancestors(config, 'program:lap')).toEqual(['devices:generate', 'program:lap']);
    const root = tasksOf(config).find(({ name }) => name === 'guest:initramfs');
    expect(root?.deps).toContain('program:lap');
    expect(root?.inputs.files).toContain(at('build/guest-programs/lap'));
  });

  test('only a driver of the project is built', () => {
    const names = tasksOf(config).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith('driver:'))).toEqual(['driver:stopwatch']);
  });

  // Otherwise a second project would compile all of QEMU and Linux again.
  test('neither configuration depends on the devices', () => {
    const [all, one] = [[stopwatch, other], [other]].map((devices) =>
      buildTasks(withVm({ devices: [] }), paths, devices, { processes: createProcesses(), environment: {} }),
    );
    for (const name of ['qemu:configure', 'qemu:patch', 'linux:patch', 'linux:configure', 'linux:build']) {
      const inputs = (tasks: typeof all) => tasks?.find((task) => task.name === name)?.inputs;
      expect(inputs(all)).toEqual(inputs(one));
    }
  });

  test('a tree of the user is neither downloaded nor extracted', () => {
    const [, own] = variants[3] ?? ['', config];
    expect(ancestors(own, 'linux:patch')).toEqual(['linux:tree', 'linux:patch']);
  });
});
