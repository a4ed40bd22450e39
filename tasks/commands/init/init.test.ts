// SPDX-License-Identifier: MIT
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, assert, beforeEach, expect, test } from 'vitest';
import { isSearchable } from '../../../lab/search/search.js';
import { cMutants } from '../../../lab/mutate.js';
import { loadDevice } from '../../cli/device.js';
import { findPaths } from '../../config/paths.js';
import { initProject } from './init.js';

const never = new AbortController().signal;
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'init-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const init = async (directory: string, name?: string, signal = never) =>
  initProject(findPaths(import.meta.dirname, undefined), { directory, name }, signal);

/** Every file below a directory, relative to it. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

test('a project has the device under its name, and nowhere the old one', async () => {
  const directory = join(top, 'new', 'my-device');
  const { data, next } = await init(directory);
  const files = filesIn(directory);
  expect(data).toEqual({ directory, name: 'my_device', files: expect.any(Array) });
  expect(next).toContain('npm install && npx stopwatch all');
  expect(files).toEqual(
    expect.arrayContaining([
      'README.md',
      'device/my_device/my_device.c',
      'device/my_device/my_device.h',
      'driver/my_device/my_device.c',
      'driver/my_device/my_device_hw-sw.h',
      'guest_fs/my_device/my_device_test.sh',
      'package.json',
      'stopwatch.config.ts',
      'vm/qemu/my_device.mak',
    ]),
  );
  const own = files.filter((file) => file.includes('/'));
  expect(own.filter((file) => /stopwatch/i.test(file + readFileSync(join(directory, file), 'utf8')))).toEqual(
    [],
  );
  expect(files.filter((file) => file.includes('.test.'))).toEqual([]);
  expect(statSync(join(directory, 'guest_fs', 'base', 'init.sh')).mode & 0o777).toBe(0o755);
  expect(statSync(directory).mode & 0o777).toBe(0o777 & ~process.umask());
  expect(readdirSync(dirname(directory))).toEqual(['my-device']);
});

test('its device can be loaded, says what it is, and has generated its header', async () => {
  const directory = join(top, 'frob');
  await init(directory, 'frobnicator');
  const paths = findPaths(directory, undefined);
  expect(paths).toMatchObject({ project: directory, device: directory });
  const device = await loadDevice(paths);
  const { description, generated } = device;
  expect(description).toMatchObject({
    name: 'frobnicator',
    qemuType: 'frobnicator',
    compatible: 'frobnicator',
    kernelParameter: 'frobnicator',
    module: 'frobnicator',
    tracePatterns: ['frobnicator_*'],
    build: { linux: { symbol: 'CONFIG_FROBNICATOR' } },
  });
  expect(generated).toEqual([
    {
      file: 'driver/frobnicator/frobnicator_hw-sw.h',
      text: readFileSync(join(directory, 'driver', 'frobnicator', 'frobnicator_hw-sw.h'), 'utf8'),
    },
  ]);
  const source = readFileSync(join(directory, 'device', 'frobnicator', 'frobnicator.c'), 'utf8');
  assert(isSearchable(device));
  const { mutationNames } = await device.search();
  expect(cMutants(source, mutationNames.c).length).toBeGreaterThan(100);
  // Some thirty files of TypeScript are transpiled.
}, 60_000);

test('an empty directory is filled, and keeps its mode', async () => {
  const directory = join(top, 'empty');
  mkdirSync(directory, { mode: 0o700 });
  await init(directory);
  expect(readdirSync(directory)).toContain('package.json');
  expect(readdirSync(directory).filter((name) => name.startsWith('.init'))).toEqual([]);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('a directory with something in it is refused, and left as it is', async () => {
  writeFileSync(join(top, 'mine.txt'), 'mine');
  await expect(init(top, 'frobnicator')).rejects.toMatchObject({
    code: 'bad-usage',
    message: `Cannot make a project in ${top}: expected an empty directory or none, got one with mine.txt`,
  });
  await expect(init(join(top, 'mine.txt'), 'frobnicator')).rejects.toThrow(/no directory/);
  await expect(init(join(top, 'mine.txt', 'below'), 'frobnicator')).rejects.toThrow(/no directory/);
  expect(filesIn(top)).toEqual(['mine.txt']);
});

test('a name that will not do leaves nothing', async () => {
  await expect(init(join(top, 'a', 'While'))).rejects.toMatchObject({ code: 'bad-usage' });
  await expect(init(join(top, 'a', 'b'), 'b')).rejects.toThrow(/cannot be called "b"/);
  expect(readdirSync(top)).toEqual([]);
});

test('an interruption leaves nothing', async () => {
  const interrupted = AbortSignal.abort(new Error('interrupted'));
  await expect(init(join(top, 'a', 'frob'), 'frob', interrupted)).rejects.toThrow();
  mkdirSync(join(top, 'empty'));
  await expect(init(join(top, 'empty'), 'frob', interrupted)).rejects.toThrow();
  expect(filesIn(top)).toEqual([]);
  expect(existsSync(join(top, 'a'))).toBe(false);
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)('a directory that cannot be written is said', async () => {
  chmodSync(top, 0o500);
  await expect(init(join(top, 'frob'))).rejects.toMatchObject({ code: 'permission-denied' });
  chmodSync(top, 0o700);
});

test('a checkout is depended on by its path', async () => {
  const directory = join(top, 'frob');
  await init(directory);
  const json: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  );
  expect(Object.keys(json.devDependencies)).toEqual(['@types/node', 'typescript', 'stopwatch']);
  const path = json.devDependencies['stopwatch']?.replace(/^file:/, '') ?? '';
  expect(existsSync(join(directory, path, 'tasks', 'commands', 'init', 'init.test.ts'))).toBe(true);
});
