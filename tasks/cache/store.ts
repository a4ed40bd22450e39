// SPDX-License-Identifier: MIT
/** A place that keeps results of compilers for several machines, and who may use it. */
import type { RemoteAddress } from './address.js';

/** One server. Every operation rejects with a StoreError, or with whatever its signal was aborted with. */
export interface RemoteStore {
  /** Whether it is there, speaks the protocol and lets us in. */
  probe(signal: AbortSignal): Promise<void>;
  /** Undefined: it has no such entry. */
  get(key: string, signal: AbortSignal): Promise<Buffer | undefined>;
  put(key: string, value: Buffer, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** What a server did wrong, in words that name no credentials. */
export class StoreError extends Error {
  /** It knows us not, or does not allow this: trying again is of no use. */
  readonly denied: boolean;

  constructor(message: string, { denied = false }: { readonly denied?: boolean } = {}) {
    super(message);
    this.name = 'StoreError';
    this.denied = denied;
  }
}

/** Only ever from the environment, and handed on to nobody but the server. */
export interface Credentials {
  readonly user?: string;
  readonly password?: string;
  /** For HTTP: sent as a bearer token. */
  readonly token?: string;
}

/** Their variables: no settings, so that they are in no file, no `status` and no fingerprint. */
export const CREDENTIAL_VARIABLES = [
  'STOPWATCH_CACHE_USER',
  'STOPWATCH_CACHE_PASSWORD',
  'STOPWATCH_CACHE_TOKEN',
] as const;

export function credentialsFrom(environment: Readonly<Record<string, string | undefined>>): Credentials {
  const [user, password, token] = CREDENTIAL_VARIABLES.map((name) => environment[name] || undefined);
  return {
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(token === undefined ? {} : { token }),
  };
}

/** Loads only the client that is needed. */
export async function connectStore(address: RemoteAddress, credentials: Credentials): Promise<RemoteStore> {
  return address.kind === 'http'
    ? new (await import('./http-store.js')).HttpStore(address, credentials)
    : new (await import('./redis-store.js')).RedisStore(address, credentials);
}
