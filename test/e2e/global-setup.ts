// SPDX-License-Identifier: MIT
/**
 * Prepares the laboratory that all end-to-end tests share: the package, packed
 * and installed in an empty project, and everything built there once from
 * nothing, killed at some points on the way.
 *
 * It is a new directory, removed at the end. With E2E_DIR=DIR it is kept, and
 * the next run uses what is built there; runs in one DIR wait for each other.
 */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { withLock } from '../../lib/lock.js';
import { filesOf, prepare, progress } from './prepare.js';

export default async function setup(vitest: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['E2E_DIR'];
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const directory = realpathSync(kept ?? mkdtempSync(join(tmpdir(), 'stopwatch-e2e-')));
  vitest.provide('laboratory', directory);
  const unlock = await lock(join(directory, 'lock'));
  const { failure } = filesOf(directory);
  rmSync(failure, { force: true });
  try {
    await prepare(directory, vitest.name !== 'docker');
  } catch (error) {
    // Each test file reports it.
    writeFileSync(failure, String(error));
  }
  return async () => {
    await unlock();
    if (kept === undefined) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** Takes a lock and returns what releases it. */
async function lock(file: string): Promise<() => Promise<void>> {
  const release = new AbortController();
  const options = {
    signal: release.signal,
    onWaiting: (holder: string) => progress(`waiting for ${holder}`),
  };
  let held = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    held = withLock(file, options, async () => {
      resolve();
      await once(release.signal, 'abort');
    });
    held.catch(reject);
  });
  return async () => {
    release.abort();
    await held;
  };
}
