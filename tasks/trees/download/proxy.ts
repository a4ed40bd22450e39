// SPDX-License-Identifier: MIT
/** Which proxy a request goes through, from the environment as curl and others read it. */

/** The user's environment; only the proxy variables are read. */
export type ProxyEnv = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The proxy for an address: http_proxy or https_proxy, else all_proxy; small
 * letters win over capitals. Undefined: connect directly.
 */
export function proxyFromEnv(url: URL, env: ProxyEnv): string | undefined {
  const read = (name: string): string | undefined => env[name] || env[name.toUpperCase()] || undefined;
  if (isExempt(url, read('no_proxy') ?? '')) return undefined;
  const value = read(`${url.protocol.slice(0, -1)}_proxy`) ?? read('all_proxy');
  if (value === undefined) return undefined;
  return value.includes('://') ? value : `http://${value}`;
}

/** no_proxy: names separated by commas or blanks; a name covers its subdomains; `:port` narrows it; `*` is everything. */
function isExempt(url: URL, list: string): boolean {
  const host = bare(url.hostname);
  const port = url.port || DEFAULT_PORT[url.protocol];
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => {
      if (entry === '') return false;
      if (entry === '*') return true;
      const parts = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(entry);
      // More than one colon and no brackets: an IPv6 address without a port.
      const name = bare(parts?.[1] ?? entry).replace(/^\*?\./, '');
      if (parts?.[2] !== undefined && parts[2] !== port) return false;
      return host === name || host.endsWith(`.${name}`);
    });
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$/g, '');
}
