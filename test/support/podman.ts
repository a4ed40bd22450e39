// SPDX-License-Identifier: MIT
/** Podman's service, which speaks the Engine API, with storage of its own; and a small image out of this host's files. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endGroup, sendSignal } from '../../lib/process/group.js';
import { which } from '../../lib/which.js';
import { unmountBelow } from './mounts.js';

export interface PodmanService {
  readonly address: string;
  stop(): Promise<void>;
}

/** Why there can be none here; undefined: there can. */
export function whyNoPodman(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'only root on Linux is tried with podman';
  return which('podman', process.env['PATH']).found ? undefined : 'there is no podman';
}

export interface PodmanOptions {
  /** Whose service it is, without any rights of root; undefined: root's. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export async function startPodman({ user }: PodmanOptions = {}): Promise<PodmanService> {
  const directory = mkdtempSync(join(tmpdir(), 'stopwatch-podman-'));
  const place = (name: string): string => join(directory, name);
  if (user !== undefined) {
    mkdirSync(place('runtime'), { mode: 0o700 });
    for (const path of [directory, place('runtime')]) chownSync(path, user.uid, user.gid);
  }
  // Its own limits may be above what this root may set: then no container starts.
  const settings = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]\n';
  writeFileSync(place('containers.conf'), settings);
  const options = [`--root=${place('root')}`, `--runroot=${place('run')}`, `--tmpdir=${place('tmp')}`];
  const manager = ['--cgroup-manager=cgroupfs', '--events-backend=file'];
  // A user without numbers of users to give to containers (subuid(5)): all files of an image are the user's own.
  if (user !== undefined)
    manager.push('--storage-driver=overlay', '--storage-opt=overlay.ignore_chown_errors=true');
  const socket = place('podman.sock');
  const child: ChildProcess = spawn(
    'podman',
    [...options, ...manager, 'system', 'service', '--time=0', `unix://${socket}`],
    {
      env: {
        ...process.env,
        CONTAINERS_CONF: place('containers.conf'),
        ...(user === undefined ? {} : { HOME: directory, XDG_RUNTIME_DIR: place('runtime'), USER: 'ann' }),
      },
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...user,
    },
  );
  let said = '';
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    // All of its group: without root, podman runs itself again below itself.
    if (child.pid !== undefined) await endGroup(child.pid, 10_000);
    await exited;
    // The process that holds the user's namespace.
    const holder = place('tmp/pause.pid');
    if (existsSync(holder)) sendSignal(Number(readFileSync(holder, 'utf8')), 'SIGKILL');
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    if (existsSync(socket)) return { address: `unix://${socket}`, stop };
    await sleep(100);
  }
  throw new Error(`podman system service did not start: ${said}`);
}

/** A tar archive of a root file system: a shell, some programs, and the libraries that they are linked to. */
export function smallRoot(): Buffer {
  const programs = ['sh', 'id', 'sleep', 'cat', 'touch'].map((name) => {
    const found = which(name, '/bin');
    if (!found.found) throw new Error(`There is no /bin/${name} here`);
    return found.path;
  });
  const libraries = programs.flatMap((program) =>
    [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)].map(
      ([, path = '']) => path,
    ),
  );
  const files = [...new Set([...programs, ...libraries])];
  // As they are named here, links followed; directories that containers want come along empty.
  const directories = ['--no-recursion', '/tmp', '/etc', '/usr/local/bin', '/home'];
  return execFileSync('tar', ['-chP', '--transform=s,^/,,', '-f', '-', ...files, ...directories], {
    maxBuffer: 2 ** 27,
  });
}
