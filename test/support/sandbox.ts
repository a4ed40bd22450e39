// SPDX-License-Identifier: MIT
/**
 * Gives each test its own directory, a clean environment with fake commands in
 * PATH, and a list of the living processes that were started with it.
 *
 *     test('…', async ({ sandbox }) => { … })
 */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test as base } from 'vitest';
import { sendSignal } from '../../lib/process/group.js';
import { createProcesses, type Processes } from '../../lib/process/process.js';
import { type Living, processesWith } from './processes.js';

export { ROOT } from './root.js';

/** The fake commands, named by what they do. */
export const COMMANDS = fileURLToPath(new URL('../fixtures/commands', import.meta.url));

export interface Sandbox {
  /** Absolute, without links, empty at the start, removed at the end. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly processes: Processes;
  /** Aborted at the end of the test. */
  readonly signal: AbortSignal;
  path(...parts: string[]): string;
  /** Writes a file below `dir`, creating its directories; returns its path. */
  write(path: string, content: string): string;
  read(path: string): string;
  /** Living processes that were started with this environment. */
  alive(): Living[];
}

/** Marks the processes of a sandbox. */
const MARK = 'STOPWATCH_SANDBOX';

export const test = base.extend<{ sandbox: Sandbox }>({
  // oxlint-disable-next-line no-empty-pattern
  sandbox: async ({}, use) => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-test-')));
    const abort = new AbortController();
    const sandbox = createSandbox(dir, abort.signal);
    await use(sandbox);
    abort.abort();
    for (const { pid } of sandbox.alive()) sendSignal(pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  },
});

function createSandbox(dir: string, signal: AbortSignal): Sandbox {
  const path = (...parts: string[]) => join(dir, ...parts);
  for (const name of ['home', 'tmp']) mkdirSync(path(name));
  const env = {
    PATH: `${COMMANDS}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
    HOME: path('home'),
    TMPDIR: path('tmp'),
    LC_ALL: 'C',
    TZ: 'UTC',
    [MARK]: dir,
  };
  return {
    dir,
    env,
    signal,
    processes: createProcesses(),
    path,
    write(name, content) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), content);
      return path(name);
    },
    read: (name) => readFileSync(path(name), 'utf8'),
    alive: () => processesWith(`${MARK}=${dir}`),
  };
}

/** Polls until `condition` returns something other than false or undefined; the test's own time limit ends it. */
export async function until<T>(condition: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    await sleep(10);
  }
}
