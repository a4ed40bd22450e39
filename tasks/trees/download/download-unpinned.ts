// SPDX-License-Identifier: MIT
/** Gets a file whose sum is not known yet, so that its sum can be told. Nothing uses it before somebody vouches for that sum. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { StopwatchError } from '../../../lib/errors.js';
import { withLock } from '../../../lib/lock.js';
import { type DownloadDeps, type DownloadRequest, findTargets, proxyFor, type Mirror } from './download.js';
import { attempt } from './http.js';
import { agentsFor, withoutPassword } from './proxy.js';
import { keepFile, prepareStore, storePaths } from './store.js';

export interface Unpinned {
  readonly file: string;
  readonly sha256: string;
  readonly mirror: Mirror;
}

/** From the first mirror that has it, one try each. Throws StopwatchError 'download-failed', 'offline', 'interrupted'. */
export async function downloadUnpinned(request: DownloadRequest, deps: DownloadDeps): Promise<Unpinned> {
  if (request.offline) {
    throw new StopwatchError('offline', `${request.what} is not here, and --offline forbids to fetch it`, {
      hint: 'Run it without --offline, or give a file: --source NAME=FILE',
    });
  }
  await prepareStore(request.cache);
  const failures: string[] = [];
  for (const target of await findTargets(request, deps, failures)) {
    // By the address: there is no sum yet to name it by.
    const key = createHash('sha256').update(`unpinned ${target.address}`).digest('hex');
    const paths = storePaths(request.cache, key);
    deps.log(`Downloading ${request.what}: ${withoutPassword(target.address)}`);
    const found = await withLock(paths.lock, { signal: deps.signal }, async () => {
      const result = await attempt({
        address: target.address,
        sha256: undefined,
        paths,
        stallSeconds: request.stallSeconds,
        agents: (url) => agentsFor(proxyFor(url, target.apt, deps.proxyEnv)),
        signal: deps.signal,
        onProgress: deps.onProgress,
      });
      if (result.kind !== 'complete') {
        failures.push(`${withoutPassword(target.address)}: ${result.reason}`);
        return undefined;
      }
      const kept = await keepFile(request.cache, paths.partial, target.name, deps.signal);
      await rm(paths.partial, { force: true });
      await rm(paths.record, { force: true });
      return kept;
    });
    if (found !== undefined) return { ...found, mirror: { ...target.mirror, sha256: found.sha256 } };
  }
  throw new StopwatchError(
    'download-failed',
    `Could not download ${request.what} from any of its mirrors:\n${failures.map((line) => `  ${line}`).join('\n')}`,
    { hint: 'Is that a release? If it is elsewhere: --source NAME=URL, or --source NAME=FILE' },
  );
}
