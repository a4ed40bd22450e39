// SPDX-License-Identifier: MIT
/** `clean`, and what goes by itself: through the command line, on trees that were really extracted. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

test('a tree of another version goes when there is no room for it, but not with edits in it', async () => {
  await prepared('1.0.0');
  await prepared('1.0.1', { maxMiB: null });
  await prepared('1.0.2', { maxMiB: null });
  appendFileSync(join(tree('1.0.0'), 'applets/applets.c'), '/* by hand */\n');
  await prepared('1.0.3', { maxMiB: 0 });
  expect(existsSync(tree('1.0.1'))).toBe(true);
  // The last look was a moment ago.
  const seen = join(project.work, 'state', 'old-state-seen');
  utimesSync(seen, 0, 0);
  const { out } = await project.stopwatch(['prepare', 'busybox']);
  expect(out).toMatch(/Removed .*busybox-1\.0\.1, .*busybox-1\.0\.2; .*keep\.maxMiB/);
  expect(out).toMatch(/Kept although .*busybox-1\.0\.0 was edited by hand in applets\/applets\.c/);
  expect(['1.0.0', '1.0.1', '1.0.2', '1.0.3'].map((version) => existsSync(tree(version)))).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

test('old reports go, oldest first; the last one and one that is under way stay', async () => {
  const runs = Array.from({ length: 6 }, (_, index) =>
    filled('reports', `2026-01-0${index + 1}T00-00-00.000`),
  );
  const underWay = join(project.work, 'reports', '2025-12-31T00-00-00.000');
  mkdirSync(underWay);
  await prepared('1.0.0', { reports: 4 });
  expect(runs.map((path) => existsSync(path))).toEqual([false, false, true, true, true, true]);
  expect(existsSync(underWay)).toBe(true);
});
