// SPDX-License-Identifier: MIT
/**
 * Where the end-to-end tests work: a new directory, removed at the end. With
 * E2E_DIR=DIR it is kept, and what is built there is used again.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

export default function setup(project: TestProject): () => void {
  const kept = process.env['E2E_DIR'];
  if (kept !== undefined) mkdirSync(kept, { recursive: true });
  const directory = realpathSync(kept ?? mkdtempSync(join(tmpdir(), 'stopwatch-e2e-')));
  project.provide('laboratory', directory);
  return () => {
    if (kept === undefined) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
}
