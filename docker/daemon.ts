// SPDX-License-Identifier: MIT
/**
 * Finds the daemon as Docker's own client does. In this order: DOCKER_HOST; the context named by DOCKER_CONTEXT
 * or by `currentContext` in config.json; otherwise the first of the usual sockets that answers.
 *
 * Sources: docs.docker.com, "Use the Docker command line: environment variables" and "Docker contexts"
 * (a context is contexts/meta/<sha256 of its name>/meta.json, its keys are in contexts/tls/<same>/docker/).
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { errnoOf } from '../lib/errno.js';
import { StopwatchError } from '../lib/errors.js';
import { daemonUnreachable, errorParts, field, textField } from './errors.js';

/** A daemon that does not answer within this time counts as absent, milliseconds. */
const ANSWER_MS = 10_000;

/** Keys and certificates, as PEM text. */
export interface Tls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** False: encrypted, but the daemon's certificate is not checked. */
  readonly verify: boolean;
}

/** Where a daemon may be. `from`: the setting that names it, for messages. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string; readonly from: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: Tls | undefined;
      readonly from: string;
    };

/** The inputs of the search for a daemon. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  /** The text of a file; undefined if it does not exist. */
  readonly readFile?: ((path: string) => Promise<string | undefined>) | undefined;
}

/** For messages: 'unix:///run/docker.sock (DOCKER_HOST)'. */
export function endpointAddress(endpoint: Endpoint): string {
  const place =
    endpoint.kind === 'unix' ? `unix://${endpoint.path}` : `tcp://${endpoint.host}:${endpoint.port}`;
  return `${place} (${endpoint.from})`;
}

/**
 * Gives the first daemon that answers. Throws StopwatchError 'docker-unreachable', 'permission-denied' or
 * 'interrupted'.
 */
export async function connect(
  surroundings: Surroundings,
  signal: AbortSignal,
  answers: (endpoint: Endpoint, signal: AbortSignal) => Promise<Docker> = open,
): Promise<Docker> {
  const errors: StopwatchError[] = [];
  for (const endpoint of await endpoints(surroundings)) {
    try {
      return await answers(endpoint, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
    } catch (cause) {
      if (signal.aborted)
        throw new StopwatchError('interrupted', 'Interrupted while looking for the Docker daemon', { cause });
      errors.push(daemonUnreachable(cause, endpointAddress(endpoint)));
    }
  }
  // A socket that refused the connection explains more than a missing one.
  const notable =
    errors.find(({ code }) => code === 'permission-denied') ??
    errors.find(({ cause }) => errorParts(cause).code !== 'ENOENT') ??
    (errors.length === 1 ? errors[0] : undefined);
  if (notable !== undefined) throw notable;
  throw new StopwatchError('docker-unreachable', 'No Docker daemon was found', {
    hint: 'install and start one (Debian: `sudo apt-get install docker.io`), or name it in DOCKER_HOST',
    lastLines: errors.map(({ message }) => message),
  });
}

async function open(endpoint: Endpoint, abortSignal: AbortSignal): Promise<Docker> {
  const { default: Client } = await import('dockerode');
  const docker = new Client(clientOptions(endpoint));
  // Not /_ping: any server could answer its bare OK. The typings lack the option.
  const client: { version(options: { readonly abortSignal: AbortSignal }): Promise<unknown> } = docker;
  if (textField(await client.version({ abortSignal }), 'ApiVersion') === undefined)
    throw new Error('it names no version of the Engine API');
  return docker;
}

/** Sets every option, because dockerode takes missing ones from the environment by its own rules. */
function clientOptions(endpoint: Endpoint): Docker.DockerOptions {
  const none: object = { host: undefined, port: undefined, socketPath: undefined, agent: undefined };
  const keys = { ca: undefined, cert: undefined, key: undefined, timeout: undefined, pathPrefix: '/' };
  if (endpoint.kind === 'unix') return { ...none, ...keys, socketPath: endpoint.path, protocol: 'http' };
  const { host, port, tls } = endpoint;
  const place = { ...none, ...keys, host: host.includes(':') ? `[${host}]` : host, port };
  if (tls === undefined) return { ...place, protocol: 'http' };
  const { ca, cert, key, verify } = tls;
  const secure: object = { agent: new Agent({ ca, cert, key, rejectUnauthorized: verify }) };
  return { ...place, ...secure, protocol: 'https' };
}

/**
 * The endpoints to try, in order; exactly one if the user named it. Throws
 * StopwatchError 'docker-unreachable' for an address, context or key that cannot be used.
 */
export async function endpoints(surroundings: Surroundings): Promise<readonly Endpoint[]> {
  const { env, home, readFile: read = readOptional } = surroundings;
  const directory = env['DOCKER_CONFIG'] || join(home, '.docker');
  const keysIn = async (place: string): Promise<(string | undefined)[]> =>
    Promise.all(['ca.pem', 'cert.pem', 'key.pem'].map(async (name) => read(join(place, name))));

  const host = env['DOCKER_HOST'];
  if (host) {
    // As in Docker's client, any non-empty value of these two counts.
    const verify = Boolean(env['DOCKER_TLS_VERIFY']);
    if (!verify && !env['DOCKER_TLS']) return [parseHost(host, 'DOCKER_HOST', undefined)];
    const place = env['DOCKER_CERT_PATH'] || directory;
    const [ca, cert, key] = await keysIn(place);
    if (verify && ca === undefined)
      throw unusable(
        `DOCKER_TLS_VERIFY is set, but there is no ${join(place, 'ca.pem')}`,
        'set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem',
      );
    return [parseHost(host, 'DOCKER_HOST', { ca, cert, key, verify })];
  }

  const configPath = join(directory, 'config.json');
  const context =
    env['DOCKER_CONTEXT'] ||
    textField(parseJson((await read(configPath)) ?? '{}', configPath), 'currentContext') ||
    'default';
  if (context !== 'default') {
    const id = createHash('sha256').update(context).digest('hex');
    const path = join(directory, 'contexts/meta', id, 'meta.json');
    const text = await read(path);
    if (text === undefined)
      throw unusable(
        `There is no Docker context '${context}': expected ${path}`,
        'unset DOCKER_CONTEXT, or choose one of `docker context ls` with `docker context use`',
      );
    const endpoint = field(field(parseJson(text, path), 'Endpoints'), 'docker');
    const address = textField(endpoint, 'Host');
    if (!address)
      throw unusable(
        `The Docker context '${context}' names no daemon: ${path}`,
        'make it again with `docker context create`',
      );
    const [ca, cert, key] = await keysIn(join(directory, 'contexts/tls', id, 'docker'));
    const verify = field(endpoint, 'SkipTLSVerify') !== true;
    const tls = ca === undefined && key === undefined && verify ? undefined : { ca, cert, key, verify };
    return [parseHost(address, `context ${context}`, tls)];
  }

  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    unix('/var/run/docker.sock', 'default socket'),
    ...(runtime ? [unix(join(runtime, 'docker.sock'), 'rootless socket')] : []),
    unix(join(home, '.docker/run/docker.sock'), 'Docker Desktop’s socket'),
    ...(runtime ? [unix(join(runtime, 'podman/podman.sock'), 'podman’s socket')] : []),
    unix('/run/podman/podman.sock', 'podman’s system socket'),
  ];
}

function unix(path: string, from: string): Endpoint {
  return { kind: 'unix', path, from };
}

/** Accepts `unix:///path`, `tcp://host[:port]` and `host:port`. */
function parseHost(value: string, from: string, tls: Tls | undefined): Endpoint {
  const bad = (why: string, hint = 'use unix:///path/to/docker.sock or tcp://host:port'): StopwatchError =>
    unusable(`Cannot use '${value}' (${from}): ${why}`, hint);
  const scheme = /^([a-z]+):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === 'unix') {
    const path = value.slice('unix://'.length);
    if (!path.startsWith('/')) throw bad('expected an absolute path after unix://');
    return unix(path, from);
  }
  if (scheme === 'ssh')
    throw bad(
      'the project is mounted into the container, so the daemon has to be on this machine',
      'use a daemon of this machine, or forward its socket into a directory of your own (`ssh -L ~/docker.sock:/var/run/docker.sock host`) if it shares this file system, with DOCKER_HOST=unix://$HOME/docker.sock',
    );
  if (scheme !== undefined && scheme !== 'tcp') throw bad(`expected the scheme unix or tcp, got ${scheme}`);
  const text = scheme === undefined ? `tcp://${value}` : value;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || !['', '/'].includes(url.pathname) || url.username !== '')
    throw bad('expected a host and a port');
  const port = Number(url.port || (tls === undefined ? 2375 : 2376));
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port, tls, from };
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code = '', message } = errnoOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StopwatchError('file-unreadable', `${path} cannot be read: ${message}`, {
      hint: 'give yourself the right to read it, or name the daemon in DOCKER_HOST',
      cause,
    });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message is left out, because it may quote a password.
    throw unusable(`${path} is not JSON`, 'repair that file, or set DOCKER_HOST');
  }
}

function unusable(message: string, hint: string): StopwatchError {
  return new StopwatchError('docker-unreachable', message, { hint });
}
