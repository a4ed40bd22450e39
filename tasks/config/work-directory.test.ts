// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { markDirectory } from '../../lib/files/work-mark.js';
import { findPaths } from './paths.js';
import { checkWorkDirectory } from './work-directory.js';

let project: string;
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-work-')));
  writeFileSync(join(project, 'stopwatch.config.json'), '{}');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

const check = (workdir?: string) => checkWorkDirectory(findPaths(project, workdir));

test('the usual one, a new one, an empty one, and one that was made before', () => {
  check();
  check('new/one');
  mkdirSync(join(project, 'empty'));
  check('empty');
  markDirectory(join(project, 'used'));
  mkdirSync(join(project, 'used/vm'));
  check('used');
});

test.each(['a b', 'a:b', 'a#b', 'a$b', "a'b", 'a\tb'])('%j in its path: make cannot build there', (name) => {
  expect(() => check(name)).toThrow(/cannot be the work directory: its path has/);
});

test('the project, a directory above it, by a link too', () => {
  expect(() => check('.')).toThrow(/has the sources/);
  expect(() => check('..')).toThrow(/has the sources/);
  expect(() => check('/')).toThrow(/has the sources/);
  symlinkSync('.', join(project, 'link'));
  expect(() => check('link')).toThrow(/has the sources/);
});

test('a directory of others with a folder that a build would take for its own', () => {
  mkdirSync(join(project, 'other/vm'), { recursive: true });
  expect(() => check('other')).toThrow(/not made by stopwatch, but has vm/);
});

test('a file', () => {
  expect(() => check('stopwatch.config.json')).toThrow(/it is a file/);
});
