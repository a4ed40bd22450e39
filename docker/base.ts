// SPDX-License-Identifier: MIT
/**
 * A base image without a registry: Debian's own packages, unpacked by mmdebstrap and imported through the API.
 *
 * mmdebstrap and not debootstrap, because it needs no root: for a user who is not root it works in a user
 * namespace (with uidmap and a row in /etc/subuid), and it takes the same archives and keys as the host's apt.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { StopwatchError } from '../lib/errors.js';
import type { Processes } from '../lib/process/process.js';
import { type DaemonInfo, findImage, importImage, type OnLine } from './api.js';

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
  /** Directory for the archive (about 120 MB) while it is handed over; made if needed. */
  readonly scratch: string;
  /** Make it again even if it is there: for the packages' updates. */
  readonly rebuild: boolean;
}

/** What the host's apt is configured for, as far as it matters here. */
export interface AptSetup {
  /** One-line sources for SUITE. */
  readonly sources: readonly string[];
  /** apt.conf lines of its proxies. */
  readonly options: readonly string[];
}

/** Debian's names of architectures that Go names differently. */
const DEBIAN_NAMES: Readonly<Record<string, string>> = { 386: 'i386', arm: 'armhf', ppc64le: 'ppc64el' };

/**
 * Gives the tag of the base image, which it makes if the daemon has none of these inputs. Throws StopwatchError
 * 'host-package-missing' (no apt, no Debian archive, no mmdebstrap), 'command-failed', 'disk-full', 'interrupted'.
 */
export async function bootstrapBase(deps: BaseDeps, request: BaseRequest): Promise<string> {
  const { docker, signal, onLine } = deps;
  const { sources, options } = await aptSetup(deps);
  const { architecture } = request.info;
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
  const found = request.rebuild ? undefined : await findImage(docker, tag);
  if (found?.Config.Labels?.[BASE_LABEL] === fingerprint) return tag;

  await mkdir(request.scratch, { recursive: true });
  const file = join(request.scratch, `base-${randomUUID()}.tar`);
  try {
    onLine(`Making the base image from Debian ${SUITE}’s packages`);
    await bootstrap(deps, [...args, SUITE, file, ...sources]);
    await importImage(docker, createReadStream(file), tag, { [BASE_LABEL]: fingerprint }, signal);
  } finally {
    await rm(file, { force: true });
  }
  return tag;
}

async function bootstrap(deps: BaseDeps, args: readonly string[]): Promise<void> {
  const lastLines: string[] = [];
  const exit = await runTool(deps, 'mmdebstrap', args, (line) => {
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
    deps.onLine(line);
  });
  if (deps.signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while making the base image');
  if (exit.exitCode === 0) return;
  const text = lastLines.join('\n');
  const [, hint = `check that the mirror of this host's apt has Debian ${SUITE}`] =
    HINTS.find(([words]) => words.test(text)) ?? [];
  throw new StopwatchError(
    DISK_FULL.test(text) ? 'disk-full' : 'command-failed',
    `mmdebstrap failed to make the base image (exit code ${exit.exitCode ?? exit.signal})`,
    { hint, command: ['mmdebstrap', ...args].join(' '), lastLines },
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
    runTool(deps, 'apt-get', ['indextargets', '--format', format, 'Created-By: Packages']),
    runTool(deps, 'apt-config', ['dump', 'Acquire']),
  ]);
  const setup = parseAptSetup(targets.stdout, dump.stdout);
  if (setup.sources.length > 0) return setup;
  throw new StopwatchError(
    'host-package-missing',
    'A base image cannot be bootstrapped: this host’s apt knows no Debian archive',
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
        origin === 'Debian' && label === wanted && component === 'main' && /^https?:/.test(address),
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
  return {
    sources: suites.map((suite) => `deb ${suite} main`),
    options: dump.split('\n').filter((line) => /^Acquire::https?::Proxy\S* ".+";$/i.test(line)),
  };
}

async function runTool(
  { processes, env, signal }: BaseDeps,
  file: string,
  args: readonly string[],
  onLine?: OnLine,
): Promise<Awaited<ReturnType<Processes['run']>>> {
  const path = `${env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
  const command = { file, args, env: { ...env, PATH: path, LC_ALL: 'C' } };
  try {
    return await processes.run(command, onLine ? { signal, onLine } : { signal, capture: true });
  } catch (cause) {
    if (!(cause instanceof StopwatchError) || cause.code !== 'command-not-found') throw cause;
    throw new StopwatchError(
      'host-package-missing',
      `A base image cannot be bootstrapped: ${file} is missing on this host`,
      { hint: '`sudo apt-get install mmdebstrap uidmap` (this needs a host with apt)', cause },
    );
  }
}
