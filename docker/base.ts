// SPDX-License-Identifier: MIT
/**
 * A base image without a registry: Debian's own packages, unpacked by mmdebstrap and imported through the API.
 *
 * mmdebstrap is used instead of debootstrap because it does not need root: for other users it works in a user
 * namespace (with uidmap and a row in /etc/subuid). It uses the same archives and keys as the host's apt.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { hasCredentials, withoutCredentials } from '../lib/credentials.js';
import { StopwatchError } from '../lib/errors.js';
import { LineSplitter } from '../lib/lines.js';
import { printable } from '../lib/printable.js';
import { type Command, type Exit, type Processes, shellQuote } from '../lib/process/process.js';
import { type DaemonInfo, findImage, importImage, keepLast, type OnLine } from './api.js';
import { failed } from './errors.js';

/** The release that the Dockerfile is written for; its nodejs is new enough. */
export const SUITE = 'trixie';
/** Label of a base: the fingerprint of its inputs. */
export const BASE_LABEL = 'stopwatch.base';
export const BASE_REPOSITORY = 'stopwatch-base';

export interface BaseDeps {
  readonly docker: Docker;
  readonly processes: Processes;
  /** Environment of the tools. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: OnLine;
}

export interface BaseRequest {
  readonly info: DaemonInfo;
  /** Make it again even if it exists, to get updated packages. */
  readonly rebuild: boolean;
}

export interface BootstrappedBase {
  readonly tag: string;
  /** Proxies of apt with a password, which must not get into the image: `http_proxy` and the like. */
  readonly proxies: Readonly<Record<string, string>>;
}

/** The relevant part of the host's apt configuration. */
export interface AptSetup {
  /** One-line sources for SUITE; archives with a password in their address are left out. */
  readonly sources: readonly string[];
  /** The proxies, as lines of apt.conf. */
  readonly options: readonly string[];
  /** Proxies with a password, as variables: every user can see arguments, and options stay in the image. */
  readonly proxies: Readonly<Record<string, string>>;
}

/** Debian's names of architectures that Go names differently. */
const DEBIAN_NAMES: Readonly<Record<string, string>> = { 386: 'i386', arm: 'armhf', ppc64le: 'ppc64el' };

/**
 * Returns the base image for these inputs, and makes it if the daemon does not have it. Throws StopwatchError
 * 'host-package-missing' (no apt, no Debian archive, no mmdebstrap), 'command-failed', 'disk-full', 'interrupted'.
 */
export async function bootstrapBase(
  deps: BaseDeps,
  { info, rebuild }: BaseRequest,
): Promise<BootstrappedBase> {
  const { sources, options, proxies } = await aptSetup(deps);
  const { architecture } = info;
  // These determine the content of the image.
  const args = [
    '--mode=auto',
    '--variant=apt',
    '--format=tar',
    `--architectures=${DEBIAN_NAMES[architecture] ?? architecture}`,
    // apt in the image needs it to reach its mirror.
    ...(sources.some((source) => source.includes(' https:')) ? ['--include=ca-certificates'] : []),
    ...options.map((option) => `--aptopt=${option}`),
  ];
  const fingerprint = createHash('sha256').update(JSON.stringify(args)).digest('hex');
  const tag = `${BASE_REPOSITORY}:${fingerprint.slice(0, 16)}`;
  const found = rebuild ? undefined : await findImage(deps.docker, tag);
  if (found?.Config.Labels?.[BASE_LABEL] === fingerprint) return { tag, proxies };

  deps.onLine(`Making the base image from Debian ${SUITE}’s packages`);
  await bootstrap({ ...deps, env: { ...deps.env, ...proxies } }, [...args, SUITE, '-', ...sources], {
    tag,
    labels: { [BASE_LABEL]: fingerprint },
  });
  return { tag, proxies };
}

/** The archive goes through a pipe, because another user could replace a file in a shared directory before it is imported. */
async function bootstrap(
  deps: BaseDeps,
  args: readonly string[],
  { tag, labels }: { readonly tag: string; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  const { docker, processes, signal } = deps;
  const { last, onLine } = keepLast(deps.onLine);
  const messages = new LineSplitter((line) => onLine(withoutCredentials(printable(line))));
  const child = await installed('mmdebstrap', async () =>
    processes.spawn(toolCommand(deps, 'mmdebstrap', args), { signal }),
  );
  child.stderr?.on('data', (chunk: Buffer) => messages.push(chunk));
  const chunks = (child.stdout ?? Readable.from([]))[Symbol.asyncIterator]();
  const stop = new AbortController();
  let failure: StopwatchError | undefined;
  const finish = async (): Promise<void> => {
    const exit = await child.exited;
    messages.end();
    failure = bootstrapFailure(exit, args, last.lines, signal);
  };
  // If mmdebstrap fails, abort the request, so that the daemon does not take this for the end of the archive.
  const archive = async function* (first: string | Buffer): AsyncGenerator<string | Buffer> {
    yield first;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    await finish();
    if (failure !== undefined) throw failure;
  };
  try {
    // The first bytes arrive when all packages are installed.
    const first = await chunks.next();
    if (first.done === true) await finish();
    else {
      const tar = Readable.from(archive(first.value), { objectMode: false });
      tar.once('error', () => stop.abort());
      await importImage(docker, tar, tag, labels, AbortSignal.any([signal, stop.signal]));
    }
  } catch (error) {
    failure ??= failed(error, `importing ${tag}`, signal);
  } finally {
    await child.end();
  }
  if (failure !== undefined) throw failure;
}

function bootstrapFailure(
  { exitCode, signal: endedBy }: Exit,
  args: readonly string[],
  lastLines: readonly string[],
  signal: AbortSignal,
): StopwatchError | undefined {
  if (signal.aborted) return new StopwatchError('interrupted', 'Interrupted while making the base image');
  if (exitCode === 0) return undefined;
  const text = lastLines.join('\n');
  const [, hint = `check that the mirror of this host's apt has Debian ${SUITE}`] =
    HINTS.find(([words]) => words.test(text)) ?? [];
  return new StopwatchError(
    DISK_FULL.test(text) ? 'disk-full' : 'command-failed',
    `mmdebstrap failed to make the base image (exit code ${exitCode ?? endedBy})`,
    { hint, command: shellQuote({ file: 'mmdebstrap', args }), lastLines },
  );
}

const DISK_FULL = /no space left/i;
const HINTS: readonly (readonly [words: RegExp, hint: string])[] = [
  [DISK_FULL, 'free some space in the temporary directory (TMPDIR)'],
  [
    /NO_PUBKEY|not signed|can't be verified/i,
    `this host does not know the key of Debian ${SUITE}: update debian-archive-keyring`,
  ],
  [
    /subuid|newuidmap|unshare|user namespace/i,
    'a user who is not root needs uidmap (`sudo apt-get install uidmap`) and a row in /etc/subuid and /etc/subgid (`sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"`)',
  ],
];

/** Reads the Debian archives and proxies from the host's apt. */
async function aptSetup(deps: BaseDeps): Promise<AptSetup> {
  const format = '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)';
  const [targets, dump] = await Promise.all([
    printed(deps, 'apt-get', ['indextargets', '--format', format, 'Created-By: Packages']),
    printed(deps, 'apt-config', ['dump', 'Acquire']),
  ]);
  const setup = parseAptSetup(targets, dump);
  if (setup.sources.length > 0) return setup;
  throw new StopwatchError(
    'host-package-missing',
    'A base image cannot be bootstrapped: this host’s apt knows no Debian archive (one whose address has a password is not used)',
    {
      hint: 'run `sudo apt-get update` on a Debian host, or use --base with an image that has Debian’s packages',
    },
  );
}

/** `targets`: lines `origin|label|component|address`; `dump`: the output of `apt-config dump Acquire`. */
export function parseAptSetup(targets: string, dump: string): AptSetup {
  const archives = targets.split('\n').map((line) => line.trim().split('|'));
  const find = (wanted: string): string | undefined =>
    archives.find(
      ([origin, label, component, address = '']) =>
        origin === 'Debian' &&
        label === wanted &&
        component === 'main' &&
        /^https?:/.test(address) &&
        !hasCredentials(address),
    )?.[3];
  const main = find('Debian');
  const security = find('Debian-Security');
  const suites =
    main === undefined
      ? []
      : [
          `${main} ${SUITE}`,
          `${main} ${SUITE}-updates`,
          ...(security === undefined ? [] : [`${security} ${SUITE}-security`]),
        ];
  const options = dump.split('\n').filter((line) => /^Acquire::https?::Proxy\S* ".+";$/i.test(line));
  const secret = options.flatMap((line) => {
    const [, scheme = '', value = ''] = /^Acquire::(https?)::Proxy "(.*@.*)";$/i.exec(line) ?? [];
    return value === '' ? [] : [[`${scheme.toLowerCase()}_proxy`, value] as const];
  });
  return {
    sources: suites.map((suite) => `deb ${suite} main`),
    options: options.filter((line) => !line.includes('@')),
    proxies: Object.fromEntries(secret),
  };
}

function toolCommand({ env }: BaseDeps, file: string, args: readonly string[]): Command {
  const path = `${env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
  return { file, args, env: { ...env, PATH: path, LC_ALL: 'C' } };
}

/** The output of a program of the host. */
async function printed(deps: BaseDeps, file: string, args: readonly string[]): Promise<string> {
  const { processes, signal } = deps;
  const command = toolCommand(deps, file, args);
  return installed(file, async () => (await processes.run(command, { signal, capture: true })).stdout);
}

async function installed<T>(file: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (cause) {
    if (!(cause instanceof StopwatchError) || cause.code !== 'command-not-found') throw cause;
    throw new StopwatchError(
      'host-package-missing',
      `A base image cannot be bootstrapped: ${file} is missing on this host`,
      { hint: '`sudo apt-get install mmdebstrap uidmap` (this needs a host with apt)', cause },
    );
  }
}
