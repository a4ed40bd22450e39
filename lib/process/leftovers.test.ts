// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { test } from '../../test/support/sandbox.js';
import { processStat } from './group.js';
import { bootId, endLeftovers } from './leftovers.js';

// A process that hangs in the kernel cannot be made here.
vi.mock(import('./group.js'), async (original) => ({ ...(await original()), endGroup: async () => false }));

test('a group that survives SIGKILL is an error, and stays recorded', async ({ sandbox }) => {
  const startTime = processStat(process.pid)?.startTime;
  const file = `groups/${process.pid}`;
  sandbox.write(file, JSON.stringify({ mark: 'm', bootId: bootId(), startTime }));
  await expect(endLeftovers(sandbox.path('groups'))).rejects.toMatchObject({ code: 'locked' });
  expect(existsSync(sandbox.path(file))).toBe(true);
});
