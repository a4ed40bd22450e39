// SPDX-License-Identifier: MIT
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { baseEnvironment } from '../../../lib/environment.js';
import { createProcesses } from '../../../lib/process/process.js';
import { compress, type MadeEntry, makeAr, makeDeb, makeTar, MTIME } from './archives.test.support.js';
import { failureOf } from '../failure.test.support.js';
import { extractDebianPackage, type ExtractDeps, extractRelease } from './extract.js';

const run = promisify(execFile);
const processes = createProcesses();
const isRoot = process.getuid?.() === 0;

let root: string;
let archive: string;
let directory: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'stopwatch-extract-'));
  archive = join(root, 'a:archive');
  directory = join(root, 'src', 'thing-1.0');
});
afterEach(async () => {
  await run('chmod', ['-R', 'u+rwX', root]);
  await rm(root, { recursive: true, force: true });
});

function deps(more: Partial<ExtractDeps> = {}): ExtractDeps {
  const signal = new AbortController().signal;
  return {
    processes,
    signal,
    env: baseEnvironment(),
    onProgress: () => undefined,
    log: () => undefined,
    ...more,
  };
}
async function extract(
  data: Buffer,
  exclude: readonly string[] = [],
  more: Partial<ExtractDeps> = {},
): Promise<void> {
  await writeFile(archive, data);
  await extractRelease({ archive, sha256: sum(), directory, exclude }, deps(more));
}
const sum = () => createHash('sha256').update(readFileSync(archive)).digest('hex');
const read = (path: string) => readFile(join(directory, path), 'utf8');

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

const modeOf = async (path: string) => ((await lstat(join(directory, path))).mode & 0o7777).toString(8);

describe('a release', () => {
  it.each(['xz', 'bzip2', 'gzip', 'zstd', 'cat'])(
    'is extracted without its top directory (%s)',
    async (program) => {
      const data = program === 'cat' ? makeTar(good) : compress(makeTar(good), program);
      const progress: number[] = [];
      await extract(data, [], { onProgress: (done, total) => void progress.push(done / total) });
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
      expect(progress.at(-1)).toBe(1);
      const script = await stat(join(directory, 'run.sh'));
      expect(script.mtimeMs).toBe(MTIME * 1000);
      expect(script.mode & 0o7777).toBe(0o777 & ~process.umask());
      expect(script.uid).toBe(process.getuid?.());
      expect(await readdir(join(root, 'src'))).toEqual(['thing-1.0']);
    },
  );

  it('is extracted without what is left out, anchored at its top', async () => {
    await extract(makeTar(good), ['docs', '*.sh', 'deep/l*']);
    expect((await readdir(directory)).sort()).toEqual(['dangling', 'deep', 'hard', 'readme']);
    expect(await read('deep/docs/a.txt')).toBe('a');
    await rm(directory, { recursive: true });
    await extract(makeTar(good.map((entry) => ({ ...entry, path: `./${entry.path}` }))), ['docs']);
    expect(await readdir(directory)).not.toContain('docs');
  });

  it('replaces what is there only when asked to', async () => {
    await extract(makeTar(good));
    await writeFile(join(directory, 'mine'), 'mine');
    await expect(extract(makeTar(good))).rejects.toMatchObject({ code: 'bad-source-tree' });
    expect(await read('mine')).toBe('mine');
    await extractRelease({ archive, sha256: sum(), directory, exclude: [], replace: true }, deps());
    expect(await readdir(directory)).not.toContain('mine');
    expect(await readdir(join(root, 'src'))).toEqual(['thing-1.0']);
  });

  it('loses special bits, and its owner can read and write all of it', async () => {
    await extract(
      makeTar([
        top,
        { path: 'thing/locked/', type: 'Directory', mode: 0o000 },
        { path: 'thing/locked/suid', content: 'x', mode: 0o6755 },
        { path: 'thing/locked/readonly', content: 'x', mode: 0o444 },
        { path: 'thing/sticky/', type: 'Directory', mode: 0o3777 },
      ]),
    );
    expect(await modeOf('locked')).toBe('700');
    expect(await modeOf('locked/suid')).toBe((0o755 & ~process.umask()).toString(8));
    expect(await modeOf('locked/readonly')).toBe('644');
    expect(await modeOf('sticky')).toBe((0o777 & ~process.umask()).toString(8));
  });
});

async function makeOutside(): Promise<string> {
  const outside = join(root, 'outside');
  await mkdir(outside);
  await writeFile(join(outside, 'secret'), 'secret');
  return outside;
}

async function expectNothing(outside: string): Promise<void> {
  expect(await readdir(outside)).toEqual(['secret']);
  expect((await stat(join(outside, 'secret'))).nlink).toBe(1);
  expect((await readdir(root)).sort()).toEqual(['a:archive', 'outside', 'src']);
  expect(await readdir(join(root, 'src'))).toEqual([]);
}

function codeOf(what: string): string {
  // What GNU tar itself cannot write, it reports as damage.
  if (what.startsWith('a file through')) return 'extract-failed';
  // Only root may make one.
  return what === 'a device' && !isRoot ? 'permission-denied' : 'unsafe-archive';
}

describe('a dangerous archive', () => {
  const cases: readonly (readonly [string, (outside: string) => readonly MadeEntry[]])[] = [
    ['a path upwards', () => [top, { path: '../escaped', content: 'x' }]],
    ['a path upwards in the middle', () => [top, { path: 'thing/../../escaped', content: 'x' }]],
    ['an absolute path', (outside) => [top, { path: `${outside}/escaped`, content: 'x' }]],
    [
      'a file through a link out',
      (outside) => [
        top,
        { path: 'thing/link', type: 'SymbolicLink', linkpath: outside },
        { path: 'thing/link/escaped', content: 'x' },
      ],
    ],
    [
      'a file through a relative link out',
      () => [
        top,
        { path: 'thing/link', type: 'SymbolicLink', linkpath: '../../../outside' },
        { path: 'thing/link/escaped', content: 'x' },
      ],
    ],
    [
      'a file through two links that only together lead out',
      () => [
        top,
        { path: 'thing/a/b/c/', type: 'Directory' },
        { path: 'thing/a/b/c/up', type: 'SymbolicLink', linkpath: '../../..' },
        { path: 'thing/a/b/c/out', type: 'SymbolicLink', linkpath: 'up/../../../outside' },
        { path: 'thing/a/b/c/out/escaped', content: 'x' },
      ],
    ],
    ['an absolute link', (outside) => [top, { path: 'thing/link', type: 'SymbolicLink', linkpath: outside }]],
    ['a link upwards', () => [top, { path: 'thing/link', type: 'SymbolicLink', linkpath: '../../x' }]],
    [
      'links that only together lead out',
      () => [
        { path: 'thing/a/b/c/', type: 'Directory' },
        { path: 'thing/top', type: 'Directory' },
        { path: 'thing/a/b/c/up', type: 'SymbolicLink', linkpath: '../../../top' },
        { path: 'thing/a/b/c/out', type: 'SymbolicLink', linkpath: 'up/../../..' },
      ],
    ],
    ['a top that is a link', (outside) => [{ path: 'thing', type: 'SymbolicLink', linkpath: outside }]],
    [
      'a hard link out',
      (outside) => [top, { path: 'thing/hard', type: 'Link', linkpath: `${outside}/secret` }],
    ],
    [
      'a hard link upwards',
      () => [top, { path: 'thing/hard', type: 'Link', linkpath: '../../outside/secret' }],
    ],
    ['a FIFO', () => [top, { path: 'thing/fifo', type: 'FIFO' }]],
    ['a device', () => [top, { path: 'thing/null', type: 'CharacterDevice' }]],
  ];

  it.each(cases)('is refused as a release: %s', async (what, entries) => {
    const outside = await makeOutside();
    const result = extract(makeTar(entries(outside)));
    const code = what === 'a top that is a link' ? 'extract-failed' : codeOf(what);
    await expect(result).rejects.toMatchObject({ code });
    await expectNothing(outside);
  });

  it.each(cases)('is refused as a package: %s', async (what, entries) => {
    const outside = await makeOutside();
    await writeFile(archive, makeDeb(entries(outside)));
    const result = extractDebianPackage({ archive, sha256: sum(), directory }, deps());
    await expect(result).rejects.toMatchObject({ code: codeOf(what) });
    await expectNothing(outside);
  });
});

describe('an archive that is not the one that was verified', () => {
  const expected = 'ab'.repeat(32);

  it.each([
    ['another one', Buffer.alloc(0)],
    ['with more after its end than tar reads', randomBytes(2_000_000)],
  ])('leaves nothing: %s', async (_, more) => {
    await writeFile(archive, Buffer.concat([makeTar(good), more]));
    const got = sum();
    const error = await failureOf(
      extractRelease({ archive, sha256: expected, directory, exclude: [] }, deps()),
    );
    expect(error).toMatchObject({
      code: 'checksum-mismatch',
      message: expect.stringContaining(`got ${got}`),
    });
    expect(await readdir(join(root, 'src'))).toEqual([]);
    // All of it counts.
    await extractRelease({ archive, sha256: got, directory, exclude: [] }, deps());
    expect(await read('readme')).toBe('hello');
  });

  it('leaves nothing of a package', async () => {
    await writeFile(archive, makeDeb([{ path: './', type: 'Directory' }]));
    const result = extractDebianPackage({ archive, sha256: expected, directory }, deps());
    await expect(result).rejects.toMatchObject({ code: 'checksum-mismatch' });
    expect(await readdir(join(root, 'src'))).toEqual([]);
  });
});

describe('a file that is not an archive', () => {
  const data = compress(makeTar([top, { path: 'thing/noise', content: randomBytes(200_000) }]), 'xz');

  it.each([
    ['cut off', data.subarray(0, data.length / 2), /cut off or damaged/],
    [
      'damaged',
      Buffer.concat([data.subarray(0, 1000), Buffer.alloc(100), data.subarray(1100)]),
      /Could not extract/,
    ],
    ['a web page', Buffer.from('\n<!DOCTYPE html><html>login'), /got a web page/],
    [
      'something else',
      Buffer.from('something else'),
      /got bytes 736f6d6574686967|got bytes 736f6d657468696e/,
    ],
    ['empty', Buffer.alloc(0), /got nothing/],
    [
      'without a top directory',
      makeTar([{ path: 'a' }, { path: 'b' }]),
      /one directory at its top, got a, b/,
    ],
  ])('is named for what it is: %s', async (_what, content, message) => {
    const error = await failureOf(extract(content));
    expect(error).toMatchObject({ code: 'extract-failed' });
    expect(String(error)).toMatch(message);
    expect(await readdir(join(root, 'src'))).toEqual([]);
  });

  it('is missed when it is not there', async () => {
    const result = extractRelease({ archive, sha256: '0', directory, exclude: [] }, deps());
    await expect(result).rejects.toMatchObject({ code: 'file-unreadable' });
  });
});

describe('a host that cannot', () => {
  it('has a full disk', async (context) => {
    await mkdir(join(root, 'src'));
    const args = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(root, 'src')];
    const mounted = await run('mount', args).catch(() => undefined);
    context.skip(mounted === undefined, 'needs the right to mount');
    try {
      const data = makeTar([top, { path: 'thing/big', content: Buffer.alloc(3_000_000) }]);
      await expect(extract(data)).rejects.toMatchObject({ code: 'disk-full' });
      expect(await readdir(join(root, 'src'))).toEqual([]);
      await writeFile(archive, makeDeb([{ path: './big', content: Buffer.alloc(3_000_000) }]));
      const result = extractDebianPackage({ archive, sha256: sum(), directory }, deps());
      await expect(result).rejects.toMatchObject({ code: 'disk-full' });
    } finally {
      await run('umount', [join(root, 'src')]);
    }
  });

  it.skipIf(isRoot)('may not write there', async () => {
    await mkdir(join(root, 'src'), { mode: 0o500 });
    await expect(extract(makeTar(good))).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('has another tar', async () => {
    const bin = join(root, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'tar'), '#!/bin/sh\necho "bsdtar 3.7.0"\n');
    await chmod(join(bin, 'tar'), 0o755);
    const result = extract(makeTar(good), [], { env: { PATH: bin } });
    await expect(result).rejects.toThrow(/Expected GNU tar, got bsdtar|rm is not in PATH|program rm/);
  });

  it('has no decompressor', async () => {
    const bin = await toolsWithout('xz');
    const result = extract(compress(makeTar(good), 'xz'), [], { env: { PATH: bin } });
    await expect(result).rejects.toMatchObject({ code: 'command-not-found' });
  });
});

/** A PATH with the tools that extraction needs, all but one. */
async function toolsWithout(missing: string): Promise<string> {
  const bin = join(root, 'tools');
  await mkdir(bin);
  for (const tool of [
    'tar',
    'rm',
    'chmod',
    'find',
    'sync',
    'sh',
    'sleep',
    'touch',
    'xz',
    'gzip',
    'setpriv',
  ]) {
    if (tool === missing) continue;
    // setpriv, by which children die with their parent, is not everywhere.
    const { stdout } = await run('sh', ['-c', `command -v ${tool} || true`]);
    if (stdout !== '') await symlink(stdout.trim(), join(bin, tool));
  }
  return bin;
}

/** All is extracted, and then it hangs: the latest moment before the tree gets its name. */
async function hangingSync(): Promise<{ path: string; reached: string }> {
  const bin = await toolsWithout('sync');
  const reached = join(root, 'reached');
  await writeFile(join(bin, 'sync'), `#!/bin/sh\ntouch ${reached}\nexec sleep 600\n`);
  await chmod(join(bin, 'sync'), 0o755);
  return { path: bin, reached };
}

describe('a run that is ended', () => {
  it('by an interrupt leaves no tree', async () => {
    const { path, reached } = await hangingSync();
    const controller = new AbortController();
    const running = extract(makeTar(good), [], { signal: controller.signal, env: { PATH: path } });
    await Promise.race([running, vi.waitFor(() => stat(reached), { timeout: 30_000 })]);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(join(root, 'src'))).not.toContain('thing-1.0');
  });

  it('by SIGKILL leaves no tree, and the next run cleans up and succeeds', async () => {
    const { path, reached } = await hangingSync();
    await writeFile(archive, makeTar(good));
    const script = join(import.meta.dirname, 'extract-one.test.support.ts');
    const child = spawn(process.execPath, ['--import', 'jiti/register', script, archive, directory], {
      env: { PATH: path },
      cwd: import.meta.dirname,
      stdio: 'inherit',
    });
    await vi.waitFor(() => stat(reached), { timeout: 30_000 });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect(await readdir(join(root, 'src'))).toEqual([expect.stringMatching(/^thing-1\.0\.partial-/)]);
    await extractRelease({ archive, sha256: sum(), directory, exclude: [] }, deps());
    expect(await readdir(join(root, 'src'))).toEqual(['thing-1.0']);
    expect(await read('readme')).toBe('hello');
  });
});

describe('a Debian package', () => {
  const content: readonly MadeEntry[] = [
    { path: './', type: 'Directory' },
    { path: './usr/bin/tool', content: 'tool', mode: 0o4755 },
    { path: './usr/bin/also', type: 'SymbolicLink', linkpath: 'tool' },
  ];

  it.each(['xz', 'zstd', 'gzip'])('is unpacked without root (%s)', async (program) => {
    await writeFile(archive, makeDeb(content, program));
    await extractDebianPackage({ archive, sha256: sum(), directory }, deps());
    expect(await read('usr/bin/also')).toBe('tool');
    const { mode, mtimeMs } = await stat(join(directory, 'usr/bin/tool'));
    expect(mode & 0o7777).toBe(0o755 & ~process.umask());
    expect(mtimeMs).toBe(MTIME * 1000);
    expect(await readdir(join(root, 'src'))).toEqual(['thing-1.0']);
  });

  it.each([
    ['no ar archive', Buffer.from('something else'), /not a Debian package: ar: .*format not recognized/],
    ['cut off', makeDeb(content).subarray(0, -20), /not a Debian package: ar: /],
    ['without data', makeAr({ 'debian-binary': Buffer.from('2.0\n') }), /expected a member data\.tar/],
    ['with unreadable data', makeAr({ 'data.tar.xz': Buffer.from('nonsense') }), /is no archive/],
  ])('refuses a file that is not one: %s', async (_what, data, message) => {
    await writeFile(archive, data);
    const error = await failureOf(extractDebianPackage({ archive, sha256: sum(), directory }, deps()));
    expect(error).toMatchObject({ code: 'extract-failed' });
    expect(String(error)).toMatch(message);
    expect(await readdir(join(root, 'src'))).toEqual([]);
  });
});
