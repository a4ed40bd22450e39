// SPDX-License-Identifier: MIT
/** A Docker daemon of our own: private socket, data and run directory, and no change of the network: no bridge, no firewall rules. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processStat, sendSignal } from '../../lib/process/group.js';
import { SOCKET_GROUP } from './docker.js';
import { unmountBelow } from './mounts.js';
import { PATH } from './system-path.js';

const STARTS_WITHIN_S = 60;

export interface Daemon {
  readonly address: string;
  /** Ends it, and removes all that it had. */
  stop(): Promise<void>;
  /** SIGKILL: what it had stays, its containers run on. */
  kill(): Promise<void>;
  /** Another one in its place, after `kill`. */
  again(): Promise<void>;
}

export interface DaemonOptions {
  /** All of its data is in memory, and no more than this, MiB. */
  readonly memoryMiB?: number;
}

/** Throws when it does not start, with the last lines of its log. */
export async function startDaemon({ memoryMiB }: DaemonOptions = {}): Promise<Daemon> {
  const directory = mkdtempSync(join(tmpdir(), 'stopwatch-dockerd-'));
  // Tests call as a user who is not root: the socket's own rights say who may.
  chmodSync(directory, 0o711);
  const place = (name: string): string => join(directory, name);
  const socket = place('docker.sock');
  if (memoryMiB !== undefined) {
    mkdirSync(place('data'));
    const options = ['-t', 'tmpfs', '-o', `size=${memoryMiB}m`, 'tmpfs', place('data')];
    execFileSync('mount', options, { env: { ...process.env, PATH } });
  }
  const start = async (): Promise<Running> => {
    const running = spawnDaemon(place);
    for (let tries = 0; tries < STARTS_WITHIN_S * 10 && !running.hasEnded(); tries++) {
      if (await answers(socket)) return running;
      await sleep(100);
    }
    const said = readFileSync(place('log'), 'utf8').split('\n').slice(-15).join('\n');
    const ended = running.hasEnded();
    await running.end();
    throw new Error(`dockerd ${ended ? 'ended' : `did not answer within ${STARTS_WITHIN_S} s`}:\n${said}`);
  };
  const clear = (): void => {
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  let daemon: Running;
  try {
    daemon = await start();
  } catch (error) {
    clear();
    throw error;
  }
  return {
    address: `unix://${socket}`,
    stop: async () => {
      await daemon.end();
      await endBelow(directory);
      clear();
    },
    kill: async () => daemon.kill(),
    again: async () => {
      daemon = await start();
    },
  };
}

interface Running {
  hasEnded(): boolean;
  end(): Promise<void>;
  kill(): Promise<void>;
}

function spawnDaemon(place: (name: string) => string): Running {
  const log = openSync(place('log'), 'a');
  // Of one that was killed, whose process numbers may be others' by now.
  for (const name of ['pid', 'exec/containerd/containerd.pid']) rmSync(place(name), { force: true });
  const child = spawn(
    'dockerd',
    [
      `--host=unix://${place('docker.sock')}`,
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
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return {
    hasEnded,
    kill,
    end: async () => {
      child.kill('SIGTERM');
      await Promise.race([exited, sleep(30_000, undefined, { ref: false })]);
      if (!hasEnded()) await kill();
    },
  };
}

function lives(pid: number): boolean {
  return !['Z', undefined].includes(processStat(pid)?.state);
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

/** What a killed daemon has left: its containerd and the shims, which all name the directory, and the containers below them. */
async function endBelow(directory: string): Promise<void> {
  const listed = execFileSync('ps', ['-ww', '-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, args] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return args === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
    });
  const left = new Set(listed.filter(({ args }) => args.includes(`${directory}/`)).map(({ pid }) => pid));
  // A set that grows while it is walked: the children of children too.
  for (const above of left) for (const { pid, parent } of listed) if (parent === above) left.add(pid);
  for (const pid of left) sendSignal(pid, 'SIGKILL');
  for (let tries = 0; tries < 100 && [...left].some(lives); tries++) await sleep(50);
}
