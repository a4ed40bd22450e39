// SPDX-License-Identifier: MIT
import { chownSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import defaults from '../../config.js';
import { StopwatchError } from '../../lib/errors.js';
import { closest } from './closest.js';
import { leaves, variableOf } from './leaves.js';
import { loadConfig, type Given, type Loaded } from './load.js';
import { configSchema } from './schema.js';

let project: string;
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'stopwatch-config-')));
  write('package.json', JSON.stringify({ name: 'theirs', devDependencies: { stopwatch: '*' } }));
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(project, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

interface Given3 {
  environment?: Record<string, string>;
  flags?: Given[];
  workdir?: string;
  cwd?: string;
}
async function load({ environment = {}, flags = [], workdir, cwd = project }: Given3 = {}): Promise<Loaded> {
  return loadConfig({ defaults, cwd, environment, flags, workdir });
}
async function failure(given: Given3 = {}): Promise<string> {
  try {
    await load(given);
  } catch (error) {
    expect(error).toBeInstanceOf(StopwatchError);
    expect(error).toMatchObject({ code: 'bad-config', exitCode: 2 });
    return error instanceof Error ? error.message : '';
  }
  throw new Error('It loaded.');
}
const flag = (path: string, value: unknown, origin: string): Given => ({ path, value, origin });

test('the defaults are valid, and all come from the defaults', async () => {
  expect(configSchema.parse(defaults)).toEqual(defaults);
  const { config, provenance, file, warnings } = await load();
  expect(config).toEqual(defaults);
  expect(new Set(Object.values(provenance))).toEqual(new Set(['default']));
  expect(file).toBeUndefined();
  expect(warnings).toEqual([]);
});

test("the project's sources.json overrides the defaults, and its configuration file overrides both", async () => {
  const mirrors = [{ url: 'https://example.org/linux-6.6.1.tar.xz', sha256: 'ab'.repeat(32) }];
  const sources = write(
    'sources.json',
    JSON.stringify({ sources: { linux: { version: '6.6.1', mirrors }, qemu: { tree: '../qemu' } } }),
  );
  const first = await load();
  expect(first.config.sources.linux).toEqual({ ...defaults.sources.linux, version: '6.6.1', mirrors });
  expect(first.config.sources.qemu.tree).toBe(join(dirname(project), 'qemu'));
  expect(first.provenance['sources.linux.version']).toBe(sources);
  write('stopwatch.config.json', JSON.stringify({ sources: { linux: { version: '6.6.2' } } }));
  expect(await failure()).toContain('mirrors are still those of another version');
  write('stopwatch.config.json', JSON.stringify({ sources: { linux: { version: '6.6.2', mirrors } } }));
  expect((await load()).config.sources.linux).toMatchObject({ version: '6.6.2', mirrors });
});

test('a password has no place in the configuration: refused, and not shown', async () => {
  const environment = { STOPWATCH_CACHE_REMOTE: 'redis://user:s3cret@cache:6379' };
  const said = await failure({ environment });
  expect(said).toMatch(
    /^Bad configuration: cache\.remote \(from STOPWATCH_CACHE_REMOTE\): expected http.*without a user or password.*STOPWATCH_CACHE_PASSWORD.*got 'redis:\/\/…@cache:6379'$/,
  );
  expect(said).not.toContain('s3cret');
  write('stopwatch.config.json', JSON.stringify({ cache: { remote: 'http://cache/?token=s3cret' } }));
  expect(await failure()).not.toContain('s3cret');
});

test('the credentials of the shared cache are no settings', async () => {
  const environment = {
    STOPWATCH_CACHE_REMOTE: 'redis://cache',
    STOPWATCH_CACHE_USER: 'user',
    STOPWATCH_CACHE_PASSWORD: 's3cret',
    STOPWATCH_CACHE_TOKEN: 's3cret',
  };
  const loaded = await load({ environment });
  expect(loaded.warnings).toEqual([]);
  expect(loaded.config.cache).toEqual({ ...defaults.cache, remote: 'redis://cache' });
  expect(JSON.stringify(loaded)).not.toContain('s3cret');
});

test('every setting has a provenance', async () => {
  const { provenance } = await load();
  for (const { path } of leaves()) {
    const known = Object.keys(provenance).some((key) => key === path || key.startsWith(`${path}.`));
    expect(known, path).toBe(true);
  }
});

test('file over defaults, environment over file, flags over environment', async () => {
  const file = write(
    'stopwatch.config.ts',
    `import { defineConfig } from 'stopwatch';
     const memory: number = 256;
     export default defineConfig({ vm: { memoryMiB: memory, cpus: 2, cpu: 'max' }, build: { jobs: 3 } });`,
  );
  const loaded = await load({
    environment: { STOPWATCH_VM_CPUS: '3', STOPWATCH_BUILD_JOBS: '4' },
    flags: [flag('build.jobs', 5, '--jobs')],
  });
  expect(loaded.config.vm).toMatchObject({
    memoryMiB: 256,
    cpus: 3,
    cpu: 'max',
    ext4MiB: defaults.vm.ext4MiB,
  });
  expect(loaded.config.build.jobs).toBe(5);
  expect(loaded.file).toBe(file);
  expect(loaded.provenance).toMatchObject({
    'vm.memoryMiB': file,
    'vm.cpu': file,
    'vm.cpus': 'STOPWATCH_VM_CPUS',
    'build.jobs': '--jobs',
    'vm.ext4MiB': 'default',
  });
});

test.each([
  ['stopwatch.config.js', 'export default { vm: { cpus: 4 } };'],
  [
    'stopwatch.config.mjs',
    "import { defineConfig } from 'stopwatch'; export default defineConfig({ vm: { cpus: 4 } });",
  ],
  ['stopwatch.config.json', '{"vm": {"cpus": 4}}'],
])('%s', async (name, text) => {
  write(name, text);
  expect((await load()).config.vm.cpus).toBe(4);
});

test('the file is found from a folder below the project', async () => {
  write('stopwatch.config.json', '{"vm": {"cpus": 4}}');
  write('a/b/package.json', '{"name": "inner"}');
  const loaded = await load({ cwd: join(project, 'a/b') });
  expect(loaded.config.vm.cpus).toBe(4);
  expect(loaded.paths.project).toBe(project);
  expect(loaded.paths.work).toBe(join(project, '.stopwatch'));
});

test('the environment, one kind of setting at a time', async () => {
  const { config } = await load({
    environment: {
      STOPWATCH_VM_MEMORY_MIB: '512',
      STOPWATCH_VM_SILENCE_SECONDS: '2.5',
      STOPWATCH_DOWNLOADS_OFFLINE: 'yes',
      STOPWATCH_VM_CLOCK: 'realtime',
      STOPWATCH_VM_QEMU_ARGS: '-m, 64 ,-s',
      STOPWATCH_VM_APPEND: '["loglevel=8,x"]',
      STOPWATCH_DEVICES: 'stopwatch, virtio-rng',
      STOPWATCH_VM_DEVICES:
        '[{ "device": "stopwatch", "id": "lap", "properties": { "start_at_boot": false } }]',
      STOPWATCH_SOURCES_LINUX_TREE: 'trees/linux',
      STOPWATCH_DOWNLOADS_DIRECTORY: '',
      STOPWATCH_BUILD_JOBS: '',
    },
  });
  expect(config.vm.memoryMiB).toBe(512);
  expect(config.vm.silenceSeconds).toBe(2.5);
  expect(config.downloads).toMatchObject({ offline: true, directory: null });
  expect(config.vm.clock).toBe('realtime');
  expect(config.vm.qemuArgs).toEqual(['-m', '64', '-s']);
  expect(config.vm.append).toEqual(['loglevel=8,x']);
  expect(config.devices).toEqual(['stopwatch', 'virtio-rng']);
  expect(config.vm.devices).toEqual([
    { device: 'stopwatch', id: 'lap', properties: { start_at_boot: false } },
  ]);
  expect(config.sources.linux.tree).toBe(join(project, 'trees/linux'));
  expect(config.build.jobs).toBe(0);
});

test('a path in the file is relative to the file, whatever the current directory', async () => {
  write(
    'stopwatch.config.json',
    '{"sources": {"qemu": {"tree": "../qemu"}}, "downloads": {"directory": "cache"}}',
  );
  write('sub/x', '');
  const { config } = await load({ cwd: join(project, 'sub') });
  expect(config.sources.qemu.tree).toBe(join(dirname(project), 'qemu'));
  expect(config.downloads.directory).toBe(join(project, 'cache'));
});

test('the work directory: flag over variable over project', async () => {
  const environment = { STOPWATCH_WORKDIR: 'w1' };
  expect((await load({ environment })).paths.work).toBe(join(project, 'w1'));
  const both = await load({ environment, workdir: '/w2' });
  expect(both.paths).toMatchObject({ work: '/w2', logs: '/w2/logs' });
  expect(both.warnings).toEqual([]);
});

test('a variable that is no setting gives a warning that names the nearest', async () => {
  const { warnings, config } = await load({ environment: { STOPWATCH_VM_MEMORY: '9', STOPWATCH_ZZZ: '1' } });
  expect(config).toEqual(defaults);
  expect(warnings).toEqual([
    "The environment variable STOPWATCH_VM_MEMORY is no setting of stopwatch; did you mean 'STOPWATCH_VM_MEMORY_MIB'?",
    'The environment variable STOPWATCH_ZZZ is no setting of stopwatch',
  ]);
});

test.each<[string, Given3, string]>([
  [
    'an integer out of its limits',
    { environment: { STOPWATCH_VM_CPUS: '9' } },
    'vm.cpus (from STOPWATCH_VM_CPUS): expected an integer from 1 to 8, got 9',
  ],
  [
    'text for a number',
    { environment: { STOPWATCH_VM_CPUS: 'two' } },
    "vm.cpus (from STOPWATCH_VM_CPUS): expected an integer from 1 to 8, got 'two'",
  ],
  [
    'a fraction for an integer',
    { flags: [flag('build.jobs', 1.5, '--jobs')] },
    'build.jobs (from --jobs): expected an integer from 0 to 1024, got 1.5',
  ],
  [
    'a number that must be above zero',
    { environment: { STOPWATCH_VM_TOTAL_SECONDS: '0' } },
    'vm.totalSeconds (from STOPWATCH_VM_TOTAL_SECONDS): expected a number above 0, got 0',
  ],
  [
    'a number with a least value',
    { environment: { STOPWATCH_CROSSCHECK_SLACK_MS: '-1' } },
    'crosscheck.slackMs (from STOPWATCH_CROSSCHECK_SLACK_MS): expected a number, 0 or more, got -1',
  ],
  [
    'one of some words',
    { environment: { STOPWATCH_VM_CLOCK: 'icont' } },
    "vm.clock (from STOPWATCH_VM_CLOCK): expected one of icount, realtime, got 'icont'",
  ],
  [
    'a boolean',
    { environment: { STOPWATCH_DOWNLOADS_OFFLINE: 'maybe' } },
    "downloads.offline (from STOPWATCH_DOWNLOADS_OFFLINE): expected true or false, got 'maybe'",
  ],
  [
    'bad JSON',
    { environment: { STOPWATCH_VM_APPEND: '[1' } },
    "vm.append (from STOPWATCH_VM_APPEND): expected JSON, got '[1': ",
  ],
  [
    'an element of a list',
    { flags: [flag('vm.append', ['a', 3], '--append')] },
    'vm.append.1 (from --append): expected a string, got 3',
  ],
  [
    'the name of a device',
    { environment: { STOPWATCH_DEVICES: 'Stopwatch' } },
    "devices.0 (from STOPWATCH_DEVICES): expected the name of a folder in device/, got 'Stopwatch'",
  ],
  [
    'a setting of a device of the VM',
    { flags: [flag('vm.devices', [{ device: 'stopwatch', id: 'Lap' }], '--vm')] },
    "vm.devices.0.id (from --vm): expected a name of lower-case letters, digits, - and _, got 'Lap'",
  ],
  [
    'a property of a device of the VM',
    { flags: [flag('vm.devices', [{ device: 'stopwatch', properties: { speed: null } }], '--vm')] },
    'vm.devices.0.properties.speed (from --vm): expected a string, or true or false, or an integer, got null',
  ],
  [
    'a device twice',
    { environment: { STOPWATCH_DEVICES: 'stopwatch,stopwatch' } },
    'devices (from STOPWATCH_DEVICES) names stopwatch twice',
  ],
  [
    'a device of the VM that is not in the list',
    { environment: { STOPWATCH_DEVICES: 'led' } },
    'vm.devices (from default) names the device stopwatch, but devices (from STOPWATCH_DEVICES) has led: add it there, or take it out of the machine',
  ],
  [
    'two devices of the VM with one id',
    { flags: [flag('vm.devices', [{ device: 'stopwatch' }, { device: 'stopwatch' }], '--vm')] },
    'vm.devices (from --vm) has two devices with the id stopwatch: give one of them another `id`',
  ],
  [
    'a string that may not be empty',
    { flags: [flag('build.cross', '', '--cross')] },
    "build.cross (from --cross): expected a string that is not empty, got ''",
  ],
  [
    'a group',
    { flags: [flag('vm', 5, '--vm')] },
    'vm (from --vm): expected an object with devices, accelerator, cpu,',
  ],
  [
    'a version',
    { environment: { STOPWATCH_SOURCES_QEMU_VERSION: 'ten' } },
    "sources.qemu.version (from STOPWATCH_SOURCES_QEMU_VERSION): expected a version such as 10.0.2, got 'ten'",
  ],
  [
    'a sum',
    { environment: { STOPWATCH_SOURCES_QEMU_MIRRORS: '[{"url": "http://x.y/z", "sha256": "12"}]' } },
    "sources.qemu.mirrors.0.sha256 (from STOPWATCH_SOURCES_QEMU_MIRRORS): expected 64 hexadecimal digits of a sha256, got '12'",
  ],
  [
    'an address',
    {
      environment: {
        STOPWATCH_SOURCES_QEMU_MIRRORS: `[{"url": "ftp://x/z", "sha256": "${'a'.repeat(64)}"}]`,
      },
    },
    "sources.qemu.mirrors.0.url (from STOPWATCH_SOURCES_QEMU_MIRRORS): expected an http or https address, got 'ftp://x/z'",
  ],
  [
    'a path below the mirror',
    {
      environment: {
        STOPWATCH_SOURCES_QEMU_MIRRORS: `[{"debian": "main/q", "sha256": "${'a'.repeat(64)}"}]`,
      },
    },
    "sources.qemu.mirrors.0.debian (from STOPWATCH_SOURCES_QEMU_MIRRORS): expected a path that starts with 'pool/', got 'main/q'",
  ],
  [
    'a version without its places',
    { environment: { STOPWATCH_SOURCES_LINUX_VERSION: '6.6.1' } },
    'sources.linux.version (from STOPWATCH_SOURCES_LINUX_VERSION) is 6.6.1, but sources.linux.mirrors are still those of another version (from default)',
  ],
  [
    'KVM with counted instructions',
    { flags: [flag('vm.accelerator', 'kvm', '--accel')] },
    'vm.accelerator (from --accel) is kvm, but vm.clock (from default) is icount',
  ],
])('%s', async (_, given, text) => {
  expect(await failure(given)).toContain(`Bad configuration: ${text}`);
});

test('an unknown key names its file and the nearest key', async () => {
  const file = write('stopwatch.config.json', '{"vm": {"memory": 64}, "bild": {}, "zzz": 1}');
  const text = await failure();
  expect(text.split('\n').slice(1).sort()).toEqual([
    `  bild (from ${file}): there is no such setting; did you mean 'build'?`,
    `  vm.memory (from ${file}): there is no such setting; did you mean 'vm.memoryMiB'?`,
    `  zzz (from ${file}): there is no such setting`,
  ]);
});

test('a file that does not run, gives no object, or is there twice', async () => {
  const ts = write('stopwatch.config.ts', 'throw new Error("their own words");');
  expect(await failure()).toBe(`${ts} cannot be loaded: their own words`);
  write('stopwatch.config.ts', 'export const x = 1;');
  expect(await failure()).toBe(`${ts}: expected an object as its default export, got nothing`);
  write('stopwatch.config.ts', 'export default { vm: ');
  expect(await failure()).toContain(`${ts} cannot be loaded: `);
  const json = write('stopwatch.config.json', '{');
  expect(await failure()).toBe(
    `There are two configuration files in ${project}: stopwatch.config.ts and stopwatch.config.json`,
  );
  rmSync(ts);
  expect(await failure()).toContain(`${json}: expected JSON: `);
  write('stopwatch.config.json', '[]');
  expect(await failure()).toBe(`${json}: expected an object as its content, got []`);
});

test('a tree of their own goes with any version', async () => {
  const { config } = await load({
    environment: { STOPWATCH_SOURCES_LINUX_VERSION: '6.6.1' },
    flags: [flag('sources.linux.tree', '/trees/linux', '--source')],
  });
  expect(config.sources.linux).toMatchObject({ version: '6.6.1', tree: '/trees/linux' });
});

test('names of variables', () => {
  expect(variableOf('vm.memoryMiB')).toBe('STOPWATCH_VM_MEMORY_MIB');
  expect(variableOf('vm.ext4MiB')).toBe('STOPWATCH_VM_EXT4_MIB');
  expect(variableOf('vm.firstOutputSeconds')).toBe('STOPWATCH_VM_FIRST_OUTPUT_SECONDS');
  expect(variableOf('sources.qemu.exclude')).toBe('STOPWATCH_SOURCES_QEMU_EXCLUDE');
  const names = leaves().map((leaf) => leaf.variable);
  expect(new Set(names).size).toBe(names.length);
});

test('did you mean', () => {
  const commands = ['all', 'prepare', 'patch', 'update', 'status'];
  expect(closest('pacth', commands)).toBe('patch');
  expect(closest('stat', commands)).toBe('status');
  expect(closest('UPDATE', commands)).toBe('update');
  expect(closest('xyzzy', commands)).toBeUndefined();
});

test('a variant has settings of its own, and the user’s go over them', async () => {
  const variant = { path: 'build.variant', value: 'debug', origin: '--variant' };
  const { config, provenance } = await load({ flags: [variant] });
  expect(config.vm.memoryMiB).toBeGreaterThan(defaults.vm.memoryMiB);
  expect(provenance['vm.memoryMiB']).toBe('default of the variant debug');
  expect(config.vm.cpus).toBe(defaults.vm.cpus);

  write('stopwatch.config.json', JSON.stringify({ build: { variant: 'debug' }, vm: { memoryMiB: 256 } }));
  const { config: theirs } = await load({ environment: { STOPWATCH_VM_SILENCE_SECONDS: '7' } });
  expect(theirs.vm).toMatchObject({ memoryMiB: 256, silenceSeconds: 7 });
  expect(theirs.vm.totalSeconds).toBe(config.vm.totalSeconds);

  // The last word on the variant decides.
  const { config: plain } = await load({ flags: [{ ...variant, value: 'plain' }] });
  expect(plain.vm.totalSeconds).toBe(defaults.vm.totalSeconds);
});

/** uid of nobody. */
const NOBODY = 65_534;

test.runIf(process.getuid?.() === 0).each([
  ['the configuration', 'stopwatch.config.ts'],
  ['its directory', '.'],
  ['the sources', 'sources.json'],
  ['the work directory', '.stopwatch'],
])('%s of another user is refused before anything of it runs', async (_, theirs) => {
  const marker = join(project, 'marker');
  write(
    'stopwatch.config.ts',
    `require('fs').writeFileSync(${JSON.stringify(marker)}, ''); export default {};`,
  );
  write('sources.json', '{}');
  mkdirSync(join(project, '.stopwatch'));
  await load();
  rmSync(marker);
  chownSync(join(project, theirs), NOBODY, NOBODY);
  expect(await failure()).toMatch(/ belongs to another user \(uid 65534\)/);
  expect(existsSync(marker)).toBe(false);
});
