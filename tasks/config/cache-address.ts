// SPDX-License-Identifier: MIT
/** The address of the shared compile cache (`cache.remote`), and which of its forms are accepted. Pure. */

const HOST = String.raw`[\w.-]+(?::\d{1,5})?`;
/** The addresses that ccache 4.7 supports. No user, password or attribute: those are added when ccache's configuration is written. */
const REMOTE = new RegExp(
  [
    String.raw`^http://${HOST}(?:/[\w/.~%+,=-]*)?$`,
    String.raw`^redis://${HOST}(?:/\d{1,5})?$`,
    String.raw`^redis\+unix:(?://)?/(?!/)[\w/.+,=-]+(?:\?db=\d{1,5})?$`,
  ].join('|'),
);

export const EXPECTED_REMOTE =
  'http://HOST[:PORT][/PATH], redis://HOST[:PORT][/DATABASE] or redis+unix:/SOCKET[?db=DATABASE] (ccache has no https:// and no rediss://), without a user or password (those come from STOPWATCH_CACHE_USER and STOPWATCH_CACHE_PASSWORD)';

export function isRemoteAddress(text: string): boolean {
  return REMOTE.test(text) && URL.canParse(text);
}

/** One address, valid or not, without any part that may be secret: here that is all before the last `@`. */
export function shownAddress(text: string): string {
  return text.replace(/[?|](?!db=\d*$).*$/s, '').replace(/^([\w+.-]+:(?:\/\/)?)?.*@/s, '$1…@');
}

/** True if the traffic to this address crosses a network unencrypted. */
export function crossesNetwork(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol !== 'redis+unix:' && !/^(?:localhost|127(?:\.\d{1,3}){3})$/.test(hostname);
}

/** Not settings, so that they are in no file, no `status` and no fingerprint. */
export const CREDENTIAL_VARIABLES = [
  'STOPWATCH_CACHE_USER',
  'STOPWATCH_CACHE_PASSWORD',
  'STOPWATCH_CACHE_TOKEN',
] as const;
