// SPDX-License-Identifier: MIT
/** `cache.remote`: where the shared compile cache is. Pure. */

export type RemoteAddress =
  | { readonly kind: 'http'; readonly url: URL; readonly shown: string }
  | {
      readonly kind: 'redis';
      readonly tls: boolean;
      /** Either a host and a port, or a socket. */
      readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
      readonly database: number;
      readonly shown: string;
    };

/** What is expected, in the words of the message about a bad one. */
export const EXPECTED_REMOTE =
  'http://HOST[:PORT][/PATH], https://…, redis://HOST[:PORT][/DATABASE], rediss://… or redis+unix:/SOCKET[?db=DATABASE], without a user or password (those come from STOPWATCH_CACHE_USER and STOPWATCH_CACHE_PASSWORD)';

/** Undefined for what is none of these; one with credentials in it is none either. */
export function parseRemote(text: string): RemoteAddress | undefined {
  if (/[\s|]/.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  // A user alone would be taken for a password by ccache, and a query may hold a token.
  if (hasCredentials(text) || url.hash !== '') return undefined;
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      if (url.search !== '') return undefined;
      return { kind: 'http', url, shown: text };
    case 'redis:':
    case 'rediss:': {
      const database = databaseOf(url.pathname.replace(/^\//, ''));
      if (url.search !== '' || url.hostname === '' || database === undefined) return undefined;
      const at = { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port || 6379) };
      return { kind: 'redis', tls: url.protocol === 'rediss:', at, database, shown: text };
    }
    case 'redis+unix:': {
      const [, digits = ''] = /^\?db=(\d+)$/.exec(url.search) ?? [];
      const database = databaseOf(digits);
      if ((url.search !== '' && digits === '') || url.hostname !== '' || database === undefined)
        return undefined;
      if (!url.pathname.startsWith('/')) return undefined;
      return {
        kind: 'redis',
        tls: false,
        at: { path: decodeURIComponent(url.pathname) },
        database,
        shown: text,
      };
    }
    default:
      return undefined;
  }
}

/** Whether an address, good or bad, may have a secret in it: then it must not be shown. */
export function hasCredentials(text: string): boolean {
  return text.includes('@') || /[?|](?!db=\d*$)/.test(text);
}

/** The address with everything left out that may be secret. */
export function withoutCredentials(text: string): string {
  return text.replace(/[?|](?!db=\d*$).*$/s, '').replace(/^([\w+.-]+:(?:\/\/)?)?.*@/s, '$1…@');
}

function databaseOf(digits: string): number | undefined {
  if (digits === '') return 0;
  return /^\d{1,5}$/.test(digits) ? Number(digits) : undefined;
}
