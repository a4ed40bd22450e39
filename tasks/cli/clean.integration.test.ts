// SPDX-License-Identifier: MIT
/** `clean`, and what goes by itself: through the command line, on trees that were really extracted. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { thisOwner } from '../../lib/process/owner.js';
import { type SmallProject, smallProject, sourceAt } from './small-project.test.support.js';

let project: SmallProject;
beforeEach(() => {
  project = smallProject();
});
afterEach(() => project.remove());

const tree = (version: string) => join(project.work, 'src', `busybox-${version}`);

/** A release of Busybox, extracted. */
async function prepared(version: string, keep: object = {}): Promise<void> {
  const sum = project.release('busybox', version, { 'applets/applets.c': `/* ${version} */\n` });
  const sources = { busybox: sourceAt('busybox', version, sum) };
  project.write('stopwatch.config.json', JSON.stringify({ sources, keep }));
  const { code, out, err } = await project.stopwatch(['prepare', 'busybox']);
  expect(code, out + err).toBe(0);
}

const there = (paths: readonly string[]) => paths.map((path) => existsSync(path));

/** A directory with 2 MiB in it. */
function filled(...path: string[]): string {
  const directory = join(project.work, ...path);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'report.json'), Buffer.alloc(2 << 20, 'x'));
  return directory;
}

test('each part alone, and how much it frees', async () => {
  await prepared('1.0.0');
  const build = filled('build');
  const reports = filled('reports', '2026-01-01T00-00-00.000');
  const inside = filled('docker', 'build');
  const trial = await project.stopwatch(['clean', '--reports', '--dry-run']);
  expect(trial.out).toMatch(
    /^ +2\.0 MiB {2}.*reports {2}\(reports of earlier runs\)\nWould free 2\.0 MiB\.$/m,
  );
  expect(existsSync(reports)).toBe(true);
  const without = await project.stopwatch(['clean', '--reports']);
  expect(without.code).toBe(2);
  expect(without.err).toContain('--force');
  expect((await project.stopwatch(['clean', '--reports', '--force'])).out).toMatch(/^Freed 2\.0 MiB\.$/m);
  expect([reports, build, tree('1.0.0')].map((path) => existsSync(path))).toEqual([false, true, true]);

  await project.stopwatch(['clean', '--downloads', '--force']);
  const downloads = join(project.directory, 'cache/stopwatch/downloads');
  expect([downloads, build].map((path) => existsSync(path))).toEqual([false, true]);
  // What is meant without a part.
  await project.stopwatch(['clean', '--force']);
  expect([build, inside, tree('1.0.0')].map((path) => existsSync(path))).toEqual([false, false, true]);
});

test('edits by hand are named, and lost only when it is forced', async () => {
  await prepared('1.0.0');
  expect((await project.stopwatch(['clean', '--sources', '--dry-run'])).out).not.toContain('lost');
  appendFileSync(join(tree('1.0.0'), 'applets/applets.c'), '/* by hand */\n');
  const { code, err } = await project.stopwatch(['clean', '--all']);
  expect(code).toBe(2);
  expect(err).toContain(`${tree('1.0.0')}: edited by hand, and in no patch: applets/applets.c`);
  expect(err).toContain('--force loses them');
  expect(readFileSync(join(tree('1.0.0'), 'applets/applets.c'), 'utf8')).toContain('by hand');
  const forced = await project.stopwatch(['clean', '--sources', '--force']);
  expect(forced.out).toContain('Lost: ');
  expect(existsSync(tree('1.0.0'))).toBe(false);
  // And it goes on from there.
  expect((await project.stopwatch(['prepare', 'busybox'])).code).toBe(0);
  expect(readFileSync(join(tree('1.0.0'), 'applets/applets.c'), 'utf8')).toBe('/* 1.0.0 */\n');
});

test('what takes patches out of a tree of the user’s own stays', async () => {
  await prepared('1.0.0');
  const repository = filled('state', 'in-place', 'linux-own.git');
  expect((await project.stopwatch(['clean', '--all', '--force'])).code).toBe(0);
  expect(readdirSync(join(project.work, 'state'))).toEqual(['in-place']);
  expect(existsSync(repository)).toBe(true);
  expect((await project.stopwatch(['clean', '--all', '--force'])).out).toContain('nothing to remove');
});

test('each kind keeps its newest, by number and by size; trees and configured downloads stay', async () => {
  await prepared('1.0.0', { maxMiB: null });
  const reports = Array.from({ length: 6 }, (_, index) => {
    const report = filled('reports', `2026-01-0${index + 1}T00-00-00.000`);
    utimesSync(report, index + 1, index + 1);
    return report;
  });
  const underWay = join(project.work, 'reports', '2025-12-31T00-00-00.000');
  mkdirSync(underWay);
  writeFileSync(join(underWay, 'owner.json'), JSON.stringify(thisOwner()));
  const logs = ['old', 'new'].map((name, index) => {
    const log = join(project.work, 'logs', `${name}.log`);
    writeFileSync(log, Buffer.alloc(5 << 20, 'x'));
    utimesSync(log, Date.now() / 1000 + 3600 + index, Date.now() / 1000 + 3600 + index);
    return log;
  });
  const downloads = join(project.directory, 'cache/stopwatch/downloads');
  const others = ['a', 'b'].map((digit, index) => {
    const directory = join(downloads, digit.repeat(64));
    mkdirSync(directory);
    writeFileSync(join(directory, 'x'), Buffer.alloc(5 << 20, 'x'));
    utimesSync(directory, index + 1, index + 1);
    return directory;
  });
  await prepared('1.0.1', { count: 4, maxMiB: null });
  expect(there(reports)).toEqual([false, false, true, true, true, true]);
  expect(there([...others, underWay])).toEqual([true, true, true]);

  await prepared('1.0.2', { count: 4, maxMiB: 7 });
  expect(there(reports)).toEqual([false, false, false, true, true, true]);
  expect(there([...others, ...logs])).toEqual([false, true, false, true]);
  expect(there([underWay, tree('1.0.0'), tree('1.0.1'), tree('1.0.2')])).toEqual([true, true, true, true]);
  // Sizes were looked at a moment ago.
  expect(there([filled('reports', '2026-02-01T00-00-00.000'), ...reports.slice(3)])).toEqual([
    true,
    true,
    true,
    true,
  ]);
});

test('a directory that was not made by stopwatch stays as it is', async () => {
  const vm = join(project.directory, 'mine/vm');
  mkdirSync(vm, { recursive: true });
  project.write('mine/other/notes', 'x');
  project.write('vm/settings', 'x');
  for (const workdir of ['.', 'mine', 'mine/other']) {
    const { code, err } = await project.stopwatch(['--workdir', workdir, 'clean', '--all', '--force']);
    expect(code, err).toBe(2);
  }
  expect(there([vm, join(project.directory, 'vm/settings')])).toEqual([true, true]);
});

test('a work directory in which make cannot build is refused before anything is done, and by init and doctor', async () => {
  for (const args of [['all'], ['doctor'], ['status'], ['clean', '--all', '--force']]) {
    const { code, err } = await project.stopwatch(['--workdir', 'a b', ...args]);
    expect(code, err).toBe(2);
    expect(err).toContain('its path has a blank');
  }
  const { code, err } = await project.stopwatch(['init', 'c d', '--name', 'led']);
  expect(code, err).toBe(2);
  expect(err).toContain('its path has a blank');
  expect(there(['a b', 'c d'].map((name) => join(project.directory, name)))).toEqual([false, false]);
});
