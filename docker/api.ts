// SPDX-License-Identifier: MIT
/** Helpers for requests to the daemon: archives, progress, images. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type Docker from 'dockerode';
import { Header } from 'tar';
import { withoutCredentials } from '../lib/credentials.js';
import { LineSplitter } from '../lib/lines.js';
import { printable } from '../lib/printable.js';
import { Tail } from '../lib/tail.js';
import { attempt, field, statusOf, textField } from './errors.js';

export type OnLine = (line: string) => void;

/** Passes lines on, and keeps the last ones for an error message. */
export function keepLast(onLine: OnLine): { readonly last: Tail; readonly onLine: OnLine } {
  const last = new Tail(20);
  const both: OnLine = (line) => {
    last.push(line);
    onLine(line);
  };
  return { last, onLine: both };
}

export interface DaemonInfo {
  /** In the spelling of images: 'amd64', 'arm64'. */
  readonly architecture: string;
  /** The daemon runs without root; root in a container is the daemon's user. */
  readonly rootless: boolean;
  /** The daemon maps the users of its containers to others (userns-remap). */
  readonly remapsUsers: boolean;
  readonly selinux: boolean;
  /** False when it was started with --bridge=none. */
  readonly hasBridge: boolean;
}

/** The daemon reports the machine name of `uname -m`; images use Go's names. */
const GO_NAMES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
};

export async function daemonInfo(docker: Docker): Promise<DaemonInfo> {
  return attempt('asking about itself', async () => {
    const info: unknown = await docker.info();
    const networks = await docker.listNetworks();
    const found = field(info, 'SecurityOptions');
    const options = Array.isArray(found) ? found.map(String) : [];
    const has = (name: string): boolean =>
      options.some((option) => option === name || option.split(',').includes(`name=${name}`));
    const machine = textField(info, 'Architecture') ?? '';
    return {
      architecture: GO_NAMES[machine] ?? machine,
      // podman has a field of its own.
      rootless: has('rootless') || field(info, 'Rootless') === true,
      remapsUsers: has('userns'),
      selinux: has('selinux'),
      hasBridge: networks.some(({ Driver }) => Driver === 'bridge'),
    };
  });
}

/** Finds an image by tag, digest or id. */
export async function findImage(docker: Docker, name: string): Promise<Docker.ImageInspectInfo | undefined> {
  return attempt(`looking for the image ${name}`, async () => {
    try {
      return await docker.getImage(name).inspect();
    } catch (cause) {
      if (statusOf(cause) !== 404) throw cause;
      return undefined;
    }
  });
}

/** Makes an image of a root file system's tar archive. */
export async function importImage(
  docker: Docker,
  tar: Readable,
  tag: string,
  labels: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const work = async (): Promise<void> => {
    const changes = Object.entries(labels).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`);
    const stream = await docker.importImage(tar, { changes, abortSignal: signal });
    let id: string | undefined;
    await follow(stream, (line) => {
      id = /sha256:[0-9a-f]{64}/.exec(line)?.[0] ?? id;
    });
    if (id === undefined) throw new Error('expected the id of the new image, got none');
    // Tag separately, because podman ignores a tag given with the import.
    const [repo = tag, version = 'latest'] = tag.split(':');
    await docker.getImage(id).tag({ repo, tag: version });
  };
  return attempt(`importing ${tag}`, work, signal);
}

/**
 * Reads the messages of a build, a pull or an import to their end, as lines. Throws the message of an 'error'.
 * A pull repeats a layer's status every few kilobytes; only changes become lines.
 */
export async function follow(stream: NodeJS.ReadableStream, onLine: OnLine): Promise<void> {
  // readline swallows errors of its input, so watch the stream itself.
  const ended = finished(stream);
  ended.catch(() => undefined);
  const statuses = new Map<string, string>();
  const text = new LineSplitter(
    (line) => {
      // The standard error of a build has colours.
      const plain = withoutCredentials(printable(line)).trimEnd();
      if (plain !== '') onLine(plain);
    },
    { carriageReturns: true },
  );
  for await (const json of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (json.trim() === '') continue;
    const message: unknown = JSON.parse(json);
    const error = textField(message, 'error');
    if (error !== undefined) {
      text.end();
      throw new Error(error);
    }
    text.push(textField(message, 'stream') ?? '');
    const [status, id = ''] = [textField(message, 'status'), textField(message, 'id')];
    if (status === undefined || statuses.get(id) === status) continue;
    statuses.set(id, status);
    onLine(id === '' ? status : `${id}: ${status}`);
  }
  await ended;
  text.end();
}

export interface ArchiveFile {
  /** Relative; at most 100 bytes, so that no extended header is needed. */
  readonly path: string;
  readonly content: string;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
}

const BLOCK = 512;

/** A tar archive with owner root, time 0 and the given order, so that equal files make equal archives. */
export function archive(files: readonly ArchiveFile[]): Buffer {
  const blocks = files.flatMap(({ path, content, mode }) => {
    const data = Buffer.from(content);
    const owner = { uid: 0, gid: 0, mtime: new Date(0) };
    const header = new Header({ path, mode, size: data.length, type: 'File', ...owner });
    if (header.encode() || header.block === undefined)
      throw new Error(`Internal error: ${path} does not fit a plain tar header`);
    return [header.block, data, Buffer.alloc(-data.length & (BLOCK - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
