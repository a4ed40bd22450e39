// SPDX-License-Identifier: MIT
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { afterEach, assert, describe, expect, test } from 'vitest';
import { Random } from '../../lab/search/random.js';
import { isSearchable } from '../../lab/search/search.js';
import { Crosscheck } from '../../vm/crosscheck/index.js';
import { loadDevice } from './device.js';
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

describe('the toolchain and the device', () => {
  test('nothing but loadDevice() imports from device/: everything else uses `services.device()`', () => {
    const all = imports(['lib', 'tasks', 'vm', 'lab', 'docker']);
    const found = all.filter(
      ([file, specifier]) => specifier.startsWith('device/') && !file.startsWith('tasks/docs/'),
    );
    expect(found).toEqual([['tasks/cli/device.ts', 'device/stopwatch/device.js']]);
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

  test('the toolchain names no file, symbol or module of the stopwatch', () => {
    const words = /\bstopwatch(?:_\w+)?\.(?:c|h|ko|sh|mak)\b|CONFIG_STOPWATCH|\bstopwatch_(?!work=)[a-z]/;
    // tasks/docs writes the pages of this repository, which are about the stopwatch.
    const files = globSync(
      ['tasks/!(docs)/**/*.ts', 'lib/**/*.ts', 'vm/**/*.ts', 'lab/**/*.ts', 'docker/**/*.ts'],
      {
        cwd: root,
        ignore: ['**/*.test.ts'],
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

/** A project with this text as its device/stopwatch/device.ts, and more files. */
function projectWith(device: string, more: Readonly<Record<string, string>> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'own-device-'));
  projects.push(directory);
  const files = { 'package.json': '{ "dependencies": { "stopwatch": "*" } }', ...more };
  for (const [file, text] of Object.entries({ 'device/own/device.ts': device, ...files })) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
  return directory;
}

const load = async (directory: string) => loadDevice(findPaths(directory, undefined));

const DESCRIPTION = `{
  name: 'own',
  build: {
    qemu: { patches: 'patches', links: [{ link: 'hw/own.c', target: 'device/own.c' }], deviceList: 'own' },
    linux: { patches: 'patches', links: [], symbol: 'CONFIG_OWN', directory: 'x', sources: 'driver', config: 'vm/k.config' },
    busybox: { config: 'vm/b.config' },
    guest: [],
  },
  guestTest: 'device/own.c',
}`;
const FILES = { 'device/own.c': '', 'driver/Kbuild': '', 'vm/k.config': '', 'vm/b.config': '' };

describe('a project', () => {
  test('without a device of its own has the package’s', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'own-device-'));
    projects.push(directory);
    const paths = findPaths(directory, undefined);
    expect(paths.device).toBe(paths.package);
    expect((await loadDevice(paths)).description.name).toBe('stopwatch');
  });

  test('has its own, in TypeScript, with the very modules of the tool', async () => {
    const directory = projectWith(
      `import { Crosscheck, type Device } from '#device-kit';
      import { name } from './name.js';
      export const device = {
        description: { ...${DESCRIPTION}, name },
        crosscheck: () => new Crosscheck({} as never),
        checkFile: () => {},
        generated: [],
        kit: Crosscheck,
        search: async () => import('./search.js'),
      } satisfies object as unknown as Device;`,
      {
        ...FILES,
        'device/own/name.ts': "export const name: string = 'mine';",
        'device/own/search.ts': "export { Random } from '#device-kit/fuzz';",
      },
    );
    const device = await load(directory);
    expect(findPaths(directory, undefined).device).toBe(directory);
    expect(device.description.name).toBe('mine');
    expect(Reflect.get(device, 'kit')).toBe(Crosscheck);
    assert(isSearchable(device));
    expect(Reflect.get(await device.search(), 'Random')).toBe(Random);
    expect(await load(directory)).toBe(device);
  });

  test.each([
    ['does not compile', 'export const device = {', /device\.ts cannot be loaded: /],
    ['exports something else', "export const device = 'x';", /expected an export `device` .*, got 'x'/],
    ['imports what is not there', "import './none.js';", /device\.ts cannot be loaded: .*none/],
    [
      'declares files that are not there',
      `export const device = { description: ${DESCRIPTION}, crosscheck() {}, checkFile() {}, generated: [] };`,
      /4 files that the device declares are not there: device\/own\.c, driver, vm\/k\.config, vm\/b\.config$/,
    ],
  ])('whose device.ts %s is told so', async (_what, text, message) => {
    await expect(load(projectWith(text))).rejects.toMatchObject({
      code: 'bad-config',
      message: expect.stringMatching(message),
    });
  });
});
