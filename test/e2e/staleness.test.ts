// SPDX-License-Identifier: MIT
/** What is stale, why, and that a run makes just that again. */
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Reason } from '../../tasks/core/events.js';
import { append, edit, restore, undoEdits } from './edit.js';
import { type Laboratory, laboratory } from './laboratory.js';
import { tree } from './project.js';

undoEdits();

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
  const { code, out, err } = await lab.project.stopwatch(['update']);
  expect(code, out + err).toBe(0);
});

async function staleTasks(
  env?: Readonly<Record<string, string>>,
): Promise<Record<string, readonly Reason[]>> {
  const tasks = [...(await lab.project.status(env)).values()];
  return Object.fromEntries(tasks.filter(({ fresh }) => !fresh).map(({ name, reasons }) => [name, reasons]));
}

test('nothing changed: everything is fresh, and all runs only the test', async () => {
  expect(await staleTasks()).toEqual({});
  const { code, events, done } = await lab.project.events(['all']);
  expect(code).toBe(0);
  expect(done).toEqual(['vm:test']);
  const fresh = events.flatMap((event) => (event.type === 'task-fresh' ? [event.task] : []));
  const planned = events.flatMap((event) => (event.type === 'plan' ? event.tasks : []));
  expect([...fresh, 'vm:test'].sort()).toEqual(planned.map(({ name }) => name).sort());
  expect(planned.filter(({ name }) => name !== 'vm:test').every((task) => task.fresh)).toBe(true);
});

test('files that are touched and not changed stay fresh', async () => {
  const { project } = lab;
  const files = [
    join(project.package, 'device/stopwatch.c'),
    join(project.package, 'driver/stopwatch.c'),
    join(project.package, 'guest_fs/stopwatch_test.sh'),
    join(tree(lab.project, 'qemu'), 'hw/misc/unimp.c'),
    join(tree(lab.project, 'linux'), 'lib/cmdline.c'),
  ];
  const now = new Date();
  for (const file of files) utimesSync(file, now, now);
  expect(await staleTasks()).toEqual({});
  expect((await project.events(['update'])).done).toEqual([]);
});

interface Edit {
  readonly what: string;
  /** Makes it, and gives the file's path. */
  readonly make: () => string;
  /** The tasks that read the file. */
  readonly direct: readonly string[];
  /** Those that stand on them. */
  readonly further: readonly string[];
}

function appended(directory: () => string, name: string, comment: string): Edit['make'] {
  return () => {
    append(directory(), name, comment);
    return join(directory(), name);
  };
}

const installed = (): string => lab.project.package;
const edits: readonly Edit[] = [
  {
    what: 'the device',
    make: appended(installed, 'device/stopwatch.c', '\n/* edited */\n'),
    direct: ['qemu:build'],
    further: ['vm:devicetree', 'vm:manifest'],
  },
  {
    what: 'the driver',
    make: appended(installed, 'driver/stopwatch.c', '\n/* edited */\n'),
    direct: ['driver:module'],
    further: ['guest:initramfs', 'vm:manifest', 'editor:commands'],
  },
  {
    what: 'what device and driver share',
    make: appended(installed, 'driver/stopwatch_hw-sw.h', '\n/* edited */\n'),
    direct: ['qemu:build', 'driver:module'],
    further: ['guest:initramfs', 'vm:devicetree', 'vm:manifest', 'editor:commands'],
  },
  {
    what: "the guest's test",
    make: appended(installed, 'guest_fs/stopwatch_test.sh', '\n# edited\n'),
    direct: ['guest:initramfs'],
    further: ['vm:manifest'],
  },
  {
    what: "a file in QEMU's tree",
    make: appended(() => tree(lab.project, 'qemu'), 'hw/misc/unimp.c', '\n/* edited */\n'),
    direct: ['qemu:build'],
    further: ['vm:devicetree', 'vm:manifest'],
  },
  {
    what: "a file in Linux's tree",
    make: appended(() => tree(lab.project, 'linux'), 'lib/cmdline.c', '\n/* edited */\n'),
    direct: ['linux:build'],
    further: ['driver:module', 'guest:initramfs', 'vm:manifest', 'editor:commands'],
  },
];

test.each(edits)('$what is edited', async ({ make, direct, further }) => {
  const { project } = lab;
  const path = make();
  const stale = await staleTasks();
  expect(Object.keys(stale).sort()).toEqual([...direct, ...further].sort());
  for (const name of direct) expect(whatChanged(stale[name] ?? []), name).toContain(path);
  for (const name of further) {
    expect(stale[name]?.filter(({ kind }) => kind !== 'dependency')).toEqual([]);
    expect(stale[name]?.length).toBeGreaterThan(0);
  }
  const { code, done, out } = await project.events(['update']);
  expect(code, out).toBe(0);
  expect([...done].sort()).toEqual([...direct, ...further].sort());
  expect(await staleTasks()).toEqual({});

  restore();
  const back = await project.events(['update']);
  expect([...back.done].sort()).toEqual([...direct, ...further].sort());
});

/** Paths of files that a task's reasons name. */
function whatChanged(reasons: readonly Reason[]): string[] {
  return reasons.flatMap((reason) => {
    if (reason.kind === 'file') return [reason.path];
    return reason.kind === 'tree' ? reason.changed.map((name) => join(reason.path, name)) : [];
  });
}

test('a setting is changed: only what depends on it, and the setting is named', async () => {
  const { project } = lab;
  const env = { STOPWATCH_VM_MEMORY_MIB: '192' };
  const stale = await staleTasks(env);
  expect(Object.keys(stale).sort()).toEqual(['vm:devicetree', 'vm:manifest']);
  expect(stale['vm:devicetree']).toMatchObject([{ kind: 'value', key: 'hardware' }]);
  const { code, done } = await project.events(['all'], { env });
  expect(code).toBe(0);
  expect([...done].sort()).toEqual(['vm:devicetree', 'vm:manifest', 'vm:test']);
  expect((await project.events(['update'])).done).toEqual(['vm:devicetree', 'vm:manifest']);
});

test('an artifact that was changed by hand is made again', async () => {
  append(lab.project.work, 'vm/initramfs.cpio', 'rubbish');
  expect((await staleTasks())['guest:initramfs']).toMatchObject([{ kind: 'output', change: 'changed' }]);
  expect((await lab.project.events(['update'])).done).toContain('guest:initramfs');
  expect(await staleTasks()).toEqual({});
});

test('an error in the device: exit code 5 with the compiler’s words; put right, it goes on', async () => {
  const { project } = lab;
  edit(
    project.package,
    'device/stopwatch.c',
    'static int64_t stopwatch_now(void)\n',
    'static int64_t stopwatch_now(\n',
  );
  const { code, err } = await project.stopwatch(['all']);
  expect(code).toBe(5);
  expect(err).toMatch(/stopwatch\.c:\d+:\d+: error: /);
  expect(err).toMatch(/Log: .*qemu/);
  restore();
  const { code: after } = await project.stopwatch(['all']);
  expect(after).toBe(0);
});
