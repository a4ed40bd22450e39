// SPDX-License-Identifier: MIT
/**
 * Finds the daemon as Docker's own client does. In this order: DOCKER_HOST; the context named by DOCKER_CONTEXT
 * or by `currentContext` in config.json; else the usual sockets, of which the first that answers is taken.
 *
 * Sources: docs.docker.com, "Use the Docker command line: environment variables" and "Docker contexts"
 * (a context is contexts/meta/<sha256 of its name>/meta.json, its keys are in contexts/tls/<same>/docker/).
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';
import type { Engine } from './engine.js';
import { thrown, unreachable } from './errors.js';
import { field, textField } from './field.js';

/** Keys and certificates, as PEM text. */
export interface Tls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** False: encrypted, but the daemon's certificate is not checked. */
  readonly verify: boolean;
}

/** Where a daemon may be. `from` says, for messages, who named it. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string; readonly from: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: Tls | undefined;
      readonly from: string;
    };

/** What the resolver looks at; nothing else. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory. */
  readonly home: string;
  /** Text of a file; undefined when there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** For messages: 'unix:///run/docker.sock (DOCKER_HOST)'. */
export function addressOf(endpoint: Endpoint): string {
  const place =
    endpoint.kind === 'unix' ? `unix://${endpoint.path}` : `tcp://${endpoint.host}:${endpoint.port}`;
  return `${place} (${endpoint.from})`;
}

/**
 * The places to try, in order: exactly one when the user named it. Throws
 * StopwatchError 'docker-unreachable' for an address, context or key that cannot be used.
 */
export async function endpoints(surroundings: Surroundings): Promise<readonly Endpoint[]> {
  const { env, home } = surroundings;
  const configDirectory = env['DOCKER_CONFIG'] || join(home, '.docker');
  const host = env['DOCKER_HOST'];
  if (host) return [parseHost(host, 'DOCKER_HOST', await environmentTls(surroundings, configDirectory))];

  const context = env['DOCKER_CONTEXT'] || (await currentContext(surroundings, configDirectory));
  if (context !== undefined && context !== 'default')
    return [await contextEndpoint(surroundings, configDirectory, context)];

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

/** Tries the places in order and gives the first daemon that answers a ping. Throws StopwatchError 'docker-unreachable', 'permission-denied' or 'interrupted'. */
export async function connect(
  surroundings: Surroundings,
  open: (endpoint: Endpoint) => Promise<Engine>,
  signal: AbortSignal,
): Promise<Engine> {
  const errors: StopwatchError[] = [];
  for (const endpoint of await endpoints(surroundings)) {
    try {
      const engine = await open(endpoint);
      await engine.ping(signal);
      return engine;
    } catch (cause) {
      if (signal.aborted)
        throw new StopwatchError('interrupted', 'Interrupted while looking for the Docker daemon', { cause });
      errors.push(unreachable(cause, addressOf(endpoint)));
    }
  }
  // A socket that is there but refused says more than those that are not.
  const notable =
    errors.find(({ code }) => code === 'permission-denied') ??
    errors.find(({ cause }) => thrown(cause).code !== 'ENOENT') ??
    (errors.length === 1 ? errors[0] : undefined);
  if (notable !== undefined) throw notable;
  throw new StopwatchError('docker-unreachable', 'No Docker daemon was found', {
    hint: 'install and start one (Debian: `sudo apt-get install docker.io`), or name it in DOCKER_HOST',
    lastLines: errors.map(({ message }) => message),
  });
}

/** `unix:///path`, `tcp://host[:port]` or `host:port`; anything else is refused. */
function parseHost(value: string, from: string, tls: Tls | undefined): Endpoint {
  const bad = (why: string, hint: string): StopwatchError =>
    new StopwatchError('docker-unreachable', `Cannot use '${value}' (${from}): ${why}`, { hint });
  const supported = 'use unix:///path/to/docker.sock or tcp://host:port';
  const scheme = /^([a-z]+):\/\//i.exec(value)?.[1]?.toLowerCase();
  if (scheme === 'unix') {
    const path = value.slice('unix://'.length);
    if (!path.startsWith('/')) throw bad('expected an absolute path after unix://', supported);
    return { kind: 'unix', path, from };
  }
  if (scheme === 'ssh')
    throw bad(
      'the project is mounted into the container, so the daemon has to be on this machine',
      'use a daemon of this machine, or forward its socket (`ssh -L /tmp/docker.sock:/var/run/docker.sock host`) if it shares this file system, with DOCKER_HOST=unix:///tmp/docker.sock',
    );
  if (scheme !== undefined && scheme !== 'tcp')
    throw bad(`expected the scheme unix or tcp, got ${scheme}`, supported);
  const text = scheme === undefined ? `tcp://${value}` : value;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.hostname || !['', '/'].includes(url.pathname) || url.username !== '')
    throw bad('expected a host and a port', supported);
  const port = url.port === '' ? (tls === undefined ? 2375 : 2376) : Number(url.port);
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port, tls, from };
}

/** DOCKER_TLS_VERIFY and DOCKER_TLS count when they are not empty, whatever they say, as in Docker's client. */
async function environmentTls(
  { env, readFile }: Surroundings,
  configDirectory: string,
): Promise<Tls | undefined> {
  const verify = Boolean(env['DOCKER_TLS_VERIFY']);
  if (!verify && !env['DOCKER_TLS']) return undefined;
  const directory = env['DOCKER_CERT_PATH'] || configDirectory;
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(directory, name))),
  );
  if (verify && ca === undefined)
    throw new StopwatchError(
      'docker-unreachable',
      `DOCKER_TLS_VERIFY is set, but there is no ${join(directory, 'ca.pem')}`,
      { hint: 'set DOCKER_CERT_PATH to the directory of ca.pem, cert.pem and key.pem' },
    );
  return { ca, cert, key, verify };
}

async function currentContext({ readFile }: Surroundings, directory: string): Promise<string | undefined> {
  const path = join(directory, 'config.json');
  const text = await readFile(path);
  if (text === undefined) return undefined;
  return textField(parseJson(text, path), 'currentContext') || undefined;
}

async function contextEndpoint(
  { readFile }: Surroundings,
  directory: string,
  name: string,
): Promise<Endpoint> {
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(directory, 'contexts/meta', id, 'meta.json');
  const text = await readFile(path);
  const from = `context ${name}`;
  if (text === undefined)
    throw new StopwatchError('docker-unreachable', `There is no Docker context '${name}': expected ${path}`, {
      hint: 'unset DOCKER_CONTEXT, or choose one of `docker context ls` with `docker context use`',
    });
  const endpoint = field(field(parseJson(text, path), 'Endpoints'), 'docker');
  const host = textField(endpoint, 'Host');
  if (!host)
    throw new StopwatchError('docker-unreachable', `The Docker context '${name}' names no daemon: ${path}`, {
      hint: 'make it again with `docker context create`',
    });
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((file) =>
      readFile(join(directory, 'contexts/tls', id, 'docker', file)),
    ),
  );
  const skip = field(endpoint, 'SkipTLSVerify') === true;
  const tls = ca === undefined && key === undefined && !skip ? undefined : { ca, cert, key, verify: !skip };
  return parseHost(host, from, tls);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not with what the parser says: that may quote a password.
    throw new StopwatchError('docker-unreachable', `${path} is not JSON`, {
      hint: 'repair that file, or set DOCKER_HOST',
    });
  }
}
