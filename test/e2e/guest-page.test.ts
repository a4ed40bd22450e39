// SPDX-License-Identifier: MIT
/** docs/guest.md: every command on it, in its order, in a project that has the files on it. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CHECKOUT, laboratory } from './laboratory.js';
import { start } from './project.js';

const { project } = laboratory();

/** A block of the page: commands, or with a name a file. */
interface Block {
  readonly kind: string;
  readonly name: string | undefined;
  readonly text: string;
}

const page = readFileSync(join(CHECKOUT, 'docs/guest.md'), 'utf8');
const blocks = [...page.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms)].map(
  ([, kind = '', name, text = '']): Block => ({ kind, name, text }),
);
const written = [...blocks.flatMap(({ name }) => name ?? []), 'hello', 'programs.tar'];
afterAll(() => {
  for (const name of written) rmSync(join(project.directory, name), { force: true });
});

/** What some of the commands must print. */
const EXPECTED: readonly (readonly [RegExp, RegExp])[] = [
  [/-- uname -r$/, /^6\.\d+\.\d+$/m],
  [/tr a-z A-Z$/, /^HELLO$/m],
  [/grep stopwatch'$/, /^[0-9a-f]+\.stopwatch$/m],
  [/--script/, /^2 arguments, process \d+$/m],
  [/-- date$/, /^Sat Jan {2}1 00:00:\d\d UTC 2000$/m],
  [/--list$/, /^stopwatch +\S+stopwatch_test\.sh +commands=20 interrupts=1$/m],
  [/--repeat 2$/, /^Repeated +2 runs passed, seeds 1 to 2$/m],
  [/status$/, /linux:configure/],
  [/-- hello$/, /^hello from the guest$/m],
  [/grep IKCONFIG$/, /^CONFIG_IKCONFIG_PROC=y$/m],
  [/-- cal 1 2026$/, /January 2026/],
  [/--force guest:initramfs$/, /initramfs/],
];

test('every command on it does what it says', async () => {
  expect(blocks.length).toBeGreaterThan(10);
  const met = new Set<RegExp>();
  for (const { kind, name, text } of blocks) {
    if (name !== undefined) {
      writeFileSync(join(project.directory, name), text);
      if (kind === 'sh') chmodSync(join(project.directory, name), 0o755);
      continue;
    }
    expect(kind).toBe('sh');
    for (const line of text.trim().split('\n')) {
      const { code, out, err } = await start('sh', ['-c', line], {
        cwd: project.directory,
        env: project.env,
      }).ended;
      expect(code, `${line}\n${out}\n${err}`).toBe(0);
      for (const [command, output] of EXPECTED) {
        if (!command.test(line)) continue;
        expect(out, line).toMatch(output);
        met.add(command);
      }
    }
  }
  expect(EXPECTED.flatMap(([command]) => (met.has(command) ? [] : String(command)))).toEqual([]);
});
