// SPDX-License-Identifier: MIT
/**
 * Runs a command with a Docker daemon of its own, whose address is in STOPWATCH_TEST_DOCKER, and stops it again:
 *
 *     node dist/test/support/with-dockerd.js npx vitest run --project docker
 *
 * The daemon has a private socket, data and run directory, and changes no network: no bridge, no firewall rules.
 * As root on a system with apt, docker.io and mmdebstrap are installed when they are missing. With
 * STOPWATCH_TEST_DOCKER set, that daemon is used and nothing is started. Exit code: the command's; 77, and why on
 * standard error, when there is no daemon to be had.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { which } from '../../tasks/host/which.js';
import { SKIPPED, SOCKET_GROUP } from './docker.js';

const STARTS_WITHIN_S = 60;
const PACKAGES = { dockerd: 'docker.io', mmdebstrap: 'mmdebstrap' } as const;
const PATH = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;

interface Daemon {
  readonly address: string;
  stop(): Promise<void>;
}

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

/** Makes sure that the programs are there; says why not. */
async function missingPrograms(): Promise<string | undefined> {
  const missing = (): string[] =>
    Object.entries(PACKAGES).flatMap(([name, of]) => (which(name, PATH).found ? [] : [of]));
  if (missing().length === 0) return undefined;
  if (!which('apt-get', PATH).found)
    return `${missing().join(' and ')} are missing, and there is no apt to install them with`;
  const env = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-q', 'update'], env);
  await run('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...missing()], env);
  return missing().length === 0 ? undefined : `${missing().join(' and ')} could not be installed`;
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function startDaemon(): Promise<Daemon> {
  const directory = mkdtempSync(join(tmpdir(), 'stopwatch-dockerd-'));
  // Tests call as a user who is not root: the socket's own rights say who may.
  chmodSync(directory, 0o711);
  const place = (name: string): string => join(directory, name);
  const socket = place('docker.sock');
  const log = openSync(place('log'), 'a');
  const child = spawn(
    'dockerd',
    [
      `--host=unix://${socket}`,
      `--group=${SOCKET_GROUP}`,
      `--data-root=${place('data')}`,
      `--exec-root=${place('exec')}`,
      `--pidfile=${place('pid')}`,
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
    ],
    // A group of its own: Ctrl-C is for the command, and the daemon is needed until that has ended.
    { env: { ...process.env, PATH }, stdio: ['ignore', log, log], detached: true },
  );
  closeSync(log);
  const exited = once(child, 'exit');
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await Promise.race([exited, sleep(30_000, undefined, { ref: false })]);
    if (!hasEnded()) child.kill('SIGKILL');
    await exited;
    await unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  for (let tries = 0; tries < STARTS_WITHIN_S * 10 && !hasEnded(); tries++) {
    if (await answers(socket)) return { address: `unix://${socket}`, stop };
    await sleep(100);
  }
  const said = readFileSync(place('log'), 'utf8').split('\n').slice(-15).join('\n');
  await stop();
  throw new Error(`dockerd ${hasEnded() ? 'ended' : `did not answer within ${STARTS_WITHIN_S} s`}:\n${said}`);
}

/** What a container or the daemon has left mounted: the innermost first. */
async function unmountBelow(directory: string): Promise<void> {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((path) => path.startsWith(`${directory}/`));
  for (const path of mounted.reverse()) await run('umount', [path], { ...process.env, PATH });
}

async function main(file: string, args: readonly string[]): Promise<number> {
  if (process.env['STOPWATCH_TEST_DOCKER']) return await run(file, args, process.env);
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    skip('Only root on Linux can start a Docker daemon; STOPWATCH_TEST_DOCKER=unix:///… names one that runs');
  // Root of a container has not the rights that a container's own mounts need.
  if ((await run('unshare', ['--mount', 'true'], { ...process.env, PATH })) !== 0)
    skip('This root may not mount anything, so it can start no Docker daemon');
  const missing = await missingPrograms();
  if (missing !== undefined) skip(missing);
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
