// SPDX-License-Identifier: MIT
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPaths, packageRoot, packageVersion, projectRoot } from './paths.js';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-paths-')));
  mkdirSync(join(root, 'a/b'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function packageJson(directory: string, content: unknown): void {
  writeFileSync(join(root, directory, 'package.json'), JSON.stringify(content));
}

test('a package that depends on stopwatch is the project, one that does not is passed by', () => {
  packageJson('.', { dependencies: { stopwatch: '^1' } });
  packageJson('a', { name: 'other' });
  expect(projectRoot(join(root, 'a/b'))).toBe(root);
});

test("stopwatch's own checkout is the project", () => {
  packageJson('.', { name: 'stopwatch' });
  expect(projectRoot(join(root, 'a/b'))).toBe(root);
});

test('the nearest configuration file decides, whatever package.json says', () => {
  packageJson('.', { name: 'stopwatch' });
  writeFileSync(join(root, 'a/stopwatch.config.json'), '{}');
  expect(projectRoot(join(root, 'a/b'))).toBe(join(root, 'a'));
});

test('a package.json that is not JSON is passed by; without any, it is the current directory', () => {
  writeFileSync(join(root, 'a/package.json'), '{');
  expect(projectRoot(join(root, 'a/b'))).toBe(join(root, 'a/b'));
});

test('the package root has what tasks read', () => {
  for (const part of [
    'device/stopwatch/contract/contract.ts',
    'driver',
    'guest_fs',
    'patches',
    'vm',
    'package.json',
  ]) {
    expect(existsSync(join(packageRoot(), part)), part).toBe(true);
  }
  expect(packageVersion()).toMatch(/^\d+\.\d+\.\d+$/);
});

test('a relative work directory is below the current one', () => {
  expect(findPaths(join(root, 'a'), 'w')).toMatchObject({
    work: join(root, 'a/w'),
    build: join(root, 'a/w/build'),
    reports: join(root, 'a/w/reports'),
  });
});
