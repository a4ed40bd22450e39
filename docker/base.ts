// SPDX-License-Identifier: MIT
/**
 * A base image without a registry: Debian's own packages, unpacked by mmdebstrap and imported through the API.
 *
 * mmdebstrap and not debootstrap, because it needs no root: for a user who is not root it works in a user
 * namespace (with uidmap and a row in /etc/subuid), and it takes the same archives and keys as the host's apt.
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
/** Label of a base: the fingerprint of what it was made from. */
export const BASE_LABEL = 'stopwatch.base';
export const BASE_REPOSITORY = 'stopwatch-base';

export interface BaseDeps {
  readonly docker: Docker;
  readonly processes: Processes;
  /** Environment of the tools that are started. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: OnLine;
}

export interface BaseRequest {
  readonly info: DaemonInfo;
  /** Make it again even if it is there: for the packages' updates. */
  readonly rebuild: boolean;
}

export interface BootstrappedBase {
  readonly tag: string;
  /** Proxies of apt that are not in the image, because they have a password: `http_proxy` and the like. */
  readonly proxies: Readonly<Record<string, string>>;
}

/** What the host's apt is configured for, as far as it matters here. */
export interface AptSetup {
  /** One-line sources for SUITE, of archives whose address has no password. */
  readonly sources: readonly string[];
  /** apt.conf lines of its proxies. */
  readonly options: readonly string[];
  /** Those with a password, as variables: an argument is seen by every user, and an option stays in the image. */
  readonly proxies: Readonly<Record<string, string>>;
}

/** Debian's names of architectures that Go names differently. */
const DEBIAN_NAMES: Readonly<Record<string, string>> = { 386: 'i386', arm: 'armhf', ppc64le: 'ppc64el' };

/**
 * Gives the base image, which it makes if the daemon has none of these inputs. Throws StopwatchError
 * 'host-package-missing' (no apt, no Debian archive, no mmdebstrap), 'command-failed', 'disk-full', 'interrupted'.
 */
export async function bootstrapBase(
  deps: BaseDeps,
  { info, rebuild }: BaseRequest,
): Promise<BootstrappedBase> {
  const { sources, options, proxies } = await aptSetup(deps);
  const { architecture } = info;
  // These decide what is in the image.
  const args = [
    '--mode=auto',
    '--variant=apt',
    '--format=tar',
    `--architectures=${DEBIAN_NAMES[architecture] ?? architecture}`,
    // Without it apt in the image could not reach its mirror.
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

/** The archive goes through a pipe: a file in a shared directory could be another user's before it is imported. */
async function bootstrap(
  deps: BaseDeps,
  args: readonly string[],
  { tag, labels }: { readonly tag: string; readonly labels: Readonly<Record<string, string>> },
): Promise<void> {
  const { docker, processes, signal } = deps;
  const { lines, onLine } = keepLast(deps.onLine);
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
    failure = bootstrapFailure(exit, args, lines, signal);
  };
  // A failed mmdebstrap must not look like the end of an archive: the request is broken off, and nothing gets the tag.
  const archive = async function* (first: string | Buffer): AsyncGenerator<string | Buffer> {
    yield first;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    await finish();
    if (failure !== undefined) throw failure;
  };
  try {
    // Its first bytes come when all packages are installed.
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

/** Asks the host's apt for its Debian archives and proxies. */
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

/** Lines of `origin|label|component|address`, and of `apt-config dump Acquire`. */
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

/** What a program of the host prints. */
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
