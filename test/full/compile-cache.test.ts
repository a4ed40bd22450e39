// SPDX-License-Identifier: MIT
/** The kernel, compiled in one directory, comes out of a real Redis and a real nginx in another one. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BUILD, type Server, startNginx, startRedis } from '../support/cache-servers.js';
import { laboratory, progress } from '../e2e/laboratory.js';
import { environment, type Project, projectIn } from '../e2e/project.js';

const { project: first, directory: place } = laboratory();
let scratch: string;
let second: Project;
let redis: Server;
let nginx: Server;

beforeAll(async () => {
  scratch = join(place, 'cache');
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  const directory = join(scratch, 'another-place', 'project');
  cpSync(first.directory, directory, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== first.work,
  });
  second = projectIn(directory, environment(join(scratch, 'tmp'), join(scratch, 'ccache')));
  redis = await startRedis(join(scratch, 'redis'));
  nginx = await startNginx(join(scratch, 'nginx'));
});
afterAll(async () => {
  await redis?.stop();
  await nginx?.stop();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
});

const remote = ({ address }: Server): Record<string, string> => ({
  STOPWATCH_CACHE_REMOTE: address,
  STOPWATCH_CACHE_USER: BUILD.user,
  STOPWATCH_CACHE_PASSWORD: BUILD.password,
});
/** Results that the local cache has are written too: so nothing need be compiled for a server to fill. */
const RESHARE = { CCACHE_RESHARE: 'true' };

/** Compiles the whole kernel with the driver, and says what came from where. */
async function kernel(project: Project, env: Readonly<Record<string, string>>) {
  rmSync(join(project.work, 'build', 'linux'), { recursive: true, force: true });
  const { code, err, events, out } = await project.events(['module'], { env });
  expect(code, err).toBe(0);
  const caches = events.flatMap((event) => (event.type === 'compile-cache' ? [event.cache] : []));
  const [cache] = caches;
  if (cache?.remote == null || caches.length !== 1)
    throw new Error(`Expected figures of a shared cache:\n${out}`);
  progress(`ccache: ${JSON.stringify(cache)}`);
  const notices = events.flatMap((event) => (event.type === 'notice' ? [event.text] : []));
  expect(notices.filter((text) => text.includes('compile cache'))).toEqual([]);
  expect(out + err).not.toContain(BUILD.password);
  return { ...cache, remote: cache.remote, share: cache.hits / (cache.hits + cache.misses) };
}

test('Redis: what one directory has compiled, another one with an empty local cache takes from there', async () => {
  const filled = await kernel(first, { ...remote(redis), ...RESHARE });
  expect(filled.remote.written).toBeGreaterThan(500);
  expect(filled.remote).toMatchObject({ errors: 0 });

  const spy = new Spy(second);
  const { share, remote: used } = await kernel(second, remote(redis));
  const seen = spy.stop();
  expect(share).toBeGreaterThanOrEqual(0.95);
  expect(used.hits).toBeGreaterThan(500);
  expect(used).toMatchObject({ place: redis.address, errors: 0 });

  // No tool that ran meanwhile got the password or the server's address.
  expect(seen.compilers).toBeGreaterThan(0);
  expect(seen.leaks).toEqual([]);
  expect(filesWith(second.work, BUILD.password)).toEqual([]);
});

test('another server, other credentials or none at all: nothing is stale', async () => {
  const stale = async (env: Readonly<Record<string, string>>): Promise<string[]> =>
    [...(await second.status(env))].flatMap(([name, { fresh }]) =>
      /^(linux|driver):/.test(name) && !fresh ? [name] : [],
    );
  expect(await stale({})).toEqual([]);
  expect(await stale({ ...remote(nginx), STOPWATCH_CACHE_PASSWORD: 'another' })).toEqual([]);
  const { code, out } = await second.stopwatch(['status', '--json'], { env: remote(nginx) });
  expect(code).toBe(0);
  expect(out).toContain(nginx.address);
  expect(out).not.toContain(BUILD.password);
});

test('nginx: the same', async () => {
  const filled = await kernel(second, { ...remote(nginx), ...RESHARE });
  expect(filled.remote.written).toBeGreaterThan(500);
  rmSync(join(scratch, 'ccache'), { recursive: true, force: true });
  const { share, remote: used } = await kernel(second, remote(nginx));
  expect(share).toBeGreaterThanOrEqual(0.95);
  expect(used.hits).toBeGreaterThan(500);
  expect(used).toMatchObject({ place: nginx.address, errors: 0 });
});

/** Looks at the environment and the arguments of all that a project runs, but for the tool itself. */
class Spy {
  private readonly leaks = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly project: Project) {
    mkdirSync(project.env['TMPDIR'] ?? '', { recursive: true });
    this.timer = setInterval(() => this.look(), 50);
  }

  stop(): { readonly compilers: number; readonly leaks: readonly string[] } {
    clearInterval(this.timer);
    return { compilers: this.seen.size, leaks: [...this.leaks] };
  }

  private look(): void {
    for (const line of this.project.alive()) {
      const [pid = '', program = ''] = line.split(' ');
      if (program.endsWith('node')) continue;
      try {
        const given = readFileSync(`/proc/${pid}/environ`, 'latin1') + line;
        if (program.includes('gcc') || program.endsWith('ccache')) this.seen.add(pid);
        if (given.includes(BUILD.password) || given.includes(redis.address)) this.leaks.add(line);
      } catch {
        // It has just ended.
      }
    }
  }
}

/** Files in the work directory, but for sources and objects, that hold a text. */
function filesWith(work: string, text: string): string[] {
  return readdirSync(work, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\/(src|build)(\/|$)/.test(entry.parentPath.slice(work.length)))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, 'latin1').includes(text));
}
