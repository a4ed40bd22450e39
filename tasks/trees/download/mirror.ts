// SPDX-License-Identifier: MIT
/** The Debian archive that this host's own apt is configured for. No mirror is named in the code. */
import { StopwatchError } from '../../../lib/errors.js';
import type { Processes } from '../../../lib/process/process.js';

/** The archives that apt is configured for. */
export interface AptArchives {
  /** Addresses that end in '/', most likely first; http and https only. */
  readonly bases: readonly string[];
  /** The proxy that apt itself would use for an address of an archive; undefined: none set here, 'DIRECT': no proxy at all. */
  proxyFor(url: URL): string | undefined;
}

interface AptDeps {
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Environment of the tools that are started; needs PATH. */
  readonly env: Readonly<Record<string, string>>;
}

/** Asks apt. Undefined when the host has no apt, or an apt that knows no archive. */
export async function aptArchives(deps: AptDeps): Promise<AptArchives | undefined> {
  const targets = await ask(deps, 'apt-get', ['indextargets', '--format', '$(REPO_URI) $(RELEASE)']);
  if (targets === undefined) return undefined;
  const bases = parseIndexTargets(targets);
  if (bases.length === 0) return undefined;
  const settings = parseProxySettings((await ask(deps, 'apt-config', ['dump'])) ?? '');
  return { bases, proxyFor: (url) => aptProxy(url, settings) };
}

async function ask(deps: AptDeps, file: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const env = { ...deps.env, LC_ALL: 'C' };
    const exit = await deps.processes.run({ file, args, env }, { signal: deps.signal, capture: true });
    deps.signal.throwIfAborted();
    return exit.exitCode === 0 ? exit.stdout : undefined;
  } catch (error) {
    if (error instanceof StopwatchError && error.code === 'command-not-found') return undefined;
    throw error;
  }
}

/**
 * Lines of `<address> <release>` → addresses, each once, those of security
 * archives last: they hold only what was repaired.
 */
export function parseIndexTargets(text: string): readonly string[] {
  const usual = new Set<string>();
  const security = new Set<string>();
  for (const line of text.split('\n')) {
    const [address = '', release = ''] = line.trim().split(/\s+/);
    if (!/^https?:\/\//.test(address) || !URL.canParse(address)) continue;
    const base = address.endsWith('/') ? address : `${address}/`;
    (/security/.test(`${new URL(base).pathname} ${release}`) ? security : usual).add(base);
  }
  return [...usual, ...[...security].filter((base) => !usual.has(base))];
}

/** `Acquire::http::Proxy[::host] "value";` of `apt-config dump`, by 'protocol' and 'protocol host'. */
export function parseProxySettings(dump: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const line of dump.split('\n')) {
    const match = /^Acquire::(https?)::Proxy(?:::(\S+))? "(.+)";$/i.exec(line.trim());
    if (match === null) continue;
    const [, protocol = '', host, value = ''] = match;
    settings.set(
      [protocol.toLowerCase(), ...(host === undefined ? [] : [host.toLowerCase()])].join(' '),
      value,
    );
  }
  return settings;
}

/** Follows apt.conf(5): the setting for the host wins; https falls back to that for http. */
function aptProxy(url: URL, settings: ReadonlyMap<string, string>): string | undefined {
  const protocols = url.protocol === 'https:' ? ['https', 'http'] : ['http'];
  for (const protocol of protocols) {
    const value = settings.get(`${protocol} ${url.hostname}`) ?? settings.get(protocol);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Address of a file below an archive. A '+' is written as %2B, as apt does: some servers take a bare one for a blank. */
export function archiveAddress(base: string, path: string): string {
  return base + path.split('/').map(encodeURIComponent).join('/');
}
