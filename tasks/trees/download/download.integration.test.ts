// SPDX-License-Identifier: MIT
import { execFile, type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { baseEnvironment } from '../../../lib/environment.js';
import { createProcesses } from '../../../lib/process/process.js';
import { failureOf } from '../failure.test.support.js';
import {
  download,
  type DownloadDeps,
  type Downloaded,
  type DownloadRequest,
  type ArchiveMirror,
} from './download.js';
import {
  file,
  type FileOptions,
  type FlakyServer,
  redirect,
  silent,
  startFlakyServer,
  status,
} from './flaky-server.test.support.js';

const run = promisify(execFile);
const content = randomBytes(3_000_000);
const sha256 = sum(content);
const processes = createProcesses();

let server: FlakyServer;
let directory: string;
let cache: string;
let log: string[];
let sleeps: number[];

beforeEach(async () => {
  server = await startFlakyServer();
  directory = await mkdtemp(join(tmpdir(), 'stopwatch-download-'));
  cache = join(directory, 'cache');
  log = [];
  sleeps = [];
});
afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

function sum(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function mirror(path: string, expected = sha256): ArchiveMirror {
  return { url: server.url + path, sha256: expected };
}

function request(mirrors: readonly ArchiveMirror[], more: Partial<DownloadRequest> = {}): DownloadRequest {
  return { what: 'Thing 1.0', mirrors, cache, stallSeconds: 20, tries: 4, offline: false, ...more };
}

function deps(more: Partial<DownloadDeps> = {}): DownloadDeps {
  return {
    processes,
    signal: new AbortController().signal,
    env: baseEnvironment(),
    proxyEnv: {},
    onProgress: () => undefined,
    log: (line) => log.push(line),
    notice: (line) => log.push(line),
    sleep: async (ms) => void sleeps.push(ms),
    random: () => 1,
    ...more,
  };
}

const get = (mirrors: readonly ArchiveMirror[], more: Partial<DownloadRequest> = {}) =>
  download(request(mirrors, more), deps());
/** Resolves when the partial file has this size. */
const kept = (bytes: number) =>
  vi.waitFor(async () => expect((await stat(join(cache, 'downloads', 'partial', sha256))).size).toBe(bytes), {
    timeout: 30_000,
  });
/** Serves a file and breaks the connection once `after` bytes of the answer have been kept. */
const cut = (data: Buffer, after: number, options: FileOptions = {}) =>
  file(data, { ...options, cutAfter: after, kept });
const ranges = () => server.asked.map((asked) => asked.range);
const partials = () => readdir(join(cache, 'downloads', 'partial'));

async function fakeApt(targets: string, settings = ''): Promise<Readonly<Record<string, string>>> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  for (const [name, printed] of [
    ['apt-get', targets],
    ['apt-config', settings],
  ] as const) {
    await writeFile(join(bin, name), `#!/bin/sh\ncat <<'EOF'\n${printed}\nEOF\n`);
    await chmod(join(bin, name), 0o755);
  }
  const env = baseEnvironment();
  return { ...env, PATH: `${bin}:${env['PATH'] ?? ''}` };
}

function start(what: DownloadRequest): ChildProcess {
  const script = join(import.meta.dirname, 'download-one.test.support.ts');
  const args = ['--import', 'jiti/register', script, JSON.stringify(what)];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: import.meta.dirname });
}

async function output(child: ChildProcess): Promise<Downloaded> {
  let text = '';
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return JSON.parse(text);
}

describe('a good server', () => {
  it('gives the verified file under its name, with progress, and is not asked again', async () => {
    server.on('/thing-1.0.tar.xz', file(content));
    const progress: (readonly [number, number | undefined])[] = [];
    const mirrors = [mirror('/thing-1.0.tar.xz')];
    const onProgress = (done: number, total: number | undefined) => void progress.push([done, total]);
    const first = await download(request(mirrors), deps({ onProgress }));
    expect(first).toEqual({
      file: join(cache, 'downloads', sha256, 'thing-1.0.tar.xz'),
      sha256,
      mirror: mirrors[0],
      from: 'network',
    });
    expect(sum(await readFile(first.file))).toBe(sha256);
    expect(progress[0]).toEqual([0, content.length]);
    expect(progress.at(-1)).toEqual([content.length, content.length]);
    expect(await partials()).toEqual([]);
    expect(await get(mirrors)).toEqual({ ...first, from: 'cache' });
    expect(await get(mirrors, { offline: true })).toEqual({ ...first, from: 'cache' });
    expect(server.asked).toHaveLength(1);
  });

  it('is followed through redirects', async () => {
    server.on('/a', redirect('/b'));
    server.on('/b', redirect('/c'));
    server.on('/c', file(content));
    expect((await get([mirror('/a')])).from).toBe('network');
  });

  it('may say no length', async () => {
    server.on('/thing', file(content, { noLength: true }));
    expect((await get([mirror('/thing')])).from).toBe('network');
  });
});

describe('a cache that was spoilt', () => {
  it('is not believed', async () => {
    server.on('/thing', file(content));
    const { file: path } = await get([mirror('/thing')]);
    await writeFile(path, 'something else');
    expect((await get([mirror('/thing')])).from).toBe('network');
    expect(sum(await readFile(path))).toBe(sha256);
  });
});

describe('resuming', () => {
  it('goes on where the connection broke', async () => {
    server.on('/thing', cut(content, 1_000_000), file(content));
    await get([mirror('/thing')]);
    expect(ranges()).toEqual([undefined, 'bytes=1000000-']);
    expect(server.asked[1]?.sent).toBe(2_000_000);
  });

  it('goes on at another mirror of the same file', async () => {
    server.on('/a', cut(content, 1_000_000), status(404));
    server.on('/b', file(content));
    await get([mirror('/a'), mirror('/b')]);
    expect(server.asked.map(({ path, range }) => [path, range])).toEqual([
      ['/a', undefined],
      ['/a', 'bytes=1000000-'],
      ['/b', 'bytes=1000000-'],
    ]);
  });

  it('starts again where the server takes no notice of Range', async () => {
    server.on('/thing', cut(content, 1000), file(content, { ignoreRange: true }));
    await get([mirror('/thing')]);
    expect(server.asked.map((asked) => asked.sent)).toEqual([1000, content.length]);
  });

  it('starts again where the server answers with another part', async () => {
    server.on('/thing', cut(content, 1000), file(content, { rangeOffset: 5 }), file(content));
    await get([mirror('/thing')]);
    expect(ranges()).toEqual([undefined, 'bytes=1000-', undefined]);
    expect(log.join('\n')).toContain('another part of the file');
  });

  it('discards a part of another file and begins once more from zero', async () => {
    server.on('/thing', cut(randomBytes(1000), 1000, { contentLength: content.length }), file(content));
    await get([mirror('/thing')]);
    expect(ranges()).toEqual([undefined, 'bytes=1000-', undefined]);
  });

  it('starts again where the part is longer than the file', async () => {
    const long = randomBytes(4_000_000);
    server.on('/thing', cut(long, 3_500_000), file(content));
    await get([mirror('/thing')]);
    expect(ranges()).toEqual([undefined, 'bytes=3500000-', undefined]);
  });

  it('counts only tries that gain little', async () => {
    server.on('/thing', ...[1, 2].map(() => cut(content, 1_048_576)), file(content));
    await get([mirror('/thing')], { tries: 2 });
    expect(ranges()).toEqual([undefined, 'bytes=1048576-', 'bytes=2097152-']);
  });

  it('asks for nothing when all of it had arrived', async () => {
    server.on('/thing', cut(content, 1000), status(404));
    const mirrors = [mirror('/thing')];
    await expect(get(mirrors)).rejects.toMatchObject({ code: 'download-failed' });
    await writeFile(join(cache, 'downloads', 'partial', sha256), content);
    expect((await get(mirrors)).from).toBe('network');
    expect(server.asked).toHaveLength(2);
  });
});

describe('trying again', () => {
  it('waits longer each time after 500, and as long as the server asks', async () => {
    server.on('/thing', status(500), status(500), status(503, { 'retry-after': '7' }), file(content));
    await get([mirror('/thing')]);
    expect(sleeps).toEqual([500, 1000, 7000]);
  });

  it('gives up after the configured number of tries and takes the next mirror', async () => {
    server.on('/bad', status(502));
    server.on('/good', file(content));
    const { mirror: taken } = await get([mirror('/bad', sum(Buffer.from('x'))), mirror('/good')], {
      tries: 3,
    });
    expect(taken).toEqual(mirror('/good'));
    expect(server.asked.map((asked) => asked.path)).toEqual(['/bad', '/bad', '/bad', '/good']);
  });

  it.each([
    ['before its answer', silent],
    ['in the middle', file(content, { stallAfter: 5000 })],
  ])('gives up on a server that stalls %s', async (_where, stalling) => {
    server.on('/thing', stalling, file(content));
    await get([mirror('/thing')], { stallSeconds: 0.3 });
    expect(server.asked).toHaveLength(2);
    expect(log.join('\n')).toContain('it sent nothing for 0.3 s');
  });

  it('goes on after a length that was too great', async () => {
    server.on('/thing', cut(content, content.length, { contentLength: content.length + 10 }), file(content));
    await get([mirror('/thing')]);
    // All of it was there: found without another request.
    expect(server.asked).toHaveLength(1);
  });
});

describe('the next mirror', () => {
  it.each([
    ['404', status(404)],
    ['403', status(403)],
    ['a redirect loop', redirect('/bad')],
    ['a redirect to no web address', redirect('ftp://127.0.0.1/thing')],
    ['another file', file(randomBytes(1000))],
    ['a length that was too small', file(content, { contentLength: 1000 })],
  ])('is taken at once after %s', async (_what, bad) => {
    server.on('/bad', bad);
    server.on('/good', file(content));
    expect((await get([mirror('/bad'), mirror('/good')])).from).toBe('network');
    expect(sleeps).toEqual([]);
  });

  it.each(['http://127.0.0.1:1/thing', 'http://host.invalid/thing'])(
    'is taken at once after %s',
    async (url) => {
      server.on('/good', file(content));
      expect((await get([{ url, sha256 }, mirror('/good')])).from).toBe('network');
      expect(sleeps).toEqual([]);
    },
  );
});

describe('failure', () => {
  it('lists each mirror with its reason, and how to help oneself', async () => {
    server.on('/a/thing.tar', status(403));
    const other = sum(Buffer.from('other'));
    server.on('/b/thing.tar', file(content, { type: 'text/html' }));
    const error = await failureOf(get([mirror('/a/thing.tar'), mirror('/b/thing.tar', other)]));
    expect(error).toMatchObject({ code: 'download-failed' });
    const { message, hint } = error;
    expect(message).toContain(`${server.url}/a/thing.tar: it answered with HTTP status 403`);
    expect(message).toContain(`${server.url}/b/thing.tar: expected sha256 ${other}, got sha256 ${sha256}`);
    expect(message).toContain('a web page?');
    expect(hint).toContain(join(cache, 'downloads'));
    expect(hint).toContain(`thing.tar (sha256 ${other})`);
  });

  it('is a mismatch when every mirror had another file, and keeps nothing', async () => {
    server.on('/thing', file(Buffer.from('other')));
    await expect(get([mirror('/thing')])).rejects.toMatchObject({ code: 'checksum-mismatch' });
    expect(await partials()).toEqual([]);
    expect(await readdir(join(cache, 'downloads'))).toEqual(['locks', 'partial']);
  });

  it('does not show the password of an address', async () => {
    const url = server.url.replace('//', '//user:secret@');
    const error = await failureOf(get([{ url: `${url}/thing`, sha256 }]));
    expect(String(error)).toContain('HTTP status 404');
    expect(JSON.stringify([error, String(error), log])).not.toContain('secret');
  });

  it('is an interrupt when aborted, and keeps the part', async () => {
    server.on('/thing', file(content, { stallAfter: 5000 }));
    const controller = new AbortController();
    const running = download(request([mirror('/thing')]), deps({ signal: controller.signal }));
    const partial = join(cache, 'downloads', 'partial', sha256);
    await kept(5000);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect((await stat(partial)).size).toBe(5000);
  });

  it('is a lack of permission where the cache cannot be written', async () => {
    await writeFile(cache, 'a file in the mirror of the directory');
    await expect(get([mirror('/thing')])).rejects.toThrow(/EEXIST|ENOTDIR/);
    // root may write anywhere: only for others.
    if (process.getuid?.() === 0) return;
    await rm(cache);
    await mkdir(cache, { mode: 0o500 });
    await expect(get([mirror('/thing')])).rejects.toMatchObject({ code: 'EACCES' });
  });

  it('is a full disk where there is no room', async (context) => {
    await mkdir(cache);
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', cache]).catch(
      () => undefined,
    );
    context.skip(mounted === undefined, 'needs the right to mount');
    try {
      server.on('/thing', file(content));
      await expect(get([mirror('/thing'), mirror('/other')])).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(server.asked).toHaveLength(1);
    } finally {
      await run('umount', [cache]);
    }
  });
});

describe('by hand and offline', () => {
  it('says where to put the file', async () => {
    const error = await failureOf(get([mirror('/dir/thing%2B1.tar')], { offline: true }));
    expect(error).toMatchObject({ code: 'offline' });
    expect(error.hint).toContain(`thing+1.tar (sha256 ${sha256})`);
    expect(server.asked).toEqual([]);
  });

  it('takes a file that was put there, after verifying it', async () => {
    await mkdir(join(cache, 'downloads'), { recursive: true });
    await writeFile(join(cache, 'downloads', 'thing.tar'), content);
    const result = await get([mirror('/x/thing.tar')], { offline: true });
    expect(result.from).toBe('hand');
    expect(sum(await readFile(result.file))).toBe(sha256);
  });

  it('refuses another file offline, and does not use it online', async () => {
    const byHand = join(cache, 'downloads', 'thing.tar');
    await mkdir(join(cache, 'downloads'), { recursive: true });
    await writeFile(byHand, 'other');
    server.on('/thing.tar', file(content));
    const mirrors = [mirror('/thing.tar')];
    const error = await failureOf(get(mirrors, { offline: true }));
    expect(error).toMatchObject({ code: 'checksum-mismatch' });
    expect(String(error)).toContain(`expected sha256 ${sha256}, got ${sum(Buffer.from('other'))}`);
    expect((await get(mirrors)).from).toBe('network');
    expect(await readFile(byHand, 'utf8')).toBe('other');
  });
});

describe('the Debian archive', () => {
  const mirrors: readonly ArchiveMirror[] = [{ debian: 'pool/main/t/thing/thing_1+ds.tar.xz', sha256 }];

  it('is found through apt; several are tried, security archives last', async () => {
    server.on('/good/pool/main/t/thing/thing_1%2Bds.tar.xz', file(content));
    const env = await fakeApt(
      [`${server.url}/debian-security/ x-security`, `${server.url}/bad x`, `${server.url}/good/ x`].join(
        '\n',
      ),
    );
    const result = await download(request(mirrors), deps({ env }));
    expect(result.file.endsWith('/thing_1+ds.tar.xz')).toBe(true);
    expect(server.asked.map((asked) => asked.path.split('/')[1])).toEqual(['bad', 'good']);
  });

  it('is asked through the proxy of apt', async () => {
    server.on('http://archive.invalid/x/pool/main/t/thing/thing_1%2Bds.tar.xz', file(content));
    const env = await fakeApt('http://archive.invalid/x/ stable', `Acquire::http::Proxy "${server.url}/";`);
    expect((await download(request(mirrors), deps({ env }))).from).toBe('network');
  });

  it('is skipped without apt', async () => {
    const env = { PATH: join(directory, 'empty') };
    // flock is needed all the same, so only the search for apt sees this PATH.
    const error = await failureOf(download(request(mirrors), deps({ env })));
    expect(error).toMatchObject({ code: 'download-failed' });
    expect(String(error)).toContain('skipped, this host has no apt');
  });
});

describe('proxies from the environment', () => {
  it('are used for http, but not for exempt hosts', async () => {
    server.on('http://far.invalid/thing', file(content));
    const proxyEnv = { http_proxy: server.url, no_proxy: '127.0.0.1' };
    const far = { url: 'http://far.invalid/thing', sha256 };
    expect((await download(request([far]), deps({ proxyEnv }))).from).toBe('network');
    server.on('/near', file(content));
    await rm(cache, { recursive: true });
    expect((await download(request([mirror('/near')]), deps({ proxyEnv }))).from).toBe('network');
  });

  it('that cannot be used are named as the reason', async () => {
    const proxyEnv = { http_proxy: 'socks5://me:secret@127.0.0.1:1' };
    const error = await failureOf(download(request([mirror('/x')]), deps({ proxyEnv })));
    expect(String(error)).toContain('the proxy socks5://…@127.0.0.1:1 is not an http or https address');
  });
});

describe('several processes', () => {
  it('wait for each other with a lock whose flock is a process of the task', async () => {
    server.on('/thing', file(content));
    const started: string[] = [];
    const recording: typeof processes.run = async (command, options) => {
      started.push(command.file);
      return processes.run(command, options);
    };
    await download(request([mirror('/thing')]), deps({ processes: { ...processes, run: recording } }));
    expect(started).toContain('flock');
  });

  it('download one file once', async () => {
    server.on('/thing', file(content));
    const what = request([mirror('/thing')]);
    const results = await Promise.all([start(what), start(what), start(what)].map(output));
    expect(server.asked).toHaveLength(1);
    const path = join(cache, 'downloads', sha256, 'thing');
    expect(results).toEqual([1, 2, 3].map(() => expect.objectContaining({ file: path })));
    expect(results.filter((result) => result.from === 'network')).toHaveLength(1);
  });

  it('go on from what one that was killed has left', async () => {
    server.on('/thing', file(content, { stallAfter: 2_000_000 }), file(content));
    const what = request([mirror('/thing')]);
    const child = start(what);
    await kept(2_000_000);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    expect((await get(what.mirrors)).from).toBe('network');
    expect(server.asked.map((asked) => asked.sent)).toEqual([2_000_000, 1_000_000]);
  });
});
