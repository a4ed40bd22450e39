// SPDX-License-Identifier: MIT
/**
 * Where the end-to-end tests work: a new directory, removed at the end. With
 * E2E_DIR=DIR it is kept, and what is built there is used again; two runs of
 * the tests in one DIR come one after the other.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { withLock } from '../../lib/lock.js';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env['E2E_DIR'];
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const directory = realpathSync(kept ?? mkdtempSync(join(tmpdir(), 'stopwatch-e2e-')));
  project.provide('laboratory', directory);
  const unlock = await hold(join(directory, 'lock'));
  return async () => {
    await unlock();
    if (kept === undefined) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** Takes a lock; gives what lets it go. */
async function hold(file: string): Promise<() => Promise<void>> {
  let letGo: (() => void) | undefined;
  let held: Promise<void> = Promise.resolve();
  const options = {
    signal: new AbortController().signal,
    onWaiting: (holder: string) => process.stderr.write(`  e2e: waiting for ${holder}\n`),
  };
  await new Promise<void>((resolve, reject) => {
    held = withLock(file, options, async () => {
      resolve();
      await new Promise<void>((end) => {
        letGo = end;
      });
    });
    held.catch(reject);
  });
  return async () => {
    letGo?.();
    await held;
  };
}
