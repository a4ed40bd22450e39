// SPDX-License-Identifier: MIT
/** Gets a file from the first of several mirrors that has it, verified, into the shared download cache. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StopwatchError } from '../../../lib/errors.js';
import { withLock } from '../../../lib/lock.js';
import type { Processes } from '../../../lib/process/process.js';
import type { AttemptResult, FailedAttempt } from './http.js';
import { type AptArchives, aptArchives, archiveAddress } from './mirror.js';
import { withoutCredentials } from '../../../lib/credentials.js';
import { type ProxyEnv, proxyFromEnv } from './proxy.js';
import { commitPartial, findStored, keepFile, prepareStore, storePaths, takeHandPlaced } from './store.js';

/** The place of a file: an address, or a path below a Debian mirror. */
export type ArchiveMirror =
  | { readonly url: string; readonly sha256: string }
  | { readonly debian: string; readonly sha256: string };

export interface DownloadRequest {
  /** For people: 'Linux 6.12.94'. */
  readonly what: string;
  /** Tried in this order. */
  readonly mirrors: readonly ArchiveMirror[];
  /** The cache directory; files are put below its `downloads/`. */
  readonly cache: string;
  /** A server that sends nothing for this long has stalled, seconds. */
  readonly stallSeconds: number;
  /** Tries at one mirror before the next one. A try that got 1 MiB further is not counted. */
  readonly tries: number;
  /** Use only what is there. */
  readonly offline: boolean;
}

export interface DownloadDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Environment of the tools that are started (apt-get, apt-config); needs PATH. */
  readonly env: Readonly<Record<string, string>>;
  /** The user's environment: http_proxy, https_proxy, all_proxy, no_proxy. */
  readonly proxyEnv: ProxyEnv;
  /** Bytes that have arrived, and in all if the server announced it. */
  readonly onProgress: (done: number, total: number | undefined) => void;
  /** A line for the log: every try and why it failed. */
  readonly log: (line: string) => void;
  readonly notice: (text: string) => void;
  /** Milliseconds; rejects when aborted. For tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1. For tests. */
  readonly random?: () => number;
}

export interface Downloaded {
  /** Absolute path of the verified file. */
  readonly file: string;
  readonly sha256: string;
  /** The mirror that this file belongs to, even if it was there already. */
  readonly mirror: ArchiveMirror;
  /** Where the bytes came from in this run. */
  readonly from: 'cache' | 'hand' | 'network';
}

/** One address to try. */
interface Target {
  readonly address: string;
  readonly name: string;
  readonly mirror: ArchiveMirror;
  /** For an address in the Debian archive. */
  readonly apt?: AptArchives | undefined;
}

const SECOND = 1000;
const MIB = 1 << 20;

/**
 * Gives a verified file for one of the mirrors, from the cache where it is
 * there. Throws StopwatchError: offline, download-failed, checksum-mismatch
 * (every mirror that answered had another file), disk-full,
 * permission-denied, interrupted.
 */
export async function download(request: DownloadRequest, deps: DownloadDeps): Promise<Downloaded> {
  await prepareStore(request.cache);
  const present = await findPresent(request, deps);
  if (present !== undefined) return present;
  if (request.offline) throw offlineError(request);

  const failures: string[] = [];
  const targets = await findTargets(request, deps, failures);
  let mismatches = 0;
  for (const [index, target] of targets.entries()) {
    const { lock } = storePaths(request.cache, target.mirror.sha256);
    const waiting = (): void =>
      deps.notice(`${request.what}: another process is downloading it; waiting for it`);
    const result = await withLock(
      lock,
      { signal: deps.signal, processes: deps.processes, onWaiting: waiting },
      async () => {
        // Another process may have downloaded it in the meantime.
        const found = await findPresent(request, deps);
        return found ?? (await tryTarget(request, target, index === targets.length - 1, deps));
      },
    );
    if ('file' in result) return result;
    if (result.mismatch === true) mismatches += 1;
    failures.push(`${withoutCredentials(target.address)}: ${result.reason}`);
  }
  throw noMirror(
    request,
    failures,
    `Check the network and run the same command again, or ${byHand(request)}`,
    mismatches > 0 && mismatches === failures.length ? 'checksum-mismatch' : 'download-failed',
  );
}

/**
 * Gets a file whose sha256 is not known yet, from the first mirror that has it, one try each. `mirrors`: their sha256
 * is ignored. Throws StopwatchError 'download-failed', 'offline', 'interrupted'.
 */
export async function downloadUnpinned(
  request: DownloadRequest,
  deps: DownloadDeps,
): Promise<{ readonly file: string; readonly sha256: string; readonly mirror: ArchiveMirror }> {
  if (request.offline)
    throw new StopwatchError('offline', `${request.what} is not here, and --offline forbids to fetch it`, {
      hint: 'Run it without --offline, or give a file: --source NAME=FILE',
    });
  await prepareStore(request.cache);
  const failures: string[] = [];
  for (const target of await findTargets(request, deps, failures)) {
    // Named by the address, because there is no sum yet.
    const key = createHash('sha256').update(`unpinned ${target.address}`).digest('hex');
    const { lock, partial } = storePaths(request.cache, key);
    const kept = await withLock(lock, { signal: deps.signal, processes: deps.processes }, async () => {
      const result = await attemptAt(request, target, { partial, sha256: undefined }, deps);
      if (result.kind !== 'complete') {
        failures.push(`${withoutCredentials(target.address)}: ${result.reason}`);
        return undefined;
      }
      const file = await keepFile(request.cache, partial, target.name, deps.signal);
      await rm(partial, { force: true });
      return file;
    });
    if (kept !== undefined) return { ...kept, mirror: { ...target.mirror, sha256: kept.sha256 } };
  }
  throw noMirror(
    request,
    failures,
    'Is that a release? If it is elsewhere: --source NAME=URL, or --source NAME=FILE',
  );
}

function noMirror(
  { what }: DownloadRequest,
  failures: readonly string[],
  hint: string,
  code: 'download-failed' | 'checksum-mismatch' = 'download-failed',
): StopwatchError {
  const reasons = failures.map((line) => `  ${line}`).join('\n');
  return new StopwatchError(code, `Could not download ${what} from any of its mirrors:\n${reasons}`, {
    hint,
  });
}

/** The file if it is there already: verified before, or put there by hand. */
async function findPresent(request: DownloadRequest, deps: DownloadDeps): Promise<Downloaded | undefined> {
  const { cache, mirrors } = request;
  for (const mirror of mirrors) {
    const file = await findStored(cache, mirror.sha256, deps.signal);
    if (file === undefined) continue;
    // Of several mirrors with this sum, the one that the file has its name from.
    const named = mirrors.find(
      (each) => each.sha256 === mirror.sha256 && mirrorName(each) === basename(file),
    );
    return { file, sha256: mirror.sha256, mirror: named ?? mirror, from: 'cache' };
  }
  let wrong: { path: string; expected: string; got: string } | undefined;
  for (const mirror of mirrors) {
    const hand = await takeHandPlaced(cache, mirrorName(mirror), mirror.sha256, deps.signal);
    if (hand.kind === 'taken') return { file: hand.file, sha256: mirror.sha256, mirror, from: 'hand' };
    if (hand.kind === 'wrong') wrong = { path: hand.path, expected: mirror.sha256, got: hand.got };
  }
  if (wrong === undefined) return undefined;
  const text = `${wrong.path} is not ${request.what}: expected sha256 ${wrong.expected}, got ${wrong.got}`;
  if (request.offline) {
    throw new StopwatchError('checksum-mismatch', text, { hint: `Remove it, then ${byHand(request)}` });
  }
  deps.log(`${text}; left where it is, and not used`);
  return undefined;
}

/** The addresses of all mirrors. A Debian mirror becomes one per archive that apt knows. */
async function findTargets(
  request: Pick<DownloadRequest, 'mirrors'>,
  deps: DownloadDeps,
  failures: string[],
): Promise<readonly Target[]> {
  const apt = request.mirrors.some((mirror) => 'debian' in mirror) ? await aptArchives(deps) : undefined;
  return request.mirrors.flatMap((mirror) => {
    const common = { name: mirrorName(mirror), mirror };
    if ('url' in mirror) return [{ ...common, address: mirror.url }];
    if (apt === undefined)
      failures.push(`Debian archive, ${mirror.debian}: skipped, this host has no apt that knows one`);
    const bases = apt?.bases ?? [];
    return bases.map((base) => Object.assign({ address: archiveAddress(base, mirror.debian), apt }, common));
  });
}

/** The file's own name at a mirror. */
export function mirrorName(mirror: ArchiveMirror): string {
  const path = 'url' in mirror ? new URL(mirror.url).pathname : mirror.debian;
  const last = path.split('/').at(-1) ?? '';
  let name = last;
  try {
    if ('url' in mirror) name = decodeURIComponent(last);
  } catch {
    // Not encoded the usual way: the name as it is written.
  }
  return name === '' || name.startsWith('.') || name.includes('/')
    ? `file-${mirror.sha256.slice(0, 16)}`
    : name;
}

async function attemptAt(
  request: DownloadRequest,
  { address, apt }: Target,
  file: { readonly partial: string; readonly sha256: string | undefined },
  deps: DownloadDeps,
): Promise<AttemptResult> {
  deps.log(`Downloading ${request.what}: ${withoutCredentials(address)}`);
  // The HTTP client is loaded only when something has to be downloaded.
  const { attemptDownload } = await import('./http.js');
  return attemptDownload({
    ...file,
    address,
    stallSeconds: request.stallSeconds,
    proxy: (url) => proxyFor(url, apt, deps.proxyEnv),
    signal: deps.signal,
    onProgress: deps.onProgress,
  });
}

/** All tries at one address. The caller holds the lock. */
async function tryTarget(
  request: DownloadRequest,
  target: Target,
  isLast: boolean,
  deps: DownloadDeps,
): Promise<Downloaded | FailedAttempt> {
  const { sleep = realSleep, random = Math.random } = deps;
  const { name, mirror } = target;
  const { sha256 } = mirror;
  const { partial } = storePaths(request.cache, sha256);
  for (let tried = 0, restarted = false; ; ) {
    const result = await attemptAt(request, target, { partial, sha256 }, deps);
    if (result.kind === 'complete') {
      const file = await commitPartial(request.cache, sha256, name);
      return { file, sha256, mirror, from: 'network' };
    }
    deps.log(`${withoutCredentials(target.address)}: ${result.reason}`);
    if (result.kind === 'definite' || (result.kind === 'unreachable' && !isLast)) return result;
    // The part kept from before was of another file. Once only, however many tries there are.
    if (result.mismatch === true) {
      if (restarted) return result;
      restarted = true;
      continue;
    }
    tried = result.gained >= MIB ? 1 : tried + 1;
    if (tried >= request.tries) {
      return tried === 1 ? result : { ...result, reason: `${result.reason} (tried ${tried} times)` };
    }
    const ms = backOff(tried, random(), result.retryAfterMs);
    deps.log(`Trying again in ${(ms / SECOND).toFixed(1)} s`);
    await sleep(ms, deps.signal);
  }
}

/**
 * Milliseconds to wait before the next try: 0.5 s, doubled each time, at most
 * 10 s; between half of that and all of it, so that several processes do not come
 * back together. A server's Retry-After is respected up to 30 s.
 */
export function backOff(tried: number, random: number, retryAfterMs = 0): number {
  const full = Math.min(10 * SECOND, 0.5 * SECOND * 2 ** (tried - 1));
  return Math.max(full * (0.5 + random / 2), Math.min(retryAfterMs, 30 * SECOND));
}

async function realSleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal });
  } catch {
    throw new StopwatchError('interrupted', 'Interrupted: waiting before the next try');
  }
}

/** For the Debian archive what apt is configured with wins over the variables, as it does for apt itself. */
function proxyFor(url: URL, apt: AptArchives | undefined, env: ProxyEnv): string | undefined {
  const own = apt?.proxyFor(url);
  if (own === 'DIRECT') return undefined;
  return own ?? proxyFromEnv(url, env);
}

function offlineError(request: DownloadRequest): StopwatchError {
  return new StopwatchError(
    'offline',
    `${request.what} is not in the download cache, and --offline forbids to fetch it`,
    { hint: `Run once without --offline, or ${byHand(request)}` },
  );
}

/** A hint with the name and sum of every file that can be put there by hand. */
function byHand(request: DownloadRequest): string {
  const { downloads } = storePaths(request.cache, '');
  const names = new Set(request.mirrors.map((mirror) => `  ${mirrorName(mirror)} (sha256 ${mirror.sha256})`));
  return `put one of these files into ${downloads}:\n${[...names].join('\n')}`;
}
