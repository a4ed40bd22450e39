// SPDX-License-Identifier: MIT
/** A command in a container, as the caller, with this machine's directories at their own paths. */
import { PRODUCT } from '../lib/product.js';
import { stat } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { StopwatchError } from '../lib/errors.js';
import { archive, type DaemonInfo, daemonInfo } from './api.js';
import { attempt, field } from './errors.js';
import type { Owner } from '../lib/process/owner.js';
import { OWNER_LABEL, removeContainer, WORK_LABEL } from './leftovers.js';

/** The Dockerfile makes this directory, writable for everybody. */
const CONTAINER_HOME = '/home/stopwatch';
/** The certificates' path in the container, relative to its root. */
const CERTIFICATES = 'etc/stopwatch-certificates.pem';
/** Seconds from SIGINT until the command is killed. */
const STOP_SECONDS = 10;
/** A mount here would hide the image's own files. The exception is node_modules, for a package installed for all users. */
const SYSTEM =
  /^\/(?:$|(?:bin|boot|dev|etc|lib|lib32|lib64|proc|run|sbin|sys|usr)(?:\/|$))(?!.*\/node_modules$)/;

export interface RunRequest {
  /** Tag or id. */
  readonly image: string;
  readonly command: readonly string[];
  /** Where the command starts; must be in one of the directories below. */
  readonly directory: string;
  /** Absolute paths of this machine, mounted at the same path inside. They must exist. */
  readonly directories: readonly string[];
  /** The same, but read-only. */
  readonly readOnly?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Additional certificate authorities for Node inside, in PEM. Passed as text: their file may be where nothing can be mounted. */
  readonly certificates?: string | undefined;
  /** A docker network; absent: the bridge, or the host's where the daemon has no bridge. */
  readonly network?: string | undefined;
  /** The work directory and the process that own the container. */
  readonly work: string;
  readonly owner: Owner;
  /** This program's main file, which the command `stopwatch` runs inside. */
  readonly main: string;
}

/** Where the output goes, and the terminal if there is one. */
export interface RunStreams {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Set when `stdout` is a terminal. */
  readonly terminal?: Terminal | undefined;
}

export interface Terminal {
  /** Set for a shell: the container's input, byte by byte. */
  readonly input?: NodeJS.ReadStream | undefined;
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back on every change of size; returns a function that stops this. */
  onResize(callback: () => void): () => void;
}

/**
 * Returns the command's exit code. On abort, the command gets SIGINT, and SIGKILL after ten seconds; then throws
 * StopwatchError 'interrupted'. Always removes the container.
 */
export async function runInContainer(
  docker: Docker,
  request: RunRequest,
  { stdout, stderr, terminal }: RunStreams,
  signal: AbortSignal,
): Promise<number> {
  await checkDirectories([...request.directories, ...(request.readOnly ?? [])]);
  const options = containerOptions(request, await daemonInfo(docker), terminal);
  if (signal.aborted) throw interrupted();
  const container = await attempt('creating the container', async () => docker.createContainer(options));
  let stopping: Promise<unknown> | undefined;
  let failed = false;
  const stop = (): void => {
    // A failure here happens again, and is reported, when the container is removed.
    stopping = container.stop({ t: STOP_SECONDS }).catch(() => undefined);
  };
  try {
    await attempt('writing into the container', async () =>
      container.putArchive(containerFiles(request), { path: '/' }),
    );
    // Attach before the start, so that no output is lost.
    const { input, ended } = await attach(docker, container, { stdout, stderr, terminal });
    const exited = exitCode(docker, container);
    exited.catch(() => undefined);
    await attempt('starting the container', async () => container.start());
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const disconnect = await connectTerminal(container, terminal, input);
    try {
      const code = await exited;
      await ended;
      if (signal.aborted) throw interrupted();
      return code;
    } finally {
      disconnect();
    }
  } catch (error) {
    failed = true;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await stopping;
    await removeContainer(container).catch((error: unknown) => {
      // The first failure explains more: a daemon that has gone cannot remove the container either.
      if (!failed) throw error;
    });
  }
}

function interrupted(): StopwatchError {
  return new StopwatchError('interrupted', 'Interrupted; the container was removed');
}

/** podman would create missing directories, as root. */
async function checkDirectories(paths: readonly string[]): Promise<void> {
  for (const path of paths)
    await stat(path).catch((cause: unknown) => {
      throw new StopwatchError(
        'file-unreadable',
        `${path} is to be mounted into the container, but is not there`,
        { hint: 'make it, or leave it out', cause },
      );
    });
}

/** The container gets no rights that the user's processes do not have outside. Throws StopwatchError 'bad-usage'. */
export function containerOptions(
  request: RunRequest,
  info: DaemonInfo,
  terminal: Terminal | undefined,
): Docker.ContainerCreateOptions {
  const { uid, gid } = request.user;
  const env = {
    HOME: CONTAINER_HOME,
    ...request.env,
    ...(request.certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: `/${CERTIFICATES}` }),
  };
  const network = request.network ?? (info.hasBridge ? undefined : 'host');
  const size = terminal?.size();
  const isTyped = terminal?.input !== undefined;
  return {
    Image: request.image,
    Cmd: [...request.command],
    // A rootless daemon maps its user to root inside. Only root's new files then belong to the caller.
    User: info.rootless ? '0:0' : `${uid}:${gid}`,
    WorkingDir: request.directory,
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: { [WORK_LABEL]: request.work, [OWNER_LABEL]: JSON.stringify(request.owner) },
    Tty: terminal !== undefined,
    OpenStdin: isTyped,
    StdinOnce: isTyped,
    AttachStdin: isTyped,
    AttachStdout: true,
    AttachStderr: true,
    StopSignal: 'SIGINT',
    HostConfig: {
      CapDrop: ['ALL'],
      // Docker 23 and later start with this size; connectTerminal() sets it for older ones.
      ...(size === undefined ? {} : { ConsoleSize: [size.rows, size.columns] }),
      // A bind mount keeps its SELinux label, and relabelling the user's files would be worse.
      SecurityOpt: ['no-new-privileges', ...(info.selinux ? ['label=disable'] : [])],
      Mounts: mounts(request.directories, request.readOnly ?? []),
      ...(network === undefined ? {} : { NetworkMode: network }),
      ...(info.remapsUsers ? { UsernsMode: 'host' } : {}),
    },
  };
}

/** One mount for each directory that is not below another one of the same kind. */
export function mounts(writable: readonly string[], readOnly: readonly string[]): Docker.MountSettings[] {
  const top = outermost(writable);
  const rest = outermost(readOnly).filter((path) => !top.includes(path));
  const bad = [...top, ...rest].find((path) => !path.startsWith('/') || SYSTEM.test(path));
  if (bad !== undefined)
    throw new StopwatchError('bad-usage', `${bad} cannot be mounted into the container at the same place`, {
      hint: 'put the project, its work directory and its caches below your home directory or another directory of your own',
    });
  // A mount below another one must come after it.
  return [...top.map((path) => mount(path, false)), ...rest.map((path) => mount(path, true))].sort(
    (a, b) => a.Target.length - b.Target.length,
  );
}

function mount(path: string, ReadOnly: boolean): Docker.MountSettings {
  return { Type: 'bind', Source: path, Target: path, ReadOnly };
}

function outermost(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

/** Files that the image cannot contain: the user's name, which programs look up, and the path of this program. */
function containerFiles({ user: { uid, gid, name }, main, certificates }: RunRequest): Buffer {
  const login =
    /^[a-z_][a-z0-9_-]{0,31}$/i.test(name) && name !== 'root' && name !== 'nobody' ? name : PRODUCT;
  const users = [
    'root:x:0:0:root:/root:/bin/bash',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    ...(uid === 0 ? [] : [`${login}:x:${uid}:${gid}::${CONTAINER_HOME}:/bin/bash`]),
  ];
  const groups = ['root:x:0:', 'tty:x:5:', 'nogroup:x:65534:', ...(gid === 0 ? [] : [`${login}:x:${gid}:`])];
  const quotedMain = `'${main.replaceAll("'", "'\\''")}'`;
  return archive([
    { path: 'etc/passwd', content: `${users.join('\n')}\n`, mode: 0o644 },
    { path: 'etc/group', content: `${groups.join('\n')}\n`, mode: 0o644 },
    { path: 'usr/local/bin/stopwatch', content: `#!/bin/sh\nexec node ${quotedMain} "$@"\n`, mode: 0o755 },
    ...(certificates === undefined ? [] : [{ path: CERTIFICATES, content: certificates, mode: 0o644 }]),
  ]);
}

/** `ended` resolves once all output has been passed on. `input`: the container's standard input. */
async function attach(
  docker: Docker,
  container: Docker.Container,
  { stdout, stderr, terminal }: RunStreams,
): Promise<{ readonly input: NodeJS.WritableStream | undefined; readonly ended: Promise<void> }> {
  const isTyped = terminal?.input !== undefined;
  // Only an upgraded connection (`hijack`) can be written to.
  const options = { stream: true, stdout: true, stderr: true, stdin: isTyped, hijack: isTyped };
  const stream = await attempt('attaching to the container', async () => container.attach(options));
  // On a terminal, standard output and error are one stream.
  if (terminal !== undefined) stream.pipe(stdout, { end: false });
  else docker.modem.demuxStream(stream, stdout, stderr);
  const ended = finished(stream, { writable: false }).catch(() => undefined);
  return { input: isTyped ? stream : undefined, ended };
}

/** Replaces `container.wait()`, which never returns if the daemon dies while it answers. */
async function exitCode(docker: Docker, container: Docker.Container): Promise<number> {
  const request = {
    path: `/containers/${container.id}/wait?`,
    options: { condition: 'next-exit' },
    method: 'POST',
    isStream: true,
    statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
  };
  return attempt('waiting for the container', async () => {
    const answer = await new Promise<Readable>((resolve, reject) => {
      docker.modem.dial(request, (error: unknown, stream: unknown) => {
        if (stream instanceof Readable) resolve(stream);
        else reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
    const result = await text(answer);
    const code = field(JSON.parse(result), 'StatusCode');
    if (typeof code !== 'number') throw new Error(`expected an exit code, got ${result}`);
    return code;
  });
}

/** Passes on the size and the keys; returns a function that restores our terminal. */
async function connectTerminal(
  container: Docker.Container,
  terminal: Terminal | undefined,
  input: NodeJS.WritableStream | undefined,
): Promise<() => void> {
  if (terminal === undefined) return () => undefined;
  const resize = async (): Promise<void> => {
    const { columns, rows } = terminal.size();
    // Fails if the command has ended meanwhile.
    await container.resize({ w: columns, h: rows }).catch(() => undefined);
  };
  const unlisten = terminal.onResize(() => void resize());
  await resize();
  const keys = terminal.input;
  if (keys === undefined || input === undefined) return unlisten;
  keys.setRawMode(true);
  keys.pipe(input);
  return () => {
    unlisten();
    keys.unpipe(input);
    keys.setRawMode(false);
    keys.pause();
    input.end();
  };
}
