// SPDX-License-Identifier: MIT
/** The compiler cache of one run: what ccache is told of it, the shared cache behind it, and what both did. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema.js';
import type { CompileCacheUse } from '../engine/events.js';
import { parseRemote, type RemoteAddress } from './address.js';
import { GuardedStore } from './guarded-store.js';
import { type Relay, startRelay } from './relay.js';
import { parseStatsLog } from './statistics.js';
import { connectStore, type Credentials, type RemoteStore } from './store.js';

/** `sun_path` is 108 bytes on Linux and 104 on macOS, with the NUL that ends it. */
const LONGEST_SOCKET_PATH = 103;
/** How long the end of a run waits for what is still to be written to the shared cache. */
const LAST_WRITES_MS = 5000;

export interface CompileCacheOptions {
  readonly settings: Config['cache'];
  readonly work: string;
  /** Jobs at once of the build. */
  readonly jobs: number;
  readonly credentials: Credentials;
  readonly warn: (text: string) => void;
  /** What the installed ccache can do, as `ccache --version` says; asked once, and only for a shared cache. */
  readonly features: () => Promise<string>;
}

export interface CompileCache {
  /** For every tool of the run. Nothing in it changes what is built, so none of it is in a fingerprint. */
  readonly env: Readonly<Record<string, string>>;
  /** Before anything is compiled, by who holds the work directory. */
  start(): void;
  /** What was done since the start; undefined when nothing was compiled through ccache. */
  use(): CompileCacheUse | undefined;
  /** By who still holds the work directory: nothing is compiled any more. */
  stop(): void;
  /** Waits some seconds for the last writes, unless `hurry`. */
  finish(options: { readonly hurry: boolean }): Promise<void>;
}

/** `settings.remote` must be an address that the schema has let through. */
export async function createCompileCache(options: CompileCacheOptions): Promise<CompileCache> {
  const { settings, work } = options;
  const log = join(work, 'run', 'ccache.log');
  const address = settings.remote === null ? undefined : parseRemote(settings.remote);
  const remote =
    address !== undefined && (await canRelay(options)) ? await connected(address, options) : undefined;
  let relay: Relay | undefined;
  let counted: CompileCacheUse | undefined;

  let isStarted = false;

  const use = (): CompileCacheUse | undefined => {
    if (!isStarted) return undefined;
    const local = parseStatsLog(textOf(log));
    if (local.hits + local.misses + local.errors === 0) return undefined;
    if (remote === undefined || address === undefined) return { ...local, remote: null };
    return { ...local, remote: { place: address.shown, ...remote.guarded.use } };
  };

  return {
    env: {
      CCACHE_STATSLOG: log,
      ...(remote === undefined ? {} : { CCACHE_REMOTE_STORAGE: remote.forCcache }),
    },
    start() {
      mkdirSync(dirname(log), { recursive: true });
      rmSync(log, { force: true });
      counted = undefined;
      isStarted = true;
      if (remote === undefined) return;
      try {
        relay = startRelay(remote.socket, remote.guarded);
      } catch (error) {
        options.warn(
          `The shared compile cache is left out: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
    use: () => counted ?? use(),
    stop() {
      relay?.close();
      relay = undefined;
      counted = use();
    },
    async finish({ hurry }) {
      relay?.close();
      await remote?.guarded.close(hurry ? 0 : LAST_WRITES_MS);
      if (remote !== undefined && remote.directory !== undefined)
        rmSync(remote.directory, { recursive: true, force: true });
      if (counted?.remote && remote !== undefined)
        counted = { ...counted, remote: { ...counted.remote, ...remote.guarded.use } };
    },
  };
}

interface Remote {
  readonly guarded: GuardedStore;
  readonly socket: string;
  /** To be removed at the end; undefined where the socket is in the work directory. */
  readonly directory: string | undefined;
  /** ccache's own words for the socket. */
  readonly forCcache: string;
}

async function connected(
  address: RemoteAddress,
  { settings, work, jobs, credentials, warn }: CompileCacheOptions,
): Promise<Remote> {
  const guarded = new GuardedStore(new LazyStore(address, credentials), {
    place: address.shown,
    jobs,
    timeoutMs: settings.timeoutSeconds * 1000,
    readOnly: settings.readOnly,
    warn,
  });
  const inWork = join(work, 'run', 'ccache.sock');
  // ccache takes it as a part of an address.
  const fits = Buffer.byteLength(inWork) <= LONGEST_SOCKET_PATH && /^[\w/.+,=@-]+$/.test(inWork);
  const directory = fits ? undefined : join(tmpdir(), `stopwatch-${randomUUID().slice(0, 8)}`);
  const socket = directory === undefined ? inWork : join(directory, 'ccache.sock');
  const attributes = ['connect-timeout=5000', 'operation-timeout=60000'];
  if (settings.readOnly) attributes.push('read-only');
  return { guarded, socket, directory, forCcache: [`redis+unix:${socket}`, ...attributes].join('|') };
}

/** Whether the installed ccache can call a Redis on a socket: from 4.7 on, where it was built with it. */
async function canRelay({ features, warn }: CompileCacheOptions): Promise<boolean> {
  const said = await features();
  if (/redis\+unix-storage/.test(said)) return true;
  const [version = ''] = said.split('\n', 1);
  warn(
    `The shared compile cache (cache.remote) is left out: expected ccache 4.7 or newer with redis+unix-storage, got ${version || 'none'}`,
  );
  return false;
}

/** Nothing is loaded, and nobody called, before something is compiled. */
class LazyStore implements RemoteStore {
  private store: Promise<RemoteStore> | undefined;

  constructor(
    private readonly address: RemoteAddress,
    private readonly credentials: Credentials,
  ) {}

  async probe(signal: AbortSignal): Promise<void> {
    await (await this.connected()).probe(signal);
  }
  async get(key: string, signal: AbortSignal): Promise<Buffer | undefined> {
    return (await this.connected()).get(key, signal);
  }
  async put(key: string, value: Buffer, signal: AbortSignal): Promise<void> {
    await (await this.connected()).put(key, value, signal);
  }
  close(): void {
    void this.store?.then((store) => store.close());
  }

  private connected(): Promise<RemoteStore> {
    this.store ??= connectStore(this.address, this.credentials);
    return this.store;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
