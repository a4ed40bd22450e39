// SPDX-License-Identifier: MIT
/**
 * What Docker's own client knows of a registry: `docker login` leaves it in config.json, or with a credential helper.
 * Never in a message or a log.
 *
 * Sources: docs.docker.com, "docker login" (credential stores and helpers, their protocol) and the Engine API's
 * "Authentication" (the header X-Registry-Auth); distribution/reference for what the name of an image means.
 */
import { join } from 'node:path';
import { StopwatchError } from '../lib/errors.js';
import type { Surroundings } from './connection.js';
import { field, textField } from './field.js';

/** As the Engine API takes it: a name and a password, or a token. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

/** Runs a credential helper with `input` on its standard input; never throws for what the helper does. */
export type RunHelper = (
  program: string,
  args: readonly string[],
  input: string,
) => Promise<{ readonly exitCode: number | undefined; readonly stdout: string }>;

/** Under which Docker Hub is known in config.json and to helpers. */
const HUB = 'https://index.docker.io/v1/';

/** The registry that an image's name leads to, as config.json names it. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = (reference.split('@')[0] ?? '').split('/');
  // A name without a dot, a colon or 'localhost' before its first slash is one of Docker Hub's.
  const named = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (!named || first === 'docker.io' || first === 'index.docker.io') return HUB;
  return first;
}

/**
 * What is known for the registry of an image; undefined when nothing is, and for public images nothing is needed.
 * Throws StopwatchError 'docker-failed' for a config.json or a helper that cannot be used.
 */
export async function credentialsFor(
  { env, home, readFile }: Surroundings,
  reference: string,
  run: RunHelper,
): Promise<Credentials | undefined> {
  const path = join(env['DOCKER_CONFIG'] || join(home, '.docker'), 'config.json');
  const text = await readFile(path);
  if (text === undefined) return undefined;
  const config = parseConfig(text, path);
  const registry = registryOf(reference);
  const helper = textField(field(config, 'credHelpers'), registry) ?? textField(config, 'credsStore');
  if (helper) return await fromHelper(helper, registry, path, run);
  const auths = field(config, 'auths');
  const entry = [registry, `https://${registry}`, `https://${registry}/v1/`, `http://${registry}`]
    .map((name) => field(auths, name))
    .find((found) => found !== undefined);
  return fromEntry(entry, registry, path);
}

function parseConfig(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not with what the parser says: that may quote a password.
    throw unusable(`${path} is not JSON`, 'repair that file, or remove it and `docker login` again');
  }
}

/** An entry of `auths`: name and password in base64, or a token. */
function fromEntry(entry: unknown, registry: string, path: string): Credentials | undefined {
  const token = (key: string) => textField(entry, key);
  const [identity, bearer, auth] = [token('identitytoken'), token('registrytoken'), token('auth')];
  if (identity) return { identitytoken: identity, serveraddress: registry };
  if (bearer) return { registrytoken: bearer, serveraddress: registry };
  const [username, password] = [token('username'), token('password')];
  if (username && password) return { username, password, serveraddress: registry };
  if (!auth) return undefined;
  const plain = Buffer.from(auth, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  if (colon < 1)
    throw unusable(
      `The entry of ${registry} in ${path} holds no name and password`,
      `log in again: docker login ${registry}`,
    );
  // Older clients ended it with NULs.
  const secret = plain.slice(colon + 1).replace(/\0+$/, '');
  return { username: plain.slice(0, colon), password: secret, serveraddress: registry };
}

/** `docker-credential-NAME get`: the registry on standard input, JSON on standard output. */
async function fromHelper(
  name: string,
  registry: string,
  path: string,
  run: RunHelper,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const { exitCode, stdout } = await run(program, ['get'], registry);
  // What every helper says of a registry that nobody has logged in to.
  if (exitCode !== 0 && /credentials not found/i.test(stdout)) return undefined;
  const said = exitCode === 0 ? parseSaid(stdout) : undefined;
  const [user, secret] = [textField(said, 'Username'), textField(said, 'Secret')];
  if (user === undefined || secret === undefined)
    throw unusable(
      exitCode === undefined
        ? `${path} names the credential helper ${program}, which cannot be run`
        : `The credential helper ${program} gave no name and password for ${registry} (exit code ${exitCode})`,
      `install or repair it, or log in without it: take its name out of ${path} and run \`docker login\``,
    );
  return user === '<token>'
    ? { identitytoken: secret, serveraddress: registry }
    : { username: user, password: secret, serveraddress: registry };
}

function parseSaid(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unusable(message: string, hint: string): StopwatchError {
  return new StopwatchError('docker-failed', message, { hint });
}
