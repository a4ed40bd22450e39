// SPDX-License-Identifier: MIT
/**
 * Gives each test a directory of its own, a scrubbed environment with fake commands in PATH, and the
 * means to see what processes are alive that were started with that environment.
 *
 *     test('…', async ({ rig }) => { … })
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { test as base } from 'vitest';
import { processStat, sendSignal } from '../lib/process/group.js';
import { createProcesses, type Processes } from '../lib/process/process.js';

/** The fake commands, named by what they do. */
export const COMMANDS = fileURLToPath(new URL('fixtures/commands', import.meta.url));
/** The checkout that is tested. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface Rig {
  /** Absolute, without links, empty at the start, removed at the end. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly processes: Processes;
  /** Aborted at the end of the test. */
  readonly signal: AbortSignal;
  path(...parts: string[]): string;
  /** Writes a file below `dir`, with its directories; gives its path. */
  write(path: string, content: string): string;
  read(path: string): string;
  /** Living processes that were started with this rig's environment, with their command lines. */
  alive(): { readonly pid: number; readonly command: string }[];
}

/** Names this rig's processes in /proc/<pid>/environ. */
const MARK = 'STOPWATCH_RIG';

export const test = base.extend<{ rig: Rig }>({
  // oxlint-disable-next-line no-empty-pattern
  rig: async ({}, use) => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-test-')));
    const abort = new AbortController();
    const rig = createRig(dir, abort.signal);
    await use(rig);
    abort.abort();
    for (const { pid } of rig.alive()) sendSignal(pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  },
});

function createRig(dir: string, signal: AbortSignal): Rig {
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
    alive() {
      const found: { pid: number; command: string }[] = [];
      for (const name of readdirSync('/proc')) {
        if (!/^\d+$/.test(name) || Number(name) === process.pid || processStat(Number(name))?.state === 'Z')
          continue;
        try {
          const environment = readFileSync(`/proc/${name}/environ`, 'latin1').split('\0');
          if (!environment.includes(`${MARK}=${dir}`)) continue;
          const command = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
          found.push({ pid: Number(name), command });
        } catch {
          // It has just ended.
        }
      }
      return found;
    },
  };
}

/** Polls until `condition` gives something other than false or undefined; the test's own time limit ends it. */
export async function until<T>(condition: () => T | undefined | false): Promise<T> {
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    await sleep(10);
  }
}
