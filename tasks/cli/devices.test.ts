// SPDX-License-Identifier: MIT
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { afterEach, assert, describe, expect, test } from 'vitest';
import { Random } from '../../lab/search/random.js';
import { isSearchable } from '../../lab/search/search.js';
import { traceFormat } from '../../vm/device-kit.js';
import { loadDevices } from './devices.js';
import { deviceNamesIn } from '../config/device-files.js';
import { findPaths } from '../config/paths.js';

const root = join(import.meta.dirname, '..', '..');

/** What the files of a room import, as [file, specifier]. */
function imports(rooms: readonly string[]): (readonly [string, string])[] {
  const files = globSync(
    rooms.map((room) => `${room}/**/*.ts`),
    { cwd: root, ignore: ['**/*.test.ts'] },
  );
  return files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import\() ?'([^']+)'/g)].map(
      ([, specifier = '']) =>
        [file, specifier.startsWith('.') ? join(dirname(file), specifier) : specifier] as const,
    ),
  );
}

describe('the toolchain and the devices', () => {
  test('nothing but loadDevices() imports from device/: everything else uses `services.devices()`', () => {
    const all = imports(['lib', 'tasks', 'vm', 'lab', 'docker']);
    const found = all.filter(
      ([file, specifier]) => specifier.startsWith('device/') && !file.startsWith('tasks/docs/'),
    );
    expect(found).toEqual([]);
    expect(readFileSync(join(root, 'tasks/cli/devices.ts'), 'utf8')).toContain('import(`../../device/');
  });

  test('a device imports nothing of the tool but its kit', () => {
    // These two write the pages of this repository; no project gets a copy.
    const pages = new Set(['device/stopwatch/generate.ts', 'device/stopwatch/contract/registers-doc.ts']);
    const outside = imports(['device'])
      .filter(([file]) => !pages.has(file))
      .map(([, specifier]) => specifier)
      .filter((specifier) => !/^(?:device|node:)/.test(specifier));
    expect([...new Set(outside)].sort()).toEqual(['lab/search/device-kit.js', 'vm/device-kit.js']);
  });

  test('the toolchain names no file, symbol or module of a device', () => {
    const names = deviceNamesIn(root).filter((name) => name !== 'stopwatch');
    const words = new RegExp(
      [
        String.raw`\bstopwatch(?:_\w+)?\.(?:c|h|ko|sh|mak)\b|CONFIG_STOPWATCH|\bstopwatch_(?!work=|devices=)[a-z]`,
        ...names.map((name) => String.raw`\b${name}\b`),
      ].join('|'),
    );
    // tasks/docs writes the pages of this repository, which are about the stopwatch.
    const files = globSync(
      ['tasks/!(docs)/**/*.ts', 'lib/**/*.ts', 'vm/**/*.ts', 'lab/**/*.ts', 'docker/**/*.ts'],
      {
        cwd: root,
        ignore: ['**/*.test.ts', '**/*.test.support.ts'],
      },
    );
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((file) => words.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });
});

const projects: string[] = [];
afterEach(() => {
  for (const project of projects.splice(0)) rmSync(project, { recursive: true, force: true });
});

/** A project with these texts as the declarations of its devices, by their names, and more files. */
function projectWith(
  devices: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): string {
  const directory = mkdtempSync(join(tmpdir(), 'own-device-'));
  projects.push(directory);
  const declared = Object.entries(devices).map(([name, text]) => [`device/${name}/device.ts`, text] as const);
  const files = { 'package.json': '{ "dependencies": { "stopwatch": "*" } }', ...more };
  for (const [file, text] of [...declared, ...Object.entries(files)]) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

const load = async (directory: string, ...names: readonly string[]) =>
  loadDevices(names, findPaths(directory, undefined));
const declaring = (name: string): string =>
  `export const device = { description: { name: '${name}', qemuType: '${name}', properties: {} } };`;

describe('a project', () => {
  test('has the devices of its list, in its order: its own, and those of the package', async () => {
    const directory = projectWith({ led: declaring('led'), other: declaring('other') });
    const [watch, led, ...more] = await load(directory, 'stopwatch', 'led');
    expect(more).toEqual([]);
    expect([watch?.root, watch?.device.description.name]).toEqual([root, 'stopwatch']);
    expect([led?.root, led?.device.description.name]).toEqual([directory, 'led']);
    expect(watch?.files.tests[0]?.file).toBe(join(root, 'guest_fs/stopwatch/stopwatch_test.sh'));
    expect(await load(directory)).toEqual([]);
  });

  test
    .runIf(process.getuid?.() === 0)
    .each(['device/led/device.ts', 'device/led', 'device', 'driver/led', 'guest_fs'])(
    'is not loaded where %s belongs to another user',
    async (theirs) => {
      const directory = projectWith(
        { led: `throw new Error('it ran'); ${declaring('led')}` },
        { 'driver/led/Kbuild': '', 'guest_fs/led/led_test.sh': '' },
      );
      chownSync(join(directory, theirs), 65_534, 65_534);
      await expect(load(directory, 'led')).rejects.toThrow(/ belongs to another user \(uid 65534\)/);
    },
  );

  test('goes before the package', async () => {
    const directory = projectWith({ stopwatch: declaring('stopwatch') });
    expect((await load(directory, 'stopwatch'))[0]?.root).toBe(directory);
  });

  test('has its own in TypeScript, with the very modules of the tool', async () => {
    const directory = projectWith(
      {
        own: `import { traceFormat, type Device } from '#device-kit';
          import { name } from './name.js';
          export const device = {
            description: { name, qemuType: 'own', properties: {} },
            kit: traceFormat,
            search: async () => import('./search.js'),
          } satisfies object as unknown as Device;`,
      },
      {
        'device/own/name.ts': "export const name: string = 'own';",
        'device/own/search.ts': "export { Random } from '#device-kit/fuzz';",
      },
    );
    const [own] = await load(directory, 'own');
    assert(own !== undefined);
    const { device } = own;
    expect(device.description.name).toBe('own');
    expect(Reflect.get(device, 'kit')).toBe(traceFormat);
    assert(isSearchable(device));
    expect(Reflect.get(await device.search(), 'Random')).toBe(Random);
    expect((await load(directory, 'own'))[0]?.device).toBe(device);
  });

  test.each([
    ['does not compile', 'export const device = {', /device\.ts cannot be loaded: /],
    ['exports something else', "export const device = 'x';", /expected an export `device` .*, got 'x'/],
    ['imports what is not there', "import './none.js';", /device\.ts cannot be loaded: .*none/],
    ['has another name', declaring('led'), /the device is called led, but its folder is called own/],
  ])('whose device.ts %s is told so', async (_what, text, message) => {
    await expect(load(projectWith({ own: text }), 'own')).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringMatching(message),
    });
  });

  test('that lists a device which is not there is told which there are', async () => {
    const directory = projectWith({ led: declaring('led') });
    await expect(load(directory, 'lde')).rejects.toMatchObject({
      code: 'bad-config',
      message: "devices names lde, but there is no device/lde/device.ts; did you mean 'led'?",
      hint: expect.stringMatching(/There is: led, .*stopwatch/),
    });
  });
});
