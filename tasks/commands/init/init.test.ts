// SPDX-License-Identifier: MIT
import {
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
import { Crosscheck } from '../../../vm/device-kit.js';
import { loadDevices } from '../../cli/devices.js';
import { findPaths } from '../../config/paths.js';
import { initProject } from './init.js';
import { typeErrors } from './type-errors.test.support.js';
import type { Template } from './template.js';

const never = new AbortController().signal;
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'init-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const init = async (
  directory: string,
  name?: string,
  { signal = never, template = 'minimal' }: { signal?: AbortSignal; template?: Template } = {},
) => initProject(findPaths(import.meta.dirname, undefined), { directory, name, template }, signal);

/** Every file below a directory, relative to it. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

test('the smallest project', async () => {
  const directory = join(top, 'new', 'my-led');
  const { data, next } = await init(directory);
  expect(data).toEqual({ directory, name: 'my_led', template: 'minimal', files: expect.any(Array) });
  expect(next).toContain('npm install && npx stopwatch all');
  expect(filesIn(directory)).toEqual([
    '.gitignore',
    'README.md',
    'device/my_led/device.ts',
    'device/my_led/model.ts',
    'device/my_led/my_led.c',
    'driver/my_led/Kbuild',
    'driver/my_led/my_led.c',
    'driver/my_led/my_led_hw-sw.h',
    'guest_fs/my_led/my_led_test.sh',
    'package.json',
    'stopwatch.config.ts',
    'tsconfig.json',
  ]);
  const texts = filesIn(directory).map((file) => readFileSync(join(directory, file), 'utf8'));
  expect(texts.filter((text) => /gadget/i.test(text))).toEqual([]);
  expect(texts.join('').split('\n').length).toBeLessThan(400);
  expect(statSync(join(directory, 'guest_fs/my_led/my_led_test.sh')).mode & 0o777).toBe(0o755);
  expect(statSync(directory).mode & 0o777).toBe(0o777 & ~process.umask());
  expect(readdirSync(dirname(directory))).toEqual(['my-led']);
});

test('its device can be loaded, and its checker finds what is wrong', async () => {
  const directory = join(top, 'led');
  await init(directory);
  const [led] = await loadDevices(['led'], findPaths(directory, undefined));
  assert(led !== undefined);
  const { device, files } = led;
  expect(device.description).toMatchObject({ name: 'led', qemuType: 'led', properties: { initial: 5 } });
  expect(files.driver?.module).toBe('led');
  expect(files.tests[0]?.path).toBe('/usr/bin/led_test.sh');
  const verdictOf = (value: string) => {
    const checker = device.checker?.({ slackNs: 0, properties: { initial: 5 } });
    assert(checker !== undefined);
    const crosscheck = new Crosscheck(checker, { id: 'front' });
    const lines = [
      'reset id=front seq=0 now=0 initial=0x5',
      'read id=front seq=1 now=7 offset=0x0 value=0x5 size=4',
      'write id=front seq=2 now=8 offset=0x0 value=0x1ff size=4',
      'write id=front seq=3 now=8 offset=0x8 value=0x1 size=4',
      `read id=front seq=4 now=9 offset=0x0 value=${value} size=4`,
      'end id=front seq=5 now=9',
    ];
    crosscheck.feed(lines.map((line) => `led_${line}\n`).join(''));
    return crosscheck.end();
  };
  expect(verdictOf('0xff')).toMatchObject({ result: 'agree', counts: { reads: 2, writes: 2 } });
  expect(verdictOf('0xfe').divergence).toMatchObject({
    register: 'VALUE',
    access: 'read VALUE, 4 bytes',
    field: 'read.value',
    expected: '255',
    actual: '254',
  });
});

test('its TypeScript and that of the rich one have the right types', async () => {
  for (const template of ['minimal', 'stopwatch'] as const) {
    const directory = join(top, template);
    await init(directory, 'frobnicator', { template });
    expect(typeErrors(directory)).toBe('');
  }
}, 120_000);

test('the rich project has the stopwatch under another name, and nowhere the old one', async () => {
  const directory = join(top, 'frob');
  await init(directory, 'frobnicator', { template: 'stopwatch' });
  const files = filesIn(directory);
  expect(files).toEqual(
    expect.arrayContaining([
      'README.md',
      'device/frobnicator/frobnicator.c',
      'driver/frobnicator/frobnicator_main.c',
      'driver/frobnicator/frobnicator_hw-sw.h',
      'guest_fs/frobnicator/frobnicator_test.sh',
      'package.json',
      'stopwatch.config.ts',
    ]),
  );
  const own = files.filter((file) => file.includes('/'));
  const old = own.filter((file) => {
    const text = readFileSync(join(directory, file), 'utf8').replaceAll('/usr/lib/stopwatch/', '');
    return /stopwatch/i.test(file + text);
  });
  expect(old).toEqual([]);
  expect(files.filter((file) => file.includes('.test.'))).toEqual([]);
  const [found] = await loadDevices(['frobnicator'], findPaths(directory, undefined));
  assert(found !== undefined);
  const { device } = found;
  expect(device.description).toMatchObject({
    name: 'frobnicator',
    qemuType: 'frobnicator',
    deviceTree: { compatible: ['qemu,frobnicator', 'frobnicator'] },
    traceEvents: { prefix: 'frobnicator_' },
  });
  expect(device.generated).toEqual([
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
  await expect(init(join(top, 'a', 'Größe'))).rejects.toMatchObject({ code: 'bad-usage' });
  await expect(init(join(top, 'a', 'b'), 'b')).rejects.toThrow(/cannot be called "b"/);
  expect(readdirSync(top)).toEqual([]);
});

test('an interruption leaves nothing', async () => {
  const interrupted = AbortSignal.abort(new Error('interrupted'));
  await expect(init(join(top, 'a', 'frob'), 'frob', { signal: interrupted })).rejects.toThrow();
  mkdirSync(join(top, 'empty'));
  await expect(init(join(top, 'empty'), 'frob', { signal: interrupted })).rejects.toThrow();
  expect(filesIn(top)).toEqual([]);
  expect(existsSync(join(top, 'a'))).toBe(false);
});

test('a directory that cannot be written is said', async () => {
  // Nor by root.
  await expect(init('/proc/frob')).rejects.toMatchObject({ code: 'permission-denied' });
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
