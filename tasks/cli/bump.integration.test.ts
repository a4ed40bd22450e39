// SPDX-License-Identifier: MIT
/** `bump` through the command line: releases of a few files, really extracted, with the project's own patches tried on them. */
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type SmallProject, smallProject, sourceAt } from './small-project.test.support.js';

let project: SmallProject;
let server: Server | undefined;
beforeEach(() => {
  project = smallProject();
});
afterEach(() => {
  server?.close();
  project.remove();
});

const busybox = (version: string) => ({ 'applets/applets.c': `/* ${version} */\n` });
const config = () => readFileSync(join(project.directory, 'sources.json'), 'utf8');
const tree = (name: string) => join(project.work, 'src', name);

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A project with Busybox 1.0.0. Gives the text of its sources.json. */
async function withBusybox(): Promise<string> {
  const sum = project.release('busybox', '1.0.0', busybox('1.0.0'));
  const text = asJson({ sources: { busybox: sourceAt('busybox', '1.0.0', sum), qemu: { exclude: [] } } });
  project.write('sources.json', text);
  const { code, out, err } = await project.stopwatch(['prepare', 'busybox']);
  expect(code, out + err).toBe(0);
  return text;
}

describe('a release whose checksum was not given', () => {
  test('from an address: its sum is said, and nothing is changed; with the sum it is taken', async () => {
    const text = await withBusybox();
    const sum = project.release('busybox', '1.0.1', busybox('1.0.1'));
    const data = readFileSync(join(project.directory, 'cache/stopwatch/downloads', 'busybox-1.0.1.tar.bz2'));
    server = createServer((_, response) => response.end(data)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const source = ['--source', `busybox=http://127.0.0.1:${port}/elsewhere.tar.bz2`];

    const refused = await project.stopwatch(['bump', 'busybox', '1.0.1', ...source]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain(`Busybox 1.0.1 has sha256 ${sum}`);
    expect(refused.err).toContain(`--sha256 ${sum}`);
    expect(config()).toBe(text);
    expect(existsSync(tree('busybox-1.0.1'))).toBe(false);

    const { code, out, err } = await project.stopwatch([
      'bump',
      'busybox',
      '1.0.1',
      ...source,
      '--sha256',
      sum,
    ]);
    expect(code, out + err).toBe(0);
    expect(config()).toContain(`"url": "http://127.0.0.1:${port}/elsewhere.tar.bz2"`);
  });

  test('a file that has another sum than was given: exit code 5', async () => {
    const text = await withBusybox();
    project.release('busybox', '1.0.1', busybox('1.0.1'));
    const file = join('cache/stopwatch/downloads', 'busybox-1.0.1.tar.bz2');
    const args = ['bump', 'busybox', '1.0.1', '--source', `busybox=${file}`];
    const { code, err } = await project.stopwatch([...args, '--sha256', 'ab'.repeat(32)]);
    expect(code).toBe(5);
    expect(err).toMatch(/is not Busybox 1\.0\.1: expected sha256 (?:ab){32}, got [0-9a-f]{64}/);
    expect((await project.stopwatch(args)).code).toBe(2);
    const directory = await project.stopwatch(['bump', 'busybox', '1.0.1', '--source', 'busybox=.']);
    expect(directory.code).toBe(2);
    expect(directory.err).toContain('expected an archive, got no such file');
    expect(directory.err).toContain('set sources.busybox.tree');
    expect(config()).toBe(text);
  });
});

test('interrupted while it downloads: nothing has changed, and the same command goes on', async () => {
  const text = await withBusybox();
  const sum = project.release('busybox', '1.0.1', {
    ...busybox('1.0.1'),
    big: randomBytes(300_000).toString('hex'),
  });
  const file = join(project.directory, 'cache/stopwatch/downloads', 'busybox-1.0.1.tar.bz2');
  const data = readFileSync(file);
  rmSync(file);
  let whole = false;
  const started = createServer((_, response) => {
    response.setHeader('content-length', data.length);
    if (whole) response.end(data);
    else response.write(data.subarray(0, 200_000), () => started.emit('half'));
  }).listen(0, '127.0.0.1');
  server = started;
  const underWay = new Promise<void>((resolve) => {
    started.once('half', () => resolve());
  });
  await new Promise((resolve) => server?.once('listening', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const args = [
    'bump',
    'busybox',
    '1.0.1',
    '--source',
    `busybox=http://127.0.0.1:${port}/it.tar.bz2`,
    '--sha256',
    sum,
  ];
  const stopped = await project.stopwatch(args, { signalAfter: underWay });
  expect(stopped.code).toBe(130);
  expect(config()).toBe(text);
  expect(existsSync(tree('busybox-1.0.1'))).toBe(false);
  whole = true;
  const { code, out, err } = await project.stopwatch(args);
  expect(code, out + err).toBe(0);
  expect(config()).toContain(sum);
});

test('the rest of sources.json stays; so does the old tree, and its edits by hand are not forgotten', async () => {
  const text = await withBusybox();
  const sum = project.release('busybox', '1.0.1', busybox('1.0.1'));
  const edited = join(tree('busybox-1.0.0'), 'applets/applets.c');
  appendFileSync(edited, '/* by hand */\n');
  const bump = ['bump', 'busybox', '1.0.1', '--sha256', sum];
  const refused = await project.stopwatch(bump);
  expect(refused.code).toBe(2);
  expect(refused.err).toContain('has edits by hand that are in no patch: applets/applets.c');
  expect(config()).toBe(text);

  const { code, out, err } = await project.stopwatch([...bump, '--force']);
  expect(code, out + err).toBe(0);
  expect(out).toContain('Busybox 1.0.0 -> 1.0.1');
  const old = /"sha256": "([0-9a-f]+)"/.exec(text)?.[1] ?? '';
  expect(config()).toBe(text.replaceAll('1.0.0', '1.0.1').replace(old, sum));
  expect(readFileSync(edited, 'utf8')).toContain('by hand');
  expect(readFileSync(join(tree('busybox-1.0.1'), 'applets/applets.c'), 'utf8')).toBe('/* 1.0.1 */\n');
  const prepared = await project.stopwatch(['prepare', 'busybox']);
  expect(prepared.code, prepared.err).toBe(0);
  expect((await project.stopwatch(['status'])).out).toMatch(/busybox:tree +fresh/);
});

test('a release that stopwatch.config.* names is refused: that file overrides sources.json', async () => {
  const sum = project.release('busybox', '1.0.0', busybox('1.0.0'));
  const text = `export default ${asJson({ sources: { busybox: sourceAt('busybox', '1.0.0', sum) } })}`;
  const file = project.write('stopwatch.config.js', text);
  project.write('package.json', asJson({ type: 'module' }));
  const { code, err } = await project.stopwatch(['bump', 'busybox', '1.0.1', '--sha256', sum]);
  expect(code).toBe(2);
  expect(err).toContain(`sources.busybox.version comes from ${file}, which overrides`);
  expect(existsSync(join(project.directory, 'sources.json'))).toBe(false);
});

const rows = (name: string, count: number): string =>
  Array.from({ length: count }, (_, line) => `# ${name} ${line + 1}\n`).join('');

/** With the lines that the package's patch looks for. */
const linux = (version: string, before: number, neighbour = 'UACCE') => ({
  Kbuild: `# ${version}\n`,
  'drivers/misc/Makefile': `${rows('Makefile', before)}obj-$(CONFIG_PVPANIC)   \t+= pvpanic/\nobj-$(CONFIG_${neighbour})\t\t+= uacce/\n${rows('Makefile', 3)}`,
});

test('of mirrors with different files only the one that has this file stays, even when it is in the cache', async () => {
  const sum = project.release('busybox', '1.0.0', busybox('1.0.0'));
  const debian = 'pool/main/b/busybox/busybox_1.0.0.orig.tar.bz2';
  const mirrors = [...sourceAt('busybox', '1.0.0', sum).mirrors, { debian, sha256: '2'.repeat(64) }];
  const text = asJson({ sources: { busybox: { version: '1.0.0', mirrors } } });
  const file = project.write('sources.json', text);
  const downloads = join(project.directory, 'cache/stopwatch/downloads');
  const other = project.release('busybox', '1.0.1', busybox('1.0.1'));
  renameSync(join(downloads, 'busybox-1.0.1.tar.bz2'), join(downloads, 'busybox_1.0.1.orig.tar.bz2'));
  for (const from of ['put there by hand', 'in the cache']) {
    writeFileSync(file, text);
    const { code, out, err } = await project.stopwatch(['bump', 'busybox', '1.0.1', '--sha256', other]);
    expect(code, out + err).toBe(0);
    expect(out, from).toContain('Left out: what followed http://');
    const { sources } = JSON.parse(readFileSync(file, 'utf8'));
    expect(sources.busybox, from).toEqual({
      version: '1.0.1',
      mirrors: [{ debian: debian.replace('1.0.0', '1.0.1'), sha256: other }],
    });
  }
});

describe('patches', () => {
  test('what has moved is said, and it goes there; what does not fit is shown, and nothing is changed', async () => {
    const sum = project.release('linux', '1.0.0', linux('1.0.0', 58));
    project.write('sources.json', asJson({ sources: { linux: sourceAt('linux', '1.0.0', sum) } }));
    const moved = project.release('linux', '1.0.1', linux('1.0.1', 63));
    const { code, out, err } = await project.stopwatch(['bump', 'linux', '1.0.1', '--sha256', moved]);
    expect(code, out + err).toBe(0);
    expect(out).toContain('The patches fit, some of them elsewhere:');
    expect(out).toMatch(/0001-.*\.patch: Hunk #1 succeeded at 64 \(offset 5 lines\)/);
    const after = config();
    expect(JSON.parse(after)).toEqual({ sources: { linux: sourceAt('linux', '1.0.1', moved) } });

    expect((await project.stopwatch(['prepare', 'linux'])).code).toBe(0);
    const other = project.release('linux', '1.0.2', linux('1.0.2', 58, 'ANOTHER'));
    const rejected = await project.stopwatch(['bump', 'linux', '1.0.2', '--sha256', other]);
    expect(rejected.code).toBe(5);
    expect(rejected.err).toMatch(/0001-.*\.patch does not fit Linux 1\.0\.2 in /);
    expect(rejected.err).toMatch(
      /while searching for:\n.*pvpanic[^]*error: patch failed: drivers\/misc\/Makefile:59/,
    );
    expect(rejected.err).toMatch(/git -C \S+linux-1\.0\.2 am -3 -C1 --keep-non-patch /);
    expect(config()).toBe(after);
    // Nor is what is built stale because of it.
    expect((await project.stopwatch(['status'])).out).toMatch(/linux:tree +fresh/);
    expect(readdirSync(join(project.work, 'src')).filter((name) => name.includes('partial'))).toEqual([]);
  });
});
