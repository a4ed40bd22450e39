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
import { StopwatchError } from '../lib/errors.js';
import type { Command, Processes } from '../lib/process/process.js';
import type { Engine, EngineInfo, OnLine } from './engine.js';

/** The release that the Dockerfile is written for; its nodejs is new enough. */
export const SUITE = 'trixie';
/** Label of a base: the fingerprint of what it was made from. */
export const BASE_LABEL = 'stopwatch.base';
export const BASE_REPOSITORY = 'stopwatch-base';

export interface BaseDeps {
  readonly engine: Engine;
  readonly processes: Processes;
  /** Environment of the tools that are started. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: OnLine;
}

export interface BaseRequest {
  readonly info: EngineInfo;
  /** Directory for the archive (about 120 MB) while it is handed over; made if needed. */
  readonly scratch: string;
  /** Make it again even if it is there: for the packages' updates. */
  readonly rebuild: boolean;
}

/** What the host's apt says, as far as it matters here. */
export interface AptSetup {
  /** One-line sources for SUITE. */
  readonly sources: readonly string[];
  /** apt.conf lines of its proxies. */
  readonly options: readonly string[];
}

/**
 * Gives the tag of the base image, which it makes if the daemon has none of these inputs. Throws StopwatchError
 * 'host-package-missing' (no apt, no Debian archive, no mmdebstrap), 'command-failed', 'disk-full', 'interrupted'.
 */
export async function bootstrapBase(deps: BaseDeps, request: BaseRequest): Promise<string> {
  const { engine, signal, onLine } = deps;
  const setup = await aptSetup(deps);
  const options = bootstrapArguments(setup, request.info.architecture);
  const fingerprint = createHash('sha256').update(JSON.stringify(options)).digest('hex');
  const tag = `${BASE_REPOSITORY}:${fingerprint.slice(0, 16)}`;
  if (!request.rebuild && (await engine.image(tag))?.labels[BASE_LABEL] === fingerprint) return tag;

  await mkdir(request.scratch, { recursive: true });
  const file = join(request.scratch, `base-${randomUUID()}.tar`);
  try {
    onLine(`Making the base image from Debian ${SUITE}’s packages`);
    await bootstrap(deps, [...options, SUITE, file, ...setup.sources]);
    await engine.importImage(createReadStream(file), tag, { [BASE_LABEL]: fingerprint }, signal);
  } finally {
    await rm(file, { force: true });
  }
  return tag;
}

/** mmdebstrap's arguments without the release, the target and the sources; these decide what the image is. */
function bootstrapArguments({ sources, options }: AptSetup, architecture: string): readonly string[] {
  const names: Readonly<Record<string, string>> = { 386: 'i386', arm: 'armhf', ppc64le: 'ppc64el' };
  const https = sources.some((source) => source.includes(' https:'));
  return [
    '--mode=auto',
    '--variant=apt',
    '--format=tar',
    `--architectures=${names[architecture] ?? architecture}`,
    // Without it apt in the image could not speak to its mirror.
    ...(https ? ['--include=ca-certificates'] : []),
    ...options.map((option) => `--aptopt=${option}`),
  ];
}

async function bootstrap(deps: BaseDeps, args: readonly string[]): Promise<void> {
  const path = `${deps.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
  const command: Command = { file: 'mmdebstrap', args, env: { ...deps.env, PATH: path } };
  const last: string[] = [];
  const exit = await runTool(deps, command, (line) => {
    last.push(line);
    if (last.length > 20) last.shift();
    deps.onLine(line);
  });
  if (deps.signal.aborted) throw new StopwatchError('interrupted', 'Interrupted while making the base image');
  if (exit.exitCode === 0) return;
  const text = last.join('\n');
  const full = /no space left/i.test(text);
  throw new StopwatchError(
    full ? 'disk-full' : 'command-failed',
    `mmdebstrap failed to make the base image (exit code ${exit.exitCode ?? exit.signal})`,
    { hint: bootstrapHint(text), command: ['mmdebstrap', ...args].join(' '), lastLines: last },
  );
}

function bootstrapHint(text: string): string {
  if (/no space left/i.test(text)) return 'free some space in the temporary directory (TMPDIR)';
  if (/NO_PUBKEY|not signed|can't be verified/i.test(text))
    return `this host does not know the key of Debian ${SUITE}: update debian-archive-keyring`;
  if (/subuid|newuidmap|unshare|user namespace/i.test(text))
    return 'a user who is not root needs uidmap (`sudo apt-get install uidmap`) and a row in /etc/subuid and /etc/subgid (`sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "$USER"`)';
  return `check that the mirror of this host's apt has Debian ${SUITE}`;
}

/** Asks the host's apt for its Debian archives and proxies. */
async function aptSetup(deps: BaseDeps): Promise<AptSetup> {
  const env = { ...deps.env, LC_ALL: 'C' };
  const format = '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)';
  const ask = async (file: string, args: readonly string[]): Promise<string> =>
    (await runTool(deps, { file, args, env }, undefined)).stdout;
  const [targets, dump] = await Promise.all([
    ask('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']),
    ask('apt-config', ['dump', 'Acquire']),
  ]);
  const setup = parseAptSetup(targets, dump);
  if (setup.sources.length === 0)
    throw new StopwatchError(
      'host-package-missing',
      'A base image cannot be bootstrapped: this host’s apt knows no Debian archive',
      {
        hint: 'run `sudo apt-get update` on a Debian host, or use --base with an image that has Debian’s packages',
      },
    );
  return setup;
}

/** Lines of `origin|label|component|address`, and of `apt-config dump Acquire`. */
export function parseAptSetup(targets: string, dump: string): AptSetup {
  const find = (wanted: string): string | undefined => {
    for (const line of targets.split('\n')) {
      const [origin, label, component, address = ''] = line.trim().split('|');
      if (origin === 'Debian' && label === wanted && component === 'main' && /^https?:/.test(address))
        return address;
    }
    return undefined;
  };
  const main = find('Debian');
  const security = find('Debian-Security');
  return {
    sources:
      main === undefined
        ? []
        : [
            `deb ${main} ${SUITE} main`,
            `deb ${main} ${SUITE}-updates main`,
            ...(security === undefined ? [] : [`deb ${security} ${SUITE}-security main`]),
          ],
    options: dump.split('\n').filter((line) => /^Acquire::https?::Proxy\S* ".+";$/i.test(line)),
  };
}

async function runTool(
  { processes, signal }: BaseDeps,
  command: Command,
  onLine: OnLine | undefined,
): Promise<Awaited<ReturnType<Processes['run']>>> {
  try {
    return await processes.run(command, onLine ? { signal, onLine } : { signal, capture: true });
  } catch (cause) {
    if (!(cause instanceof StopwatchError) || cause.code !== 'command-not-found') throw cause;
    throw new StopwatchError(
      'host-package-missing',
      `A base image cannot be bootstrapped: ${command.file} is missing on this host`,
      { hint: '`sudo apt-get install mmdebstrap uidmap` (this needs a host with apt)', cause },
    );
  }
}
