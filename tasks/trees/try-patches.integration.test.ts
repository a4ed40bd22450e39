// SPDX-License-Identifier: MIT
/** With the real git: what is said of hunks that fit, have moved, fit with fuzz and do not fit. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';
import { applyPatches } from './patch.js';
import { describeTrial, tryPatches } from './try-patches.js';

const deps = {
  processes: createProcesses(),
  signal: new AbortController().signal,
  env: baseEnvironment(),
  notice: () => {},
  log: () => {},
};
const body = Array.from({ length: 60 }, (_, index) => `line ${index + 1}`);
const hunk = (line: number, before: number) =>
  [
    `@@ -${line - 3},6 +${line - 3 + before},7 @@`,
    ...body.slice(line - 4, line - 1).map((text) => ` ${text}`),
    `+new before ${line}`,
    ...body.slice(line - 1, line + 2).map((text) => ` ${text}`),
  ].join('\n');
const PATCH = `--- a/file
+++ b/file
${hunk(10, 0)}
${hunk(20, 1)}
${hunk(30, 2)}
${hunk(40, 3)}
${hunk(50, 4)}
--- /dev/null
+++ b/new
@@ -0,0 +1 @@
+made
`;

let root: string;
let request: Parameters<typeof tryPatches>[0];
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-try-')));
  mkdirSync(join(root, 'tree'));
  writeFileSync(join(root, '0001-x.patch'), PATCH);
  request = {
    tree: join(root, 'tree'),
    patches: [join(root, '0001-x.patch')],
    stateDir: join(root, 'state'),
  };
});
afterEach(() => rmSync(root, { recursive: true }));

function releaseWith(change: (lines: string[]) => string[]): void {
  writeFileSync(join(root, 'tree', 'file'), `${change([...body]).join('\n')}\n`);
}

test('each hunk by itself', async () => {
  releaseWith((lines) => {
    lines[16] = 'other far line';
    lines[28] = 'other near line';
    lines[27] = 'another near line';
    for (const at of [36, 37, 38, 39, 40, 41]) lines[at] = 'all other';
    lines.splice(44, 0, 'one', 'more', 'here');
    return lines;
  });
  const trials = await tryPatches(request, deps);
  expect(trials.map(({ line, fuzz, offset, rejected }) => ({ line, fuzz, offset, rejected }))).toEqual([
    { line: 7, fuzz: 0, offset: 0, rejected: false },
    { line: 17, fuzz: 1, offset: 0, rejected: false },
    { line: 27, fuzz: 0, offset: undefined, rejected: true },
    { line: 37, fuzz: 0, offset: undefined, rejected: true },
    { line: 47, fuzz: 0, offset: 3, rejected: false },
    { line: 0, fuzz: 0, offset: 0, rejected: false },
  ]);
  expect(trials.flatMap(describeTrial).slice(0, 3)).toEqual([
    '0001-x.patch: file:7: fits',
    '0001-x.patch: file:17: fits only with fuzz 1',
    '  @@ -17,6 +18,7 @@',
  ]);
});

test('a tree that has been patched is tried as it was before', async () => {
  releaseWith((lines) => lines);
  await applyPatches({ what: 'It 1.0', ...request }, deps);
  const trials = await tryPatches(request, deps);
  expect(trials.map(({ rejected, offset }) => !rejected && offset === 0)).toEqual(Array(6).fill(true));
});
