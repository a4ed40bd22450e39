// SPDX-License-Identifier: MIT
/** The image that everything runs in: built when its inputs have changed, and only then. */
import { createHash } from 'node:crypto';
import { StopwatchError } from '../lib/errors.js';
import { archive } from './archive.js';
import { BASE_LABEL, BASE_REPOSITORY, type BaseDeps, bootstrapBase } from './base.js';
import { type Credentials, registryOf } from './credentials.js';
import type { Engine, EngineInfo, ImageInfo } from './engine.js';
import { type Pruned, pruneImages } from './prune.js';

/** Label of an image: the fingerprint of what it was built from. */
export const FINGERPRINT_LABEL = 'stopwatch.fingerprint';
/** To be raised when the same inputs are to give another image. */
const FORMAT = 1;
const REPOSITORY = 'stopwatch';
/** Docker knows these build arguments without ARG and keeps them out of the image. */
const PROXIES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const;

/** As the kernel, and as apt before it starts. */
const DISK_FULL = /no space left on device|enough free space/i;
/** Name with an optional registry, tag and digest; exact enough to keep nonsense from the daemon. */
const REFERENCE = /^[a-z0-9][a-z0-9._/:-]*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?$/i;

export interface ImageRequest {
  /** Text of the Dockerfile; it has a line `ARG BASE=<reference>`. */
  readonly dockerfile: string;
  /** 'default': what the Dockerfile says; 'bootstrap': made from Debian's packages; else a reference. */
  readonly base: string;
  readonly rebuild: boolean;
  /** Directory for large temporary files. */
  readonly scratch: string;
}

export interface ImageDeps extends BaseDeps {
  /** The variables of the user, for proxies. */
  readonly userEnv: Readonly<Record<string, string | undefined>>;
  /** What the user has for the registry of an image. */
  readonly credentials: (reference: string) => Promise<Credentials | undefined>;
}

export interface ReadyImage {
  readonly tag: string;
  readonly image: ImageInfo;
  /** False: it was there. */
  readonly built: boolean;
  /** Images of older inputs that went for it. */
  readonly removed: readonly Pruned[];
}

/**
 * Gives the image for these inputs. Throws StopwatchError: 'docker-failed' (pull, build, wrong architecture),
 * 'disk-full', 'interrupted', and what `bootstrapBase` throws.
 */
export async function ensureImage(deps: ImageDeps, request: ImageRequest): Promise<ReadyImage> {
  const { engine, signal, onLine } = deps;
  const info = await engine.info();
  const base = await resolveBase(deps, request, info);
  const fingerprint = imageFingerprint(request.dockerfile, base.identity, info.architecture);
  const tag = `${REPOSITORY}:${fingerprint.slice(0, 16)}`;
  const found = await engine.image(tag);
  if (!request.rebuild && isCurrent(found, fingerprint, info))
    return { tag, image: found, built: false, removed: [] };

  const reference = await base.provide();
  const last: string[] = [];
  try {
    await engine.build(
      {
        context: archive([{ path: 'Dockerfile', content: request.dockerfile, mode: 0o644 }]),
        tag,
        args: { BASE: reference, ...proxies(deps.userEnv) },
        labels: { [FINGERPRINT_LABEL]: fingerprint },
        noCache: request.rebuild,
      },
      (line) => {
        last.push(line);
        if (last.length > 20) last.shift();
        onLine(line);
      },
      signal,
    );
  } catch (error) {
    throw withLines(error, last, request.base);
  }
  const image = await engine.image(tag);
  if (image === undefined)
    throw new StopwatchError('docker-failed', `The daemon says that it built ${tag}, but has no such image`, {
      lastLines: last,
    });
  checkArchitecture(tag, image, info);
  // Now that there is a newer one; whoever has the daemon say no loses space, not the image.
  const removed = [
    ...(await pruneImages(engine, REPOSITORY, FINGERPRINT_LABEL, tag)),
    ...(await pruneImages(engine, BASE_REPOSITORY, BASE_LABEL, base.tag ?? '')),
  ];
  return { tag, image, built: true, removed };
}

/** sha256 over everything that the image depends on. */
export function imageFingerprint(dockerfile: string, base: string, architecture: string): string {
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, dockerfile, base, architecture]))
    .digest('hex');
}

/** The reference in the Dockerfile's line `ARG BASE=…`. */
export function defaultBase(dockerfile: string): string {
  const reference = /^ARG BASE=(\S+)$/m.exec(dockerfile)?.[1];
  if (reference === undefined) throw new Error('Internal error: the Dockerfile has no ARG BASE=…');
  return reference;
}

interface Base {
  /** Changes when the base's content does. */
  readonly identity: string;
  /** Of one that was made here. */
  readonly tag?: string;
  /** Makes sure that the daemon has it, and gives what FROM is to say. */
  provide(): Promise<string>;
}

/** A base pinned by its digest is asked for only when something has to be built: a warm start needs no registry. */
async function resolveBase(deps: ImageDeps, request: ImageRequest, info: EngineInfo): Promise<Base> {
  const { engine } = deps;
  const { rebuild, scratch } = request;
  if (request.base === 'bootstrap') {
    const tag = await bootstrapBase(deps, { info, scratch, rebuild });
    const { id } = await localBase(engine, tag, info);
    return { identity: id, tag, provide: () => Promise.resolve(id) };
  }
  if (!REFERENCE.test(request.base))
    throw new StopwatchError(
      'bad-usage',
      `Expected 'default', 'bootstrap' or an image such as debian:trixie-slim as the base, got '${request.base}'`,
    );
  const reference = withoutTag(request.base === 'default' ? defaultBase(request.dockerfile) : request.base);
  if (reference.includes('@sha256:')) {
    const provide = async (): Promise<string> => {
      if ((await engine.image(reference)) === undefined) await pull(deps, reference);
      await localBase(engine, reference, info);
      return reference;
    };
    return { identity: reference, provide };
  }
  if ((await engine.image(reference)) === undefined) await pull(deps, reference);
  const image = await localBase(engine, reference, info);
  // What a registry knows by a digest is named by it: a tag may move between two builds.
  const pinned = image.digests[0] ?? image.id;
  return { identity: pinned, provide: () => Promise.resolve(pinned) };
}

/** With a digest, the tag says nothing more; daemons differ in whether they find an image by both. */
function withoutTag(reference: string): string {
  const [name = '', digest] = reference.split('@');
  return digest === undefined ? reference : `${name.replace(/:[^/:]+$/, '')}@${digest}`;
}

async function pull({ engine, onLine, signal, credentials }: ImageDeps, reference: string): Promise<void> {
  const known = await credentials(reference);
  try {
    await engine.pull(reference, onLine, signal, known);
  } catch (error) {
    if (!(error instanceof StopwatchError) || error.code !== 'docker-failed') throw error;
    if (/no matching manifest/.test(error.message)) throw error;
    throw new StopwatchError(error.code, error.message, {
      hint: pullHint(error.message, reference, known),
      cause: error,
    });
  }
}

function pullHint(text: string, reference: string, known: Credentials | undefined): string {
  // As registries and daemons word that somebody may not.
  if (!/unauthorized|denied|no basic auth|authentication required|incorrect username/i.test(text))
    return 'check the network and the proxy of the daemon; where no registry can be reached, use `--base bootstrap`';
  const login = `\`docker login ${registryOf(reference)}\``;
  return known === undefined
    ? `the registry may want a name and password: ${login}, or an entry in the config.json of Docker’s client`
    : `the registry does not take the name and password that Docker’s client has for it: ${login}`;
}

async function localBase(engine: Engine, reference: string, info: EngineInfo): Promise<ImageInfo> {
  const image = await engine.image(reference);
  if (image === undefined)
    throw new StopwatchError(
      'docker-failed',
      `The base image ${reference} is not there after it was fetched`,
      {
        hint: 'somebody removed it meanwhile: run again',
      },
    );
  checkArchitecture(reference, image, info);
  return image;
}

function checkArchitecture(name: string, image: ImageInfo, info: EngineInfo): void {
  if (image.architecture === info.architecture) return;
  throw new StopwatchError(
    'docker-failed',
    `The image ${name} is for another architecture: expected ${info.architecture}, which the daemon runs on, got ${image.architecture}`,
    { hint: `remove it (\`docker image rm --force ${name}\`) and run again` },
  );
}

function isCurrent(image: ImageInfo | undefined, fingerprint: string, info: EngineInfo): image is ImageInfo {
  if (image?.labels[FINGERPRINT_LABEL] !== fingerprint) return false;
  return image.architecture === info.architecture;
}

function proxies(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(PROXIES.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

/** A build's failure is explained by what it printed, and by the base if that was somebody's own. */
function withLines(error: unknown, lastLines: readonly string[], base: string): unknown {
  if (!(error instanceof StopwatchError)) return error;
  if (error.code === 'interrupted' || error.code === 'docker-unreachable') return error;
  const full = error.code === 'disk-full' || lastLines.some((line) => DISK_FULL.test(line));
  const own = base !== 'default' && base !== 'bootstrap';
  // The daemon repeats the whole command of the step.
  const message = error.message
    .replace(/(?<=The command '.{40}).*(?=' returned)/s, ' …')
    .replaceAll(/\s+/g, ' ');
  if (full)
    return new StopwatchError('disk-full', message, {
      hint: 'free space where the daemon keeps its data: the image takes 1 GiB while it is built',
      lastLines,
      cause: error,
    });
  return new StopwatchError(
    'docker-failed',
    own ? `${base} cannot be the base of the image: ${message}` : message,
    {
      hint: own
        ? 'a base has to be Debian 13 or newer, or made from it: its apt-get installs the packages, and its nodejs has to be 20.19 or newer'
        : 'the last lines say why; --rebuild builds without old layers',
      lastLines,
      cause: error,
    },
  );
}
