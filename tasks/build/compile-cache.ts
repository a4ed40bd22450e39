// SPDX-License-Identifier: MIT
/** The compiler cache of one run: ccache's configuration, the server behind it, and their statistics. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { errnoOf } from '../../lib/errno.js';
import type { Processes } from '../../lib/process/process.js';
import { CREDENTIAL_VARIABLES, crossesNetwork } from '../config/cache-address.js';
import type { Config } from '../config/schema.js';
import type { CompileCacheUse } from '../engine/events.js';

interface CompileCacheOptions {
  readonly settings: Config['cache'];
  readonly work: string;
  /** The user's environment: the server's credentials are in it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Environment of the tools. */
  readonly toolEnv: Readonly<Record<string, string>>;
  readonly processes: Processes;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
}

export interface CompileCache {
  /** Environment of the tools, with ccache's variables. It changes nothing that is built, so it is in no fingerprint. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Call with the work directory locked, before any task runs. Writes ccache's configuration; with `checkServer`,
   * asks the server once for the whole run. Without it, the run does not use the server.
   */
  start(checkServer: boolean): Promise<void>;
  /** Call when nothing is compiled any more, with the work directory still locked. */
  stop(): void;
  /** What was counted so far in this run. Undefined when nothing was compiled through ccache. */
  use(): CompileCacheUse | undefined;
}

export function createCompileCache(options: CompileCacheOptions): CompileCache {
  const { settings, work, toolEnv, signal, warn } = options;
  const log = join(work, 'run', 'ccache.log');
  const configFile = join(work, 'run', 'ccache.conf');
  const { remote } = settings;
  let isStarted = false;
  let counted: CompileCacheUse | undefined;
  // Before the start the log is that of an earlier run.
  const count = () => (isStarted ? parseStatsLog(textOf(log), remote) : counted);

  // The environment would win over the configuration file.
  const { CCACHE_REMOTE_STORAGE: _, ...others } = toolEnv;
  return {
    env:
      remote === null
        ? { ...toolEnv, CCACHE_STATSLOG: log }
        : { ...others, CCACHE_STATSLOG: log, CCACHE_CONFIGPATH: configFile },
    async start(checkServer) {
      isStarted = true;
      counted = undefined;
      mkdirSync(dirname(log), { recursive: true });
      rmSync(log, { force: true });
      rmSync(configFile, { force: true });
      if (remote === null) return;
      const lines = await userSettings(options);
      const storage = checkServer
        ? await remoteStorage(remote, options).catch((error: unknown) => {
            const { message, code } = errnoOf(error);
            if (!signal.aborted)
              warn(`Building without the shared compile cache ${remote}: ${message || code}`);
          })
        : undefined;
      if (storage !== undefined) {
        lines.push(`remote_storage = ${storage}`);
        if (crossesNetwork(remote))
          warn(
            `The shared compile cache ${remote} has no TLS: on a network that is not yours alone, others can change what is built`,
          );
      }
      writeFileSync(configFile, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
    },
    stop() {
      rmSync(configFile, { force: true });
      counted = count();
      isStarted = false;
    },
    use: () => counted ?? count(),
  };
}

/** CCACHE_CONFIGPATH replaces the user's own configuration, so what that sets is copied. */
async function userSettings(options: CompileCacheOptions): Promise<string[]> {
  const shown = await ccache(options, '--show-config');
  return shown.split('\n').flatMap((line) => {
    const [, origin = '', key = '', value = ''] = /^\((.*?)\) (\w+) = (.*)$/.exec(line) ?? [];
    if (!origin.startsWith('/') || key === 'remote_storage') return [];
    return [`${key} = ${value}`];
  });
}

/** ccache's own setting for a server that answers. Throws what is wrong with the server. */
async function remoteStorage(remote: string, options: CompileCacheOptions): Promise<string> {
  const { readOnly, timeoutSeconds } = options.settings;
  const url = new URL(remote);
  const version = await ccache(options, '--version');
  // ccache takes an unknown scheme for a fatal error.
  if (!version.includes(` ${url.protocol.slice(0, -1)}-storage`))
    throw new Error(`expected ccache 4.7 or newer, got ${version.split('\n', 1)[0] || 'no version'}`);

  const [user, password, token] = CREDENTIAL_VARIABLES.map((name) => options.environment[name] || undefined);
  const isHttp = url.protocol === 'http:';
  // ccache takes whole milliseconds only.
  const timeoutMs = Math.round(timeoutSeconds * 1000);
  const timeout = AbortSignal.any([options.signal, AbortSignal.timeout(timeoutMs)]);
  const started = performance.now();
  const check = isHttp
    ? checkHttp(url, token ? `Bearer ${token}` : basic(user, password), timeout)
    : checkRedis(url, password === undefined ? [] : [['AUTH', user ?? 'default', password]], timeout);
  await check.catch((error: unknown) => {
    throw timeout.aborted ? new Error(`no answer within ${timeoutSeconds} s`) : error;
  });
  const tookMs = performance.now() - started;

  const attributes = [
    // ccache's default of 100 ms, and more for a server that is far away. Each compilation connects by itself.
    `connect-timeout=${Math.min(timeoutMs, Math.max(100, Math.ceil(5 * tookMs)))}`,
    `operation-timeout=${timeoutMs}`,
    ...(readOnly ? ['read-only'] : []),
    ...(isHttp && token ? [`bearer-token=${encodeURIComponent(token)}`] : []),
  ];
  const secret =
    password === undefined || (isHttp && token)
      ? ''
      : `${encodeURIComponent(user ?? (isHttp ? '' : 'default'))}:${encodeURIComponent(password)}@`;
  const address =
    url.protocol === 'redis+unix:'
      ? `redis+unix:${secret === '' ? '' : `//${secret}localhost`}${url.pathname}${url.search}`
      : remote.replace('://', `://${secret}`);
  return [address, ...attributes].join('|');
}

function basic(user = '', password: string | undefined): string | undefined {
  return password === undefined
    ? undefined
    : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Asks for an entry that is not there. */
async function checkHttp(url: URL, authorization: string | undefined, signal: AbortSignal): Promise<void> {
  const status = await new Promise<number>((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const request = get(
      `${url.href.replace(/\/$/, '')}/check`,
      { headers, signal, agent: false },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    request.on('error', reject);
  });
  if (status === 200 || status === 404) return;
  const hint = status === 401 || status === 403 ? `; ${CREDENTIALS_HINT}` : '';
  throw new Error(`it answered with HTTP ${status}${hint}`);
}

const CREDENTIALS_HINT = `check ${CREDENTIAL_VARIABLES.join(', ')}`;

/** Sends the commands and a PING; each answer is one line. */
async function checkRedis(url: URL, login: readonly string[][], signal: AbortSignal): Promise<void> {
  const database = url.searchParams.get('db') ?? (url.hostname === '' ? '' : url.pathname.slice(1));
  const select = database === '' || database === '0' ? [] : [['SELECT', database]];
  const commands = [...login, ...select, ['PING']];
  const socket = connect(
    url.hostname === '' ? { path: url.pathname } : { host: url.hostname, port: Number(url.port || 6379) },
  );
  const abort = (): void => void socket.destroy(new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (const words of commands)
      socket.write(
        `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
      );
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      const [refusal] = /^-.*(?=\r\n)/m.exec(text) ?? [];
      if (refusal !== undefined) {
        const isAccess = /WRONGPASS|NOPERM|AUTH/.test(refusal);
        throw new Error(`Redis said: ${refusal.slice(1)}${isAccess ? `; ${CREDENTIALS_HINT}` : ''}`);
      }
      if (text.endsWith('+PONG\r\n')) return;
      if (!/^(\+|$)/.test(text)) throw new Error('it does not speak the protocol of Redis');
    }
    throw new Error('it closed the connection');
  } finally {
    signal.removeEventListener('abort', abort);
    socket.destroy();
  }
}

async function ccache({ processes, toolEnv, signal }: CompileCacheOptions, flag: string): Promise<string> {
  const command = { file: 'ccache', args: [flag], env: toolEnv };
  return (await processes.run(command, { signal, capture: true })).stdout;
}

/** ccache's counters (`ccache --print-stats`) of trouble that is not the compiler's. */
const ERRORS = [
  'bad_output_file',
  'compiler_check_failed',
  'error_hashing_extra_file',
  'internal_error',
  'missing_cache_file',
];

/**
 * The log that CCACHE_STATSLOG names has one line for each event. Links, preprocessing and compilations that failed are
 * neither hit nor miss. Undefined when nothing was compiled.
 */
export function parseStatsLog(text: string, remote: string | null): CompileCacheUse | undefined {
  const counts = new Map<string, number>();
  for (const line of text.split('\n')) counts.set(line, (counts.get(line) ?? 0) + 1);
  const sum = (...names: readonly string[]): number =>
    names.reduce((total, name) => total + (counts.get(name) ?? 0), 0);
  const hits = sum('direct_cache_hit', 'preprocessed_cache_hit');
  const misses = sum('cache_miss');
  const errors = sum(...ERRORS);
  if (hits + misses + errors === 0) return undefined;
  return {
    hits,
    misses,
    errors,
    remote:
      remote === null
        ? null
        : {
            place: remote,
            hits: sum('remote_storage_read_hit'),
            misses: sum('remote_storage_read_miss'),
            errors: sum('remote_storage_error', 'remote_storage_timeout'),
            written: sum('remote_storage_write'),
          },
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
