// SPDX-License-Identifier: MIT
/** The image that commands run in. It is built only when its inputs have changed. */
import { PRODUCT } from '../lib/product.js';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { StopwatchError } from '../lib/errors.js';
import { archive, type DaemonInfo, daemonInfo, findImage, follow, keepLast } from './api.js';
import { BASE_LABEL, BASE_REPOSITORY, type BaseDeps, bootstrapBase } from './base.js';
import { attempt, statusOf } from './errors.js';

/** Label of an image: the fingerprint of what it was built from. */
export const FINGERPRINT_LABEL = 'stopwatch.fingerprint';
/** Raise this when the same inputs must give another image. */
const FORMAT = 1;
const REPOSITORY = PRODUCT;
/** How many images of one kind are kept, including the current one. */
export const KEPT_IMAGES = 3;
/** Docker knows these build arguments without ARG and keeps them out of the image. */
const PROXIES = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'] as const;

/** The kernel's words, and apt's before it starts. */
const DISK_FULL = /no space left on device|enough free space/i;
/** A name with an optional registry, tag and digest. */
const REFERENCE = /^[a-z0-9][\w./:-]*(?:@sha256:[0-9a-f]{64})?$/i;

export interface ImageRequest {
  /** The text of the Dockerfile, which contains the line `ARG BASE=<reference>`. */
  readonly dockerfile: string;
  /** 'default': the Dockerfile's; 'bootstrap': made from Debian's packages; otherwise a reference. */
  readonly base: string;
  readonly rebuild: boolean;
}

export interface ImageDeps extends BaseDeps {
  /** The user's environment, for proxies. */
  readonly userEnv: Readonly<Record<string, string | undefined>>;
}

export interface ReadyImage {
  readonly tag: string;
  readonly sizeBytes: number;
  /** False if it existed already. */
  readonly built: boolean;
  /** Images of older inputs that were removed. */
  readonly removed: readonly Pruned[];
}

/**
 * Returns the image for these inputs. Throws StopwatchError: 'docker-failed' (pull, build, wrong architecture),
 * 'disk-full', 'interrupted', and what `bootstrapBase` throws.
 */
export async function ensureImage(deps: ImageDeps, request: ImageRequest): Promise<ReadyImage> {
  const { docker } = deps;
  const info = await daemonInfo(docker);
  const base = await resolveBase(deps, request, info);
  const fingerprint = imageFingerprint(request.dockerfile, base.identity, info.architecture);
  const tag = `${REPOSITORY}:${fingerprint.slice(0, 16)}`;
  const found = await findImage(docker, tag);
  if (
    !request.rebuild &&
    found?.Config.Labels?.[FINGERPRINT_LABEL] === fingerprint &&
    found.Architecture === info.architecture
  )
    return { tag, sizeBytes: found.Size, built: false, removed: [] };

  await build(deps, request, { tag, fingerprint, base: await base.provide(), proxies: base.proxies });
  const { Size } = await usableImage(docker, tag, info);
  const removed = [
    ...(await pruneImages(docker, REPOSITORY, FINGERPRINT_LABEL, tag)),
    ...(await pruneImages(docker, BASE_REPOSITORY, BASE_LABEL, base.tag ?? '')),
  ];
  return { tag, sizeBytes: Size, built: true, removed };
}

/** The SHA-256 of everything that the image depends on. */
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
  /** The tag, if it was made here. */
  readonly tag?: string;
  /** Proxies for its packages that are not stored in it. */
  readonly proxies?: Readonly<Record<string, string>>;
  /** Ensures that the daemon has it, and returns the reference for FROM. */
  provide(): Promise<string>;
}

/** A base with a digest is fetched only for a build, so that a warm start needs no registry. */
async function resolveBase(deps: ImageDeps, request: ImageRequest, info: DaemonInfo): Promise<Base> {
  const { docker } = deps;
  if (request.base === 'bootstrap') {
    const { tag, proxies } = await bootstrapBase(deps, { info, rebuild: request.rebuild });
    const { Id } = await usableImage(docker, tag, info);
    return { identity: Id, tag, proxies, provide: async () => Id };
  }
  if (!REFERENCE.test(request.base))
    throw new StopwatchError(
      'bad-usage',
      `Expected 'default', 'bootstrap' or an image such as debian:trixie-slim as the base, got '${request.base}'`,
    );
  const reference = withoutTag(request.base === 'default' ? defaultBase(request.dockerfile) : request.base);
  const fetched = async (): Promise<Docker.ImageInspectInfo> => {
    if ((await findImage(docker, reference)) === undefined) await pull(deps, reference);
    return usableImage(docker, reference, info);
  };
  if (reference.includes('@sha256:'))
    return { identity: reference, provide: async () => fetched().then(() => reference) };
  const image = await fetched();
  // Use the digest if it came from a registry, because a tag may move between two builds.
  const pinned = image.RepoDigests?.[0] ?? image.Id;
  return { identity: pinned, provide: async () => pinned };
}

/** Not every daemon finds an image by its tag and digest together; the digest alone is enough. */
function withoutTag(reference: string): string {
  const [name = '', digest] = reference.split('@');
  return digest === undefined ? reference : `${name.replace(/:[^/:]+$/, '')}@${digest}`;
}

async function pull({ docker, onLine, signal }: ImageDeps, reference: string): Promise<void> {
  const [named = '', digest] = reference.split('@');
  const [, fromImage = named, tag] = /^(.*?)(?::([^/:]+))?$/.exec(named) ?? [];
  const query = { fromImage, tag: digest ?? tag ?? 'latest', abortSignal: signal };
  const work = async (): Promise<void> => follow(await docker.createImage(undefined, query), onLine);
  try {
    await attempt(`pulling ${reference}`, work, signal);
  } catch (error) {
    if (!(error instanceof StopwatchError) || error.code !== 'docker-failed') throw error;
    if (/no matching manifest/.test(error.message)) throw error;
    throw new StopwatchError(error.code, error.message, {
      hint: pullHint(error.message, reference),
      cause: error,
    });
  }
}

export function pullHint(message: string, reference: string): string {
  // The words with which registries and daemons refuse.
  return /unauthorized|denied|no basic auth|authentication required/i.test(message)
    ? `where the registry wants a name and password, fetch the image yourself: \`docker login\`, then \`docker pull ${reference}\``
    : 'check the network and the proxy of the daemon; where no registry can be reached, use `--base bootstrap`';
}

/** Finds the image. Throws 'docker-failed' if it does not exist or is for another architecture. */
async function usableImage(
  docker: Docker,
  name: string,
  { architecture }: DaemonInfo,
): Promise<Docker.ImageInspectInfo> {
  const image = await findImage(docker, name);
  if (image === undefined)
    throw new StopwatchError('docker-failed', `The daemon made or fetched ${name}, but has no such image`, {
      hint: 'another process removed it: run again',
    });
  if (image.Architecture === architecture) return image;
  throw new StopwatchError(
    'docker-failed',
    `The image ${name} is for another architecture: expected ${architecture}, which the daemon runs on, got ${image.Architecture}`,
    { hint: `remove it (\`docker image rm --force ${name}\`) and run again` },
  );
}

async function build(
  { docker, userEnv, signal, onLine }: ImageDeps,
  { dockerfile, base, rebuild }: ImageRequest,
  made: {
    readonly tag: string;
    readonly fingerprint: string;
    readonly base: string;
    readonly proxies: Base['proxies'];
  },
): Promise<void> {
  const proxies = Object.fromEntries(
    PROXIES.flatMap((name) => (userEnv[name] ? [[name, userEnv[name]]] : [])),
  );
  const context = archive([{ path: 'Dockerfile', content: dockerfile, mode: 0o644 }]);
  const options = {
    t: made.tag,
    buildargs: { BASE: made.base, ...made.proxies, ...proxies },
    labels: { [FINGERPRINT_LABEL]: made.fingerprint },
    nocache: rebuild,
    rm: true,
    forcerm: true,
    // A mirror or proxy may listen only on this machine, and the daemon may have no bridge.
    networkmode: 'host',
    abortSignal: signal,
  };
  const { last, onLine: both } = keepLast(onLine);
  const work = async (): Promise<void> =>
    follow(await docker.buildImage(Readable.from([context]), options), both);
  try {
    await attempt(`building the image ${made.tag}`, work, signal);
  } catch (error) {
    throw explained(error, last.lines, base);
  }
}

/** Explains a failed build from its output, and from the base if the user chose it. */
function explained(error: unknown, lastLines: readonly string[], base: string): unknown {
  if (!(error instanceof StopwatchError)) return error;
  if (error.code === 'interrupted' || error.code === 'docker-unreachable') return error;
  // The daemon repeats the whole command of the step.
  const message = shortened(error.message);
  const details = { lastLines, cause: error };
  if (error.code === 'disk-full' || lastLines.some((line) => DISK_FULL.test(line))) {
    const hint = 'free space where the daemon keeps its data: the image takes 1 GiB while it is built';
    return new StopwatchError('disk-full', message, { hint, ...details });
  }
  if (base === 'default' || base === 'bootstrap') {
    const hint = 'the last lines say why; --rebuild builds without old layers';
    return new StopwatchError('docker-failed', message, { hint, ...details });
  }
  const hint =
    'a base has to be Debian 13 or newer, or made from it: its apt-get installs the packages, and its nodejs has to be 20.19 or newer';
  return new StopwatchError('docker-failed', `${base} cannot be the base of the image: ${message}`, {
    hint,
    ...details,
  });
}

/** Shortens the command that the daemon repeats. */
function shortened(message: string): string {
  const from = message.indexOf("The command '");
  const to = message.indexOf("' returned", from);
  const start = from + "The command '".length + 40;
  return from === -1 || to <= start ? message : `${message.slice(0, start)} …${message.slice(to)}`;
}

export interface Pruned {
  readonly tag: string;
  readonly sizeBytes: number;
}

/** Removes outdated images that have the label and that no container uses; returns them. */
export async function pruneImages(
  docker: Docker,
  repository: string,
  label: string,
  current: string,
): Promise<readonly Pruned[]> {
  return attempt('removing images of older inputs', async () => {
    const removed: Pruned[] = [];
    const images = await docker.listImages({ filters: { label: [label] } });
    for (const image of outdated(images, repository, current)) {
      try {
        await docker.getImage(image.tag).remove();
        removed.push(image);
      } catch (cause) {
        // 409: a container uses it; 404: another process removed it.
        if (![404, 409].includes(statusOf(cause))) throw cause;
      }
    }
    return removed;
  });
}

/** The prefixes that podman adds to names without a registry, for imported and for built images. */
const PODMANS = /^(?:localhost|docker\.io\/library)\//;

/** The tags of `repository` older than the newest KEPT_IMAGES, never `current`; newest first. Pure. */
export function outdated(
  images: readonly Pick<Docker.ImageInfo, 'RepoTags' | 'Created' | 'Size'>[],
  repository: string,
  current: string,
): readonly Pruned[] {
  const name = new RegExp(`^${repository}:[0-9a-f]{16}$`);
  return images
    .flatMap(({ RepoTags, Created, Size }) =>
      (RepoTags ?? []).map((tag) => ({ tag, Created, sizeBytes: Size, plain: tag.replace(PODMANS, '') })),
    )
    .filter(({ plain }) => name.test(plain) && plain !== current)
    .sort((a, b) => b.Created - a.Created)
    .slice(KEPT_IMAGES - 1)
    .map(({ tag, sizeBytes }) => ({ tag, sizeBytes }));
}
