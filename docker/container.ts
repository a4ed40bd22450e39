// SPDX-License-Identifier: MIT
/** Runs one command in a container, as if it ran here: same user, same paths, same output, same exit code. */
import { stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { StopwatchError } from '../lib/errors.js';
import { archive } from './archive.js';
import type { Bind, ContainerSpec, Engine, EngineContainer, EngineInfo } from './engine.js';
import { OWNER_LABEL, type Owner, WORK_LABEL } from './owner.js';

/** The Dockerfile makes this directory, writable for everybody. */
export const CONTAINER_HOME = '/home/stopwatch';
/** Where the container has them, relative to its root. */
const CERTIFICATES = 'etc/stopwatch-certificates.pem';
/** The command gets this long after SIGINT before it is killed, seconds. */
const STOP_SECONDS = 10;
/** Mounting the user's files over these would hide the image's own; a package installed for all users hides nothing. */
const SYSTEM =
  /^\/(?:$|(?:bin|boot|dev|etc|lib|lib32|lib64|proc|run|sbin|sys|usr)(?:\/|$))(?!.*\/node_modules$)/;

export interface RunRequest {
  /** Tag or id. */
  readonly image: string;
  readonly command: readonly string[];
  /** Where the command starts; one of the directories below must hold it. */
  readonly directory: string;
  /** Absolute paths of this machine that appear at the same place inside. They must exist. */
  readonly directories: readonly string[];
  /** Likewise, but nobody can write there. */
  readonly readOnly?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Authorities that Node inside trusts beside its own, in PEM: their file may be where nothing can be mounted. */
  readonly certificates?: string;
  /** A docker network; absent: the bridge, or the host's where the daemon has no bridge. */
  readonly network?: string;
  /** The work directory and the process that the container is for. */
  readonly work: string;
  readonly owner: Owner;
  /** This program's main file: what the command `stopwatch` runs inside. */
  readonly main: string;
}

/** Where the output goes, and whether a terminal is at both ends. */
export interface RunStreams {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Set when `stdout` is a terminal. */
  readonly terminal?: {
    /** Set for a shell: what is typed goes to the container, byte by byte. */
    readonly input?: NodeJS.ReadStream;
    size(): { readonly columns: number; readonly rows: number };
    /** Calls back at every change of size; gives a function that stops this. */
    onResize(callback: () => void): () => void;
  };
}

/**
 * Gives the command's exit code. Aborted: the command gets SIGINT, after ten seconds SIGKILL, and the result is
 * StopwatchError 'interrupted'. However it ends, the container is removed.
 */
export async function runInContainer(
  engine: Engine,
  request: RunRequest,
  streams: RunStreams,
  signal: AbortSignal,
): Promise<number> {
  await checkDirectories([...request.directories, ...(request.readOnly ?? [])]);
  const info = await engine.info();
  const spec = containerSpec(request, info, streams.terminal);
  if (signal.aborted) throw stopped();
  const container = await engine.create(spec);
  let stopping: Promise<void> | undefined;
  let failed = false;
  const stop = (): void => {
    // What fails here fails again, and is reported, when the container is removed.
    stopping = container.stop().catch(() => undefined);
  };
  try {
    await container.put(containerFiles(request), '/');
    const { input, ended } = await container.attach(streams.stdout, streams.stderr);
    const exited = container.wait();
    exited.catch(() => undefined);
    await container.start();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const disconnect = await connectTerminal(container, streams.terminal, input);
    try {
      const code = await exited;
      await ended;
      if (signal.aborted) throw stopped();
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
    await container.remove().catch((error: unknown) => {
      // What went wrong first says more: a daemon that is gone cannot remove anything either.
      if (!failed) throw error;
    });
  }
}

/** podman would make what is missing, as root. */
async function checkDirectories(paths: readonly string[]): Promise<void> {
  for (const path of paths)
    await stat(path).catch((cause: unknown) => {
      throw new StopwatchError(
        'file-unreadable',
        `${path} is to be mounted into the container, but is not there`,
        {
          hint: 'make it, or leave it out',
          cause,
        },
      );
    });
}

function stopped(): StopwatchError {
  return new StopwatchError('interrupted', 'Interrupted; the container was removed');
}

/** What the container is made of. Throws StopwatchError 'bad-usage' when a directory cannot be mounted where it is. */
export function containerSpec(
  request: RunRequest,
  info: EngineInfo,
  terminal: RunStreams['terminal'],
): ContainerSpec {
  const { uid, gid } = request.user;
  return {
    image: request.image,
    command: request.command,
    // A daemon without root maps its own user to root inside: only so do new files belong to the caller.
    user: info.rootless ? '0:0' : `${uid}:${gid}`,
    directory: request.directory,
    env: {
      HOME: CONTAINER_HOME,
      ...request.env,
      ...(request.certificates === undefined ? {} : { NODE_EXTRA_CA_CERTS: `/${CERTIFICATES}` }),
    },
    binds: binds(request.directories, request.readOnly ?? []),
    labels: { [WORK_LABEL]: request.work, [OWNER_LABEL]: JSON.stringify(request.owner) },
    network: request.network ?? (info.hasBridge ? undefined : 'host'),
    userNamespace: info.remapsUsers ? 'host' : undefined,
    // A bind mount keeps its SELinux label; to relabel the user's own files would be worse.
    securityOptions: ['no-new-privileges', ...(info.selinux ? ['label=disable'] : [])],
    tty: terminal?.size(),
    openStdin: terminal?.input !== undefined,
    stopSeconds: STOP_SECONDS,
  };
}

/** One mount for each directory that is not inside another one of the same kind. */
export function binds(writable: readonly string[], readOnly: readonly string[]): readonly Bind[] {
  const top = outermost(writable);
  const all = [
    ...top.map((path) => ({ source: path, target: path, readOnly: false })),
    ...outermost(readOnly)
      .filter((path) => !top.includes(path))
      .map((path) => ({ source: path, target: path, readOnly: true })),
  ];
  const bad = all.find(({ source }) => !source.startsWith('/') || SYSTEM.test(source));
  if (bad !== undefined)
    throw new StopwatchError(
      'bad-usage',
      `${bad.source} cannot be mounted into the container at the same place`,
      {
        hint: 'put the project, its work directory and its caches below your home directory or another directory of your own',
      },
    );
  // A mount inside another one has to come after it.
  return all.sort((a, b) => a.target.length - b.target.length);
}

function outermost(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
}

/** What the image cannot know: the user, whose name programs ask for, and where this program is. */
function containerFiles({ user: { uid, gid, name }, main, certificates }: RunRequest): Buffer {
  const login =
    /^[a-z_][a-z0-9_-]{0,31}$/i.test(name) && name !== 'root' && name !== 'nobody' ? name : 'stopwatch';
  const users = [
    'root:x:0:0:root:/root:/bin/bash',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    ...(uid === 0 ? [] : [`${login}:x:${uid}:${gid}::${CONTAINER_HOME}:/bin/bash`]),
  ];
  const groups = ['root:x:0:', 'tty:x:5:', 'nogroup:x:65534:', ...(gid === 0 ? [] : [`${login}:x:${gid}:`])];
  return archive([
    { path: 'etc/passwd', content: `${users.join('\n')}\n`, mode: 0o644 },
    { path: 'etc/group', content: `${groups.join('\n')}\n`, mode: 0o644 },
    { path: 'usr/local/bin/stopwatch', content: `#!/bin/sh\nexec node ${quoted(main)} "$@"\n`, mode: 0o755 },
    ...(certificates === undefined ? [] : [{ path: CERTIFICATES, content: certificates, mode: 0o644 }]),
  ]);
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

/** Hands on size and keys; gives a function that puts our terminal back as it was. */
async function connectTerminal(
  container: EngineContainer,
  terminal: RunStreams['terminal'],
  input: NodeJS.WritableStream | undefined,
): Promise<() => void> {
  if (terminal === undefined) return () => undefined;
  const resize = async (): Promise<void> => {
    const { columns, rows } = terminal.size();
    // The command may have ended meanwhile: then nobody needs the size.
    await container.resize(columns, rows).catch(() => undefined);
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
