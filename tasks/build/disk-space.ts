// SPDX-License-Identifier: MIT
/** Disk space that files and directories take. */
import type { Services } from '../config/services.js';

/** By du(1), KiB of each path; one that is not there takes nothing. */
export async function kibibytes(
  paths: readonly string[],
  services: Pick<Services, 'processes' | 'environment' | 'signal'>,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map(paths.map((path) => [path, 0]));
  if (paths.length === 0) return sizes;
  const processes = await services.processes();
  const { stdout } = await processes.run(
    {
      file: 'du',
      args: ['-sk', '--', ...paths],
      env: { PATH: services.environment['PATH'] ?? '', LC_ALL: 'C' },
    },
    { signal: services.signal, capture: true },
  );
  services.signal.throwIfAborted();
  for (const line of stdout.split('\n')) {
    const [, kib, path] = /^(\d+)\t(.*)$/.exec(line) ?? [];
    if (path !== undefined) sizes.set(path, Number(kib));
  }
  return sizes;
}

/** '12.3 MiB'. */
export function inMiB(kib = 0): string {
  return `${(kib / 1024).toFixed(1)} MiB`;
}
