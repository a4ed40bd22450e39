// SPDX-License-Identifier: MIT
/** `docker-all` and `docker`: a command in a container, on the project as it is here. */
import { PRODUCT } from '../../../lib/product.js';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { type RunStreams, runInContainer } from '../../../docker/container.js';
import { connect } from '../../../docker/daemon.js';
import { ensureImage } from '../../../docker/image.js';
import { removeLeftovers } from '../../../docker/leftovers.js';
import { thisOwner } from '../../../lib/process/owner.js';
import { baseEnvironment } from '../../../lib/environment.js';
import { errnoOf } from '../../../lib/errno.js';
import { StopwatchError } from '../../../lib/errors.js';
import { ccacheDirectory } from '../../build/ccache-directory.js';
import { containerWork } from '../../build/layout.js';
import { cacheDirectory } from '../../build/sources.js';
import type { Services } from '../../config/services.js';
import { containerEnvironment, ownTrees, type Places, programDirectories, summaryFile } from './plan.js';

export interface DockerOptions {
  /** 'default', 'bootstrap', or the reference of an image. */
  readonly base: string;
  readonly rebuild?: true;
  readonly network?: string;
}

/** The task that the lines of the image's build are printed under. */
const TASK = 'docker:image';

/** Gives the command's exit code. `typing`: what is typed goes to the command. */
export async function inContainer(
  services: Services,
  options: DockerOptions,
  command: readonly string[],
  typing: boolean,
): Promise<number> {
  const { loaded, environment, signal } = services;
  const { package: own, project } = loaded.paths;
  const certificates = await extraCertificates(environment);
  const docker = await connect({ env: environment, home: environment['HOME'] || homedir() }, signal);
  const image = await makeImage(services, docker, options);

  const places = await makePlaces(services);
  const left = (await removeLeftovers(docker, places.work)).length;
  if (left > 0)
    notice(
      services,
      `Removed ${left === 1 ? 'a container' : `${left} containers`} that a killed run had left`,
    );
  const directories = await withTargets([
    project,
    ...Object.values(places),
    ...ownTrees(loaded.config).map(([, tree]) => tree),
    ...summaryFile(environment),
  ]);
  const program = await withTargets(programDirectories(own));
  await services.release();
  const request = {
    image,
    command,
    directory: process.cwd(),
    directories,
    readOnly: program.filter(
      (path) => !directories.some((directory) => path === directory || path.startsWith(`${directory}/`)),
    ),
    env: containerEnvironment(environment, places),
    user: thisUser(),
    certificates,
    network: options.network,
    work: places.work,
    owner: thisOwner(),
    main: join(own, 'dist', 'stopwatch.js'),
  };
  return runInContainer(docker, request, streams(services, typing), signal);
}

function notice({ emit }: Services, text: string, task?: string): void {
  emit({ type: 'notice', task, text });
}

async function makeImage(
  services: Services,
  docker: Docker,
  { base, rebuild }: DockerOptions,
): Promise<string> {
  const { environment, signal, emit, loaded } = services;
  const { tag, sizeBytes, built, removed } = await ensureImage(
    {
      docker,
      processes: await services.processes(),
      env: baseEnvironment(environment),
      userEnv: environment,
      signal,
      onLine: (line) => emit({ type: 'task-line', task: TASK, line }),
    },
    {
      dockerfile: await readFile(join(loaded.paths.package, 'docker', 'Dockerfile'), 'utf8'),
      base,
      rebuild: rebuild === true,
    },
  );
  if (built) notice(services, `Built the image ${tag} (${megabytes(sizeBytes)})`, TASK);
  for (const image of removed)
    notice(services, `Removed ${image.tag} (${megabytes(image.sizeBytes)}), an image of older inputs`, TASK);
  return tag;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** Makes what is to be mounted: what is missing the daemon would make, as root. */
async function makePlaces(services: Services): Promise<Places> {
  const { loaded, environment } = services;
  const places: Places = {
    work: containerWork(loaded.paths.work),
    downloads: cacheDirectory(loaded.config, environment),
    ccache: await ccacheDirectory(services),
  };
  for (const path of Object.values(places)) {
    try {
      await mkdir(path, { recursive: true });
    } catch (cause) {
      const { code, message } = errnoOf(cause);
      throw new StopwatchError(
        code === 'ENOSPC' ? 'disk-full' : 'permission-denied',
        `Cannot make ${path}, which is to be mounted into the container: ${message}`,
        { hint: 'make it writable for you, or choose another directory', cause },
      );
    }
  }
  return places;
}

/** The paths, and where they lead to if they are links: inside, a link needs its target. */
async function withTargets(paths: readonly string[]): Promise<readonly string[]> {
  const targets = await Promise.all(paths.map(async (path) => realpath(path).catch(() => path)));
  return [...new Set([...paths, ...targets])];
}

function thisUser(): { uid: number; gid: number; name: string } {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  try {
    return { uid, gid, name: userInfo().username };
  } catch {
    // A user without an entry in /etc/passwd.
    return { uid, gid, name: PRODUCT };
  }
}

/**
 * The authorities that Node trusts besides its own (`NODE_EXTRA_CA_CERTS`), as PEM: where a proxy has a certificate of the
 * user's own, it has it for the container too. Throws 'file-unreadable'.
 */
async function extraCertificates(environment: Services['environment']): Promise<string | undefined> {
  const file = environment['NODE_EXTRA_CA_CERTS'];
  if (!file) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StopwatchError(
      'file-unreadable',
      `NODE_EXTRA_CA_CERTS names ${file}, which cannot be read: ${errnoOf(cause).message}`,
      { hint: 'name a file of certificates in PEM, or unset the variable', cause },
    );
  }
}

/** A terminal at both ends, where there is one here; with --json the two streams stay apart. */
function streams({ json }: Services, typing: boolean): RunStreams {
  const { stdin, stdout, stderr } = process;
  if (!stdout.isTTY || !stderr.isTTY || json) return { stdout, stderr };
  const terminal = {
    input: typing ? stdin : undefined,
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize: (callback: () => void) => {
      stdout.on('resize', callback);
      return () => stdout.off('resize', callback);
    },
  };
  return { stdout, stderr, terminal };
}
