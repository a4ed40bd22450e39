// SPDX-License-Identifier: MIT
/** What is stale, why, and that a run makes just that again. */
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Reason } from '../../tasks/engine/events.js';
import { append, edit, restore, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { tree } from './project.js';

undoEdits();

const { project } = laboratory();
beforeAll(() => project.passes(['update']));

async function staleTasks(
  env?: Readonly<Record<string, string>>,
): Promise<Record<string, readonly Reason[]>> {
  const tasks = [...(await project.status(env)).values()];
  return Object.fromEntries(tasks.filter(({ fresh }) => !fresh).map(({ name, reasons }) => [name, reasons]));
}

test('nothing changed: everything is fresh, and all runs only the test', async () => {
  expect(await staleTasks()).toEqual({});
  const { code, events, done } = await project.events(['all']);
  expect(code).toBe(0);
  expect(done).toEqual(['vm:test']);
  const fresh = events.flatMap((event) => (event.type === 'task-fresh' ? [event.task] : []));
  const planned = events.flatMap((event) => (event.type === 'plan' ? event.tasks : []));
  expect([...fresh, 'vm:test'].sort()).toEqual(planned.map(({ name }) => name).sort());
  expect(planned.filter(({ name }) => name !== 'vm:test').every((task) => task.fresh)).toBe(true);
});

test('files that are touched and not changed stay fresh', async () => {
  const files = [
    join(project.package, 'device/stopwatch/stopwatch.c'),
    join(project.package, 'driver/stopwatch/stopwatch_main.c'),
    join(project.package, 'guest_fs/stopwatch/stopwatch_test.sh'),
    join(tree(project, 'qemu'), 'hw/misc/unimp.c'),
    join(tree(project, 'linux'), 'lib/cmdline.c'),
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
  /** Those that stand on them; `driver:*`: every driver. */
  readonly further: readonly string[];
}

function appended(directory: () => string, name: string, comment: string): Edit['make'] {
  return () => {
    append(directory(), name, comment);
    return join(directory(), name);
  };
}

const installed = (): string => project.package;
const edits: readonly Edit[] = [
  {
    what: 'the device',
    make: appended(installed, 'device/stopwatch/stopwatch.c', '\n/* edited */\n'),
    direct: ['qemu:build'],
    further: ['vm:devicetree', 'vm:manifest'],
  },
  {
    what: 'the driver',
    make: appended(installed, 'driver/stopwatch/stopwatch_main.c', '\n/* edited */\n'),
    direct: ['driver:stopwatch'],
    further: ['guest:initramfs', 'vm:manifest', 'editor:commands'],
  },
  {
    what: "the guest's test",
    make: appended(installed, 'guest_fs/stopwatch/stopwatch_test.sh', '\n# edited\n'),
    direct: ['guest:initramfs'],
    further: ['vm:manifest'],
  },
  {
    what: "a file in QEMU's tree",
    make: appended(() => tree(project, 'qemu'), 'hw/misc/unimp.c', '\n/* edited */\n'),
    direct: ['qemu:build'],
    further: ['vm:devicetree', 'vm:manifest'],
  },
  {
    what: "a file in Linux's tree",
    make: appended(() => tree(project, 'linux'), 'lib/cmdline.c', '\n/* edited */\n'),
    direct: ['linux:build'],
    further: ['driver:*', 'guest:initramfs', 'vm:manifest', 'editor:commands'],
  },
];

test.each(edits)('$what is edited', async ({ make, direct, further: patterns }) => {
  const all = [...(await project.status()).keys()];
  const further = patterns.flatMap((name) =>
    name === 'driver:*' ? all.filter((each) => each.startsWith('driver:')) : name,
  );
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

test('changed and changed back: what is built is what it was', async () => {
  const artifacts = () => project.manifest().artifacts;
  const made = artifacts();
  const mark = `edited by ${process.pid}`;
  const files = [
    'device/stopwatch/stopwatch.c',
    'driver/stopwatch/stopwatch_main.c',
    'guest_fs/stopwatch/stopwatch_test.sh',
  ];
  for (const file of files) {
    // A value in the code, so that what is built of it is another.
    if (file === 'driver/stopwatch/stopwatch_main.c')
      edit(project.package, file, 'MODULE_LICENSE(', `MODULE_INFO(edited, "${mark}");\nMODULE_LICENSE(`);
    else if (file === 'device/stopwatch/stopwatch.c')
      edit(project.package, file, 'Stopwatch with a timeout interrupt', mark);
    else append(project.package, file, `\n# ${mark}\n`);
  }
  expect((await project.events(['update'])).code).toBe(0);
  const edited = artifacts();
  for (const name of ['build/qemu/qemu-system-aarch64', 'vm/initramfs.cpio'])
    expect(edited[name]).not.toBe(made[name]);

  restore();
  expect((await project.events(['update'])).code).toBe(0);
  expect(artifacts()).toEqual(made);

  expect((await project.events(['all'])).code).toBe(0);
});

/** Paths of files that a task's reasons name. */
function whatChanged(reasons: readonly Reason[]): string[] {
  return reasons.flatMap((reason) => {
    if (reason.kind === 'file') return [reason.path];
    return reason.kind === 'tree' ? reason.changed.map((name) => join(reason.path, name)) : [];
  });
}

test('a setting is changed: only what depends on it, and the setting is named', async () => {
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
  append(project.work, 'vm/initramfs.cpio', 'rubbish');
  expect((await staleTasks())['guest:initramfs']).toMatchObject([{ kind: 'output', change: 'changed' }]);
  expect((await project.events(['update'])).done).toContain('guest:initramfs');
  expect(await staleTasks()).toEqual({});
});

test('an error in the device: exit code 5 with the compiler’s words; put right, it goes on', async () => {
  edit(
    project.package,
    'device/stopwatch/stopwatch.c',
    'static int64_t stopwatch_now(void)\n',
    'static int64_t stopwatch_now(\n',
  );
  const { err } = await project.exits(5, ['all']);
  expect(err).toMatch(/stopwatch\.c:\d+:\d+: error: /);
  expect(err).toMatch(/Log: .*qemu/);
  restore();
  const { code: after } = await project.stopwatch(['all']);
  expect(after).toBe(0);
});
