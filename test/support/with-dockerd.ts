// SPDX-License-Identifier: MIT
/**
 * Runs a command with a Docker daemon of its own, whose address is in STOPWATCH_TEST_DOCKER, and stops it again:
 *
 *     node --import jiti/register test/support/with-dockerd.ts npx vitest run --project docker
 *
 * The daemon has a private socket, data and run directory, and changes no network: no bridge, no firewall rules.
 * As root on a system with apt, docker.io, mmdebstrap and podman are installed when they are missing. With
 * STOPWATCH_TEST_DOCKER set, that daemon is used and nothing is started. Exit code: the command's; 77, and why on
 * standard error, when there is no daemon to be had.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { which } from '../../lib/which.js';
import { SKIPPED } from './docker.js';
import { startDaemon } from './dockerd.js';
import { PATH } from './system-path.js';

const PACKAGES = { dockerd: 'docker.io', mmdebstrap: 'mmdebstrap' } as const;
/** Tests that want them say so and skip. */
const OPTIONAL = { podman: 'podman' } as const;

function skip(why: string): never {
  process.stderr.write(`${why}\n`);
  process.exit(SKIPPED);
}

/** Runs to the end with our own streams; gives the exit code, 128 and the signal's number as a shell does. */
async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(file, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  // A terminal sends its signals to the child too; whoever sends one to us alone means both.
  const hand = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, hand);
  const [code, signal]: unknown[] = await once(child, 'close');
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, hand);
  if (typeof code === 'number') return code;
  return signal === 'SIGINT' ? 130 : 143;
}

/** Packages of programs that are not there. */
function missing(of: Readonly<Record<string, string>>): string[] {
  return Object.entries(of).flatMap(([name, one]) => (which(name, PATH).found ? [] : [one]));
}

/** Makes sure that the programs are there; says why not. */
async function missingPrograms(): Promise<string | undefined> {
  const wanted = [...missing(PACKAGES), ...missing(OPTIONAL)];
  if (wanted.length === 0) return undefined;
  if (!which('apt-get', PATH).found) {
    const needed = missing(PACKAGES);
    if (needed.length === 0) return undefined;
    return `${needed.join(' and ')} are missing, and there is no apt to install them with`;
  }
  const env = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-q', 'update'], env);
  await run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...wanted], env);
  const still = missing(PACKAGES);
  return still.length === 0 ? undefined : `${still.join(' and ')} could not be installed`;
}

async function main(file: string, args: readonly string[]): Promise<number> {
  if (process.env['STOPWATCH_TEST_DOCKER']) return await run(file, args, process.env);
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    skip('Only root on Linux can start a Docker daemon; STOPWATCH_TEST_DOCKER=unix:///… names one that runs');
  // Root of a container has not the rights that a container's own mounts need.
  if ((await run('unshare', ['--mount', 'true'], { ...process.env, PATH })) !== 0)
    skip('This root may not mount anything, so it can start no Docker daemon');
  const why = await missingPrograms();
  if (why !== undefined) skip(why);
  const daemon = await startDaemon();
  try {
    return await run(file, args, { ...process.env, STOPWATCH_TEST_DOCKER: daemon.address });
  } finally {
    await daemon.stop();
  }
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) throw new Error('Expected a command');
process.exitCode = await main(file, args);
