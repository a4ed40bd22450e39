// SPDX-License-Identifier: MIT
/** `status --cache-keys`: what the keys depend on, and what not. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import defaults from '../../config.js';
import { environment, start } from '../../test/e2e/project.js';
import type { CacheKeys } from '../commands/status/cache-keys.js';
import { packageRoot } from '../config/paths.js';

const main = join(packageRoot(), 'dist/stopwatch.js');
let project: string;
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-keys-')));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

async function keys(env: Readonly<Record<string, string>> = {}): Promise<CacheKeys> {
  const args = [main, 'status', '--cache-keys', '--json'];
  const { code, out, err } = await start(process.execPath, args, {
    cwd: project,
    env: { ...environment(tmpdir(), '/ccache'), XDG_CACHE_HOME: '/cache', ...env },
  }).ended;
  expect(code, err).toBe(0);
  const found: CacheKeys = JSON.parse(out);
  return found;
}

function configure(config: unknown): void {
  writeFileSync(join(project, 'stopwatch.config.json'), JSON.stringify(config));
}

test('known before anything is there, and the same when it is', async () => {
  const before = await keys();
  expect(readdirSync(project)).toEqual([]);
  expect(before).toMatchObject({
    work: join(project, '.stopwatch'),
    downloads: { paths: ['/cache/stopwatch/downloads'] },
    ccache: { paths: ['/ccache'] },
  });
  for (const { key, prefix } of [before.downloads, before.build, before.ccache]) {
    expect(key).toMatch(/^stopwatch-1-[\w-]+-[0-9a-f]{20}$/);
    expect(key.startsWith(prefix)).toBe(true);
  }
  const linux = join(project, `.stopwatch/src/linux-${defaults.sources.linux.version}`);
  mkdirSync(join(linux, 'drivers'), { recursive: true });
  writeFileSync(join(linux, 'Kbuild'), 'whatever was extracted');
  mkdirSync(join(project, '.stopwatch/build/qemu'), { recursive: true });
  expect(await keys()).toEqual(before);
});

test('what only runs is in no key; how something is built is in that of the builds; a checksum in all', async () => {
  const before = await keys();
  configure({ vm: { memoryMiB: 256 } });
  expect(await keys()).toEqual(before);

  // The kernel is configured without the drivers.
  configure({ vm: { driver: 'builtin' } });
  expect(await keys()).toEqual(before);

  configure({ build: { ccache: 'off' } });
  const direct = await keys();
  expect(direct.downloads).toEqual(before.downloads);
  expect(direct.build.key).not.toBe(before.build.key);
  expect(direct.ccache.key).not.toBe(before.ccache.key);
  expect(direct.ccache.prefix).toBe(before.ccache.prefix);

  const [mirror] = defaults.sources.busybox.mirrors;
  configure({ sources: { busybox: { mirrors: [{ ...mirror, sha256: '0'.repeat(64) }] } } });
  const other = await keys();
  expect(other.downloads.key).not.toBe(before.downloads.key);
  expect(other.build.key).not.toBe(before.build.key);
});

test('another compiler: other builds, the same downloads', async () => {
  const before = await keys();
  const bin = join(project, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'gcc'), '#!/bin/sh\necho gcc 99.1\n');
  chmodSync(join(bin, 'gcc'), 0o755);
  const after = await keys({ PATH: `${bin}:${process.env['PATH'] ?? ''}` });
  expect(after.downloads).toEqual(before.downloads);
  expect(after.build.key).not.toBe(before.build.key);
});

test('lines that are outputs of a step and a dotenv file', async () => {
  const { code, out } = await start(process.execPath, [main, 'status', '--cache-keys'], {
    cwd: project,
    env: environment(tmpdir(), '/ccache'),
  }).ended;
  expect(code).toBe(0);
  const names = out
    .trimEnd()
    .split('\n')
    .map((line) => /^([a-z_]+)=\S+$/.exec(line)?.[1]);
  expect(names).toEqual([
    'stopwatch_work',
    ...['downloads', 'build', 'ccache'].flatMap((name) =>
      ['key', 'prefix', 'paths'].map((part) => `stopwatch_${name}_${part}`),
    ),
  ]);
});

test.each(['sanitize', 'coverage', 'debug', 'kunit'])(
  'the variant %s has builds of its own',
  async (variant) => {
    const plain = await keys();
    const other = await keys({ STOPWATCH_BUILD_VARIANT: variant });
    expect(other.build.key).not.toBe(plain.build.key);
    expect(other.downloads).toEqual(plain.downloads);
  },
);
