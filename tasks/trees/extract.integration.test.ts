// SPDX-License-Identifier: MIT
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { compress, type MadeEntry, makeTar, MTIME } from './archives.test.support.js';
import { extractAsTask } from './extract-one.test.support.js';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

let root: string;
let archive: string;
let workdir: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'stopwatch-extract-'));
  archive = join(root, 'a:archive');
  workdir = join(root, 'work');
  directory = join(root, 'src', 'thing-1.0');
});
afterEach(async () => rm(root, { recursive: true, force: true }));

async function extract(
  data: Buffer,
  more: { exclude?: readonly string[]; path?: string; signal?: AbortSignal; sha256?: string } = {},
): Promise<unknown> {
  await writeFile(archive, data);
  return extractAsTask({ workdir, archive, directory, ...more });
}
const read = (path: string) => readFile(join(directory, path), 'utf8');
const sources = () => readdir(join(root, 'src')).catch(() => []);

const top: MadeEntry = { path: 'thing/', type: 'Directory' };
const good: readonly MadeEntry[] = [
  top,
  { path: 'thing/readme', content: 'hello' },
  { path: 'thing/run.sh', content: '#!/bin/sh', mode: 0o777 },
  { path: 'thing/deep/docs/a.txt', content: 'a' },
  { path: 'thing/docs/b.txt', content: 'b' },
  { path: 'thing/docs/sub/c.txt', content: 'c' },
  { path: 'thing/deep/link', type: 'SymbolicLink', linkpath: '../readme' },
  { path: 'thing/dangling', type: 'SymbolicLink', linkpath: 'deep/../not/there' },
  { path: 'thing/hard', type: 'Link', linkpath: 'thing/readme' },
];

describe('a release', () => {
  it.each(['xz', 'bzip2', 'gzip', 'zstd', 'cat'])(
    'is extracted without its top directory (%s)',
    async (program) => {
      const data = program === 'cat' ? makeTar(good) : compress(makeTar(good), program);
      expect(await extract(data)).toBeUndefined();
      expect((await readdir(directory)).sort()).toEqual([
        'dangling',
        'deep',
        'docs',
        'hard',
        'readme',
        'run.sh',
      ]);
      expect(await read('deep/link')).toBe('hello');
      expect(await read('hard')).toBe('hello');
      const script = await stat(join(directory, 'run.sh'));
      expect(script.mtimeMs).toBe(MTIME * 1000);
      expect(script.mode & 0o7777).toBe(0o777 & ~process.umask());
      expect(script.uid).toBe(process.getuid?.());
      expect(await sources()).toEqual(['thing-1.0']);
    },
  );

  it('is extracted without what is left out, anchored at its top', async () => {
    await extract(makeTar(good), { exclude: ['docs', '*.sh', 'deep/l*'] });
    expect((await readdir(directory)).sort()).toEqual(['dangling', 'deep', 'hard', 'readme']);
    expect(await read('deep/docs/a.txt')).toBe('a');
    await rm(directory, { recursive: true });
    await extract(makeTar(good.map((entry) => ({ ...entry, path: `./${entry.path}` }))), {
      exclude: ['docs'],
    });
    expect(await readdir(directory)).not.toContain('docs');
  });

  it.each<readonly [string, (outside: string) => MadeEntry]>([
    ['a path upwards', () => ({ path: 'thing/../../outside/escaped', content: 'x' })],
    ['an absolute path', (outside) => ({ path: `${outside}/escaped`, content: 'x' })],
    ['a hard link out', (outside) => ({ path: 'thing/hard', type: 'Link', linkpath: `${outside}/secret` })],
  ])('writes nothing elsewhere: %s', async (_, entry) => {
    const outside = join(root, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await extract(makeTar([top, entry(outside)]));
    expect(await readdir(outside)).toEqual(['secret']);
    expect((await stat(join(outside, 'secret'))).nlink).toBe(1);
  });
});

describe('an archive that cannot be used leaves no tree', () => {
  it('when it is not the one that was verified', async () => {
    const data = makeTar(good);
    const got = createHash('sha256').update(data).digest('hex');
    const error = await extract(data, { sha256: 'ab'.repeat(32) });
    expect(error).toMatchObject({
      code: 'checksum-mismatch',
      message: expect.stringContaining(`got ${got}`),
    });
    expect(await sources()).toEqual([]);
  });

  it.each([
    [
      'cut off',
      compress(makeTar([top, { path: 'thing/noise', content: randomBytes(200_000) }]), 'xz'),
      /tar/,
    ],
    ['no archive', Buffer.from('<!DOCTYPE html><html>login'), /does not look like a tar archive/],
    ['without a top directory', makeTar([{ path: 'a' }, { path: 'b' }]), /one directory at its top, got 2/],
  ])('when it is %s', async (what, content, message) => {
    const data = what === 'cut off' ? content.subarray(0, content.length / 2) : content;
    const error = await extract(data);
    expect(JSON.stringify([String(error), error])).toMatch(message);
    expect(await sources()).not.toContain('thing-1.0');
    // What is left is removed by the next run.
    expect(await extract(makeTar(good))).toBeUndefined();
    expect(await sources()).toEqual(['thing-1.0']);
  });

  it('when the disk is full', async (context) => {
    await mkdir(join(root, 'src'));
    const args = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(root, 'src')];
    const mounted = await run('mount', args).catch(() => undefined);
    context.skip(mounted === undefined, 'needs the right to mount');
    try {
      const data = makeTar([top, { path: 'thing/big', content: Buffer.alloc(3_000_000) }]);
      expect(await extract(data)).toMatchObject({ code: 'disk-full' });
      expect(await sources()).not.toContain('thing-1.0');
    } finally {
      await run('umount', [join(root, 'src')]);
    }
  });

  it.skipIf(isRoot)('when nothing may be written there', async () => {
    await mkdir(join(root, 'src'), { mode: 0o500 });
    expect(await extract(makeTar(good))).toMatchObject({ code: 'command-failed' });
  });
});

/** All is extracted, and then it hangs: the latest moment before the tree gets its name. */
async function hangingSync(): Promise<{ path: string; reached: string }> {
  const bin = join(root, 'tools');
  await mkdir(bin);
  const reached = join(root, 'reached');
  await writeFile(join(bin, 'sync'), `#!/bin/sh\ntouch ${reached}\nexec sleep 600\n`);
  await chmod(join(bin, 'sync'), 0o755);
  return { path: `${bin}:${process.env['PATH'] ?? ''}`, reached };
}

describe('a run that is ended leaves no tree', () => {
  it('by an interrupt', async () => {
    const { path, reached } = await hangingSync();
    const controller = new AbortController();
    const running = extract(makeTar(good), { signal: controller.signal, path });
    await Promise.race([running, vi.waitFor(() => stat(reached), { timeout: 30_000 })]);
    controller.abort();
    expect(await running).toMatchObject({ code: 'interrupted' });
    expect(await sources()).not.toContain('thing-1.0');
  });

  it('by SIGKILL, and the next one cleans up and succeeds', async () => {
    const { path, reached } = await hangingSync();
    await writeFile(archive, makeTar(good));
    const script = join(import.meta.dirname, 'extract-one.test.support.ts');
    const args = ['--import', 'jiti/register', script, workdir, archive, directory];
    const child = spawn(process.execPath, args, {
      env: { PATH: path },
      cwd: import.meta.dirname,
      stdio: 'inherit',
    });
    await vi.waitFor(() => stat(reached), { timeout: 30_000 });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await sources()).toEqual(['thing-1.0.partial']);
    expect(await extractAsTask({ workdir, archive, directory })).toBeUndefined();
    expect(await sources()).toEqual(['thing-1.0']);
    expect(await read('readme')).toBe('hello');
  });
});
