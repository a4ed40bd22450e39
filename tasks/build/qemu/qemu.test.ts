// SPDX-License-Identifier: MIT
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import config from '../../../config.js';
import { test } from '../../../test/support/sandbox.js';
import { findPaths } from '../../config/paths.js';
import type { TaskContext } from '../../engine/task.js';
import { layoutOf } from '../layout.js';
import { qemuTasks } from './qemu.js';

test('QEMU is configured again when the version of any tool has changed that makes the task stale', async ({
  sandbox,
}) => {
  const layout = layoutOf(config, findPaths(sandbox.dir, undefined));
  const ports = { processes: sandbox.processes, environment: sandbox.env };
  const task = qemuTasks(config, layout, [], ports).find(({ name }) => name === 'qemu:configure');
  const versions = new Map<string, string>();
  let configured = 0;
  const context: TaskContext = {
    signal: sandbox.signal,
    logFile: '',
    jobs: 1,
    env: sandbox.env,
    processes: sandbox.processes,
    async exec(file) {
      if (basename(file) !== 'configure') return versions.get(file) ?? 'version 1';
      configured += 1;
      mkdirSync(layout.qemuBuild, { recursive: true });
      for (const name of ['config-meson.cross', 'build.ninja'])
        writeFileSync(join(layout.qemuBuild, name), '');
      return '';
    },
    log: () => {},
    progress: () => {},
    notice: () => {},
  };
  const tools = task?.inputs.tools ?? [];
  expect(tools).toContain('pkg-config');
  await task?.run(context);
  await task?.run(context);
  expect(configured).toBe(1);
  for (const tool of tools) {
    versions.set(tool, 'version 2');
    await task?.run(context);
  }
  expect(configured).toBe(1 + tools.length);
});
