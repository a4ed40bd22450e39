// SPDX-License-Identifier: MIT
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
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

/** uid of nobody. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

test.runIf(isRoot).each([
  ['the directory', ['.']],
  ['the file', ['stopwatch.config.json']],
  ['both', ['.', 'stopwatch.config.json']],
])('above the current directory the search ends before %s of another user', (_, theirs) => {
  writeFileSync(join(root, 'stopwatch.config.json'), '{}');
  expect(projectRoot(join(root, 'a/b'))).toBe(root);
  for (const name of theirs) chownSync(join(root, name), NOBODY, NOBODY);
  expect(projectRoot(join(root, 'a/b'))).toBe(join(root, 'a/b'));
});

test.runIf(isRoot)('what is above a directory of another user is not looked at', () => {
  writeFileSync(join(root, 'stopwatch.config.json'), '{}');
  chownSync(join(root, 'a'), NOBODY, NOBODY);
  expect(projectRoot(join(root, 'a/b'))).toBe(join(root, 'a/b'));
});

test.runIf(isRoot)('the package.json of another user makes no project, nor does a link', () => {
  packageJson('.', { name: 'stopwatch' });
  chownSync(join(root, 'package.json'), NOBODY, NOBODY);
  expect(projectRoot(join(root, 'a'))).toBe(join(root, 'a'));
  symlinkSync('/etc/passwd', join(root, 'a/stopwatch.config.json'));
  lchownSync(join(root, 'a/stopwatch.config.json'), NOBODY, NOBODY);
  expect(projectRoot(join(root, 'a/b'))).toBe(join(root, 'a/b'));
});

test.runIf(isRoot)('in the current directory the file of another user is refused, not passed by', () => {
  writeFileSync(join(root, 'stopwatch.config.json'), '{}');
  chownSync(join(root, 'stopwatch.config.json'), NOBODY, NOBODY);
  expect(() => projectRoot(root)).toThrow(/stopwatch\.config\.json belongs to another user \(uid 65534\)/);
});

test.runIf(isRoot)('root under sudo also uses the files of the user who called it', () => {
  chownSync(root, NOBODY, NOBODY);
  packageJson('.', { name: 'stopwatch' });
  vi.stubEnv('SUDO_UID', String(NOBODY));
  expect(projectRoot(root)).toBe(root);
  vi.unstubAllEnvs();
});

test.runIf(isRoot)('a directory that the user has told git to trust is trusted', () => {
  chownSync(root, NOBODY, NOBODY);
  packageJson('.', { name: 'stopwatch' });
  vi.stubEnv('HOME', join(root, 'a/b'));
  const set = (text: string): void => writeFileSync(join(root, 'a/b/.gitconfig'), `[safe]\n${text}`);
  set(`directory = ${root}/b\n`);
  expect(() => projectRoot(root)).toThrow(/belongs to another user/);
  set(`directory = ${root}\n`);
  expect(projectRoot(root)).toBe(root);
  set(`directory = *\ndirectory =\n`);
  expect(() => projectRoot(root)).toThrow(/belongs to another user/);
  vi.unstubAllEnvs();
});
