// SPDX-License-Identifier: MIT
/** `all` from nothing, killed in every one of its tasks. */
import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { killedBuild, problemsOf } from '../e2e/kills.js';
import { laboratory, progress } from '../e2e/laboratory.js';

test('killed in every task, it resumes from the finished ones, passes, and makes the same files', async () => {
  const { project } = laboratory();
  await project.passes(['update']);
  const { artifacts } = project.manifest();
  rmSync(project.work, { recursive: true, force: true });
  const build = await killedBuild(project, 'every task', progress);
  expect(build.wanted.length).toBeGreaterThanOrEqual(20);
  expect(problemsOf(build)).toEqual([]);
  expect(project.manifest().artifacts).toEqual(artifacts);
});
