// SPDX-License-Identifier: MIT
/**
 * A project that is run in containers by a user who is not root. The daemon's address is in
 * STOPWATCH_TEST_DOCKER; `node --import jiti/register test/support/with-dockerd.ts` starts one.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type Docker from 'dockerode';
import { connect } from '../../docker/daemon.js';
import { containersOf } from '../../docker/leftovers.js';
import { CALLER } from '../support/docker.js';
import { mainOf } from './interactive.js';
import { filesOf } from './prepare.js';
import {
  type Ended,
  environment,
  must,
  type Project,
  projectIn,
  type Started,
  start,
  type StartOptions,
} from './project.js';

export const address = process.env['STOPWATCH_TEST_DOCKER'];
export const asRoot = process.getuid?.() === 0;
export const uid = asRoot ? CALLER : (process.getuid?.() ?? 0);
/** The group that may use the daemon's socket. */
export const gid = statSync((address ?? '/').replace('unix://', '')).gid;

/** What a command starts with so that the user runs it, who is not root. */
export function asCaller(group = gid): readonly string[] {
  if (!asRoot) return [];
  return ['setpriv', '--reuid', String(uid), '--regid', String(group), '--clear-groups', '--'];
}

const never = new AbortController().signal;

export class ContainerProject {
  /** The work directory in the container. */
  readonly work: string;

  constructor(
    readonly project: Project,
    readonly docker: Docker,
  ) {
    this.work = join(project.work, 'docker');
  }

  /** The command line, called by the user. */
  call(args: readonly string[], options: StartOptions & { readonly group?: number } = {}): Started {
    const { group = gid, ...rest } = options;
    const [file = '', ...words] = [...asCaller(group), process.execPath, mainOf(this.project), ...args];
    return start(file, words, {
      cwd: this.project.directory,
      ...rest,
      env: { ...this.project.env, DOCKER_HOST: address ?? '', ...rest.env },
    });
  }

  startAll(args: readonly string[] = [], options: StartOptions = {}): Started {
    return this.call(['docker-all', '--base', 'bootstrap', ...args], options);
  }

  /** `docker-all`, to its end. */
  async all(args: readonly string[] = [], options: StartOptions = {}): Promise<Ended> {
    return this.startAll(args, options).ended;
  }

  /** `docker-all` that is sent a signal when its output has a text. Throws if it never has. */
  async allWithSignal(signal: NodeJS.Signals, text: string): Promise<Ended> {
    let sent = false;
    const { child, ended } = this.startAll([], {
      onOutput: (soFar) => {
        if (sent || !soFar.includes(text)) return;
        sent = true;
        child.kill(signal);
      },
    });
    const end = await ended;
    if (!sent) throw new Error(`Expected '${text}' in the output, got\n${end.out}\n${end.err}`);
    return end;
  }

  /** A command in the container. */
  async inside(command: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return this.call(['docker', '--base', 'bootstrap', '--', ...command], options).ended;
  }

  containers(): Promise<readonly Docker.ContainerInfo[]> {
    return containersOf(this.docker, this.work);
  }

  /** Files of the project that are not the caller's. */
  foreignFiles(): string {
    return execFileSync('find', [this.project.directory, '!', '-uid', String(uid)], { encoding: 'utf8' });
  }
}

/**
 * Copies the laboratory's project, without what was built there, and makes the
 * image. The compiler cache and the downloads are copies too, so that the
 * caller may write there.
 */
export async function containerProject(): Promise<ContainerProject> {
  const laboratory = inject('laboratory');
  const { project: original } = filesOf(laboratory);
  const top = join(laboratory, 'container');
  const [home, ccache] = [join(top, 'home'), join(top, 'ccache')];
  rmSync(top, { recursive: true, force: true });
  mkdirSync(join(home, 'cache', 'stopwatch'), { recursive: true });
  chmodSync(laboratory, 0o755);
  cpSync(original.directory, join(top, 'project'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== original.work,
  });
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'stopwatch', 'downloads');
  const copies = [
    [cache, join(home, 'cache', 'stopwatch', 'downloads')],
    [original.env['CCACHE_DIR'] ?? '', ccache],
  ] as const;
  for (const [from, to] of copies) if (existsSync(from)) cpSync(from, to, { recursive: true });
  const env = { ...environment(join(top, 'tmp'), ccache), HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
  const project = projectIn(join(top, 'project'), env);
  // As root where possible: the caller may have no right to bootstrap an image.
  await must(process.execPath, [mainOf(project), 'docker', '--base', 'bootstrap', '--', 'true'], {
    cwd: project.directory,
    env: { ...env, DOCKER_HOST: address ?? '' },
  });
  if (asRoot) execFileSync('chown', ['-R', `${CALLER}:${gid}`, top]);
  const docker = await connect({ env: { DOCKER_HOST: address }, home: homedir() }, never);
  return new ContainerProject(project, docker);
}
