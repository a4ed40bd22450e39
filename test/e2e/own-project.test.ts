// SPDX-License-Identifier: MIT
/** A project made by `init`, before anything is built there. Whole builds: test/full/own-device.test.ts. */
import { expect, test } from 'vitest';
import { blocks, checkTypes, makeOwnProject, mustType, NAME, own } from './own-project.js';

test('`init` from the installed package makes a project whose types are correct and whose graph loads', async () => {
  await makeOwnProject();
  await checkTypes();
  const status = await own.status();
  expect([...status.keys()]).toContain('driver:powerswitch');
  const graph = await own.passes(['status', '--json']);
  expect(graph).toContain(NAME);
  const patch = blocks.find((block) => block.includes('host-power.patch'));
  await mustType(patch);
  await checkTypes();
});
