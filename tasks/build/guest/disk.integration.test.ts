// SPDX-License-Identifier: MIT
/** The disk of `run --rw`, made and updated with e2fsprogs, and killed in between. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import config from '../../../config.js';
import { ROOT, type Sandbox, test } from '../../../test/support/sandbox.js';
import { findPaths } from '../../config/paths.js';
import type { TaskContext } from '../../engine/task.js';
import { layoutOf } from '../layout.js';
import { diskTask, missDisk } from './disk.js';
import { readDisk, readWritten } from './guest-edits.js';
import { rootFiles, rootfsTasks } from './rootfs.js';

const INIT = 'guest_fs/base/init.sh';

function setUp(sandbox: Sandbox) {
  const layout = layoutOf(config, { ...findPaths(sandbox.dir, undefined), package: sandbox.dir });
  cpSync(join(ROOT, 'guest_fs'), sandbox.path('guest_fs'), { recursive: true });
  const { busybox, built } = rootFiles(config, layout, []);
  for (const file of [busybox, ...built.map((each) => each.file)]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'a program');
  }
  writeFileSync(join(layout.busyboxBuild, 'busybox.links'), '/bin/sh\n');
  const notices: string[] = [];
  const env = { ...sandbox.env, PATH: `${sandbox.env['PATH']}:/usr/sbin:/sbin` };
  /** `last`: how many commands run before the kill. */
  const context = (last = Number.POSITIVE_INFINITY): TaskContext => ({
    signal: sandbox.signal,
    logFile: '',
    jobs: 1,
    env,
    processes: sandbox.processes,
    async exec(file, args, run = {}) {
      if (last-- <= 0) throw new Error('killed');
      const command = { file, args, env: { ...env, ...run.env } };
      const { exitCode, stdout } = await sandbox.processes.run(command, {
        ...run,
        signal: sandbox.signal,
        capture: true,
      });
      if (exitCode !== 0) throw new Error(`${file} failed`);
      if (last <= 0) throw new Error('killed');
      return stdout;
    },
    log: () => {},
    progress: () => {},
    notice: (text) => notices.push(text),
  });
  const makeImage = async () => {
    await rootfsTasks(config, layout, [])
      .find(({ name }) => name === 'guest:ext4')
      ?.run(context());
  };
  const makeDisk = async (last?: number) => diskTask(config, layout, []).run(context(last));
  const init = async () =>
    (await readDisk(layout.disk, ['/init'], context())).contents.get('/init')?.toString();
  return { layout, notices, makeImage, makeDisk, init };
}

test('an update that was killed anywhere takes none of its own files for a guest’s', async ({ sandbox }) => {
  const { notices, makeImage, makeDisk, init } = setUp(sandbox);
  await makeImage();
  await makeDisk();
  let killed = 0;
  for (; ; killed++) {
    sandbox.write(INIT, `changed ${killed}\n`);
    const done = await makeDisk(killed).then(
      () => true,
      () => false,
    );
    if (done) break;
    sandbox.write(INIT, `changed again ${killed}\n`);
    await makeDisk();
    expect(await init()).toBe(`changed again ${killed}\n`);
  }
  expect(killed).toBeGreaterThan(2);
  expect(notices.filter((text) => text.startsWith('Edited in the guest'))).toEqual([]);
});

test('killed when the disk was replaced and its record was not yet, the new record counts', async ({
  sandbox,
}) => {
  const { layout, notices, makeImage, makeDisk, init } = setUp(sandbox);
  await makeImage();
  await makeDisk();
  const record = `${layout.disk}.written.json`;
  const old = readFileSync(record);
  sandbox.write(INIT, 'changed\n');
  await makeDisk();
  renameSync(record, `${layout.disk}.partial.written.json`);
  writeFileSync(record, old);
  sandbox.write(INIT, 'changed again\n');
  await makeDisk();
  expect(await init()).toBe('changed again\n');
  expect(notices.filter((text) => text.startsWith('Edited in the guest'))).toEqual([]);
});

test('a new disk does not get the record of one that was deleted', async ({ sandbox }) => {
  const { layout, makeImage, makeDisk } = setUp(sandbox);
  await makeImage();
  await makeDisk();
  rmSync(layout.disk);
  await missDisk(layout);
  await expect(makeDisk(1)).rejects.toThrow('killed');
  expect(readWritten(layout.disk)).toEqual({});
});
