// SPDX-License-Identifier: MIT
/** `clean`: removes what can be made again, after saying what. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CleanOptions, Result, Services } from './services.js';
import { EXIT, StopwatchError } from '../core/errors.js';
import { withLock } from '../host/lock.js';
import { cacheDirectory } from './sources.js';

/** What goes, and what that is. */
interface Item {
  readonly path: string;
  readonly what: string;
}

export async function cleanWork(services: Services, options: CleanOptions): Promise<Result> {
  const items = itemsFor(services, options).filter(({ path }) => existsSync(path));
  if (items.length === 0)
    return { exitCode: EXIT.passed, text: 'There is nothing to remove.\n', data: { removed: [] } };
  const sizes = await Promise.all(items.map(({ path }) => kibibytes(services, path)));
  const lines = items.map(
    ({ path, what }, index) => `${size(sizes[index] ?? 0).padStart(10)}  ${path}  (${what})`,
  );
  const total = size(sizes.reduce((sum, each) => sum + each, 0));
  const list = `${lines.join('\n')}\n`;
  const paths = items.map(({ path }) => path);
  if (options.dryRun)
    return { exitCode: EXIT.passed, text: `${list}Would free ${total}.\n`, data: { wouldRemove: paths } };
  if (!options.force && !(await services.confirm(`${list}Remove this and free ${total}?`, false))) {
    throw new StopwatchError('bad-usage', `Nothing was removed; it would have been ${paths.join(', ')}`, {
      hint: 'Give --force to remove it without a question, or --dry-run to see more.',
    });
  }
  const processes = await services.processes();
  const emit = services.emit;
  await withLock(
    join(services.loaded.paths.work, 'lock'),
    {
      signal: services.signal,
      wait: true,
      onWaiting: (holder) => emit({ type: 'waiting', holder }),
      processes,
    },
    async () => {
      for (const path of paths) await rm(path, { recursive: true, force: true });
    },
  );
  return {
    exitCode: EXIT.passed,
    text: `${list}Freed ${total}.\n`,
    data: { removed: paths },
    next: 'npx stopwatch all',
  };
}

function itemsFor({ loaded, environment }: Services, options: CleanOptions): Item[] {
  const { config, paths } = loaded;
  const items: Item[] = [
    { path: paths.build, what: 'builds' },
    { path: paths.vm, what: 'what a boot is made of' },
    { path: paths.logs, what: 'logs of tools' },
  ];
  if (options.sources) {
    items.push({ path: paths.src, what: 'extracted sources, with any edits in them' });
    // What is known of these trees goes with them.
    items.push({ path: join(paths.work, 'state'), what: 'what is known of finished tasks' });
  }
  if (options.reports) items.push({ path: paths.reports, what: 'reports of earlier runs' });
  if (options.downloads) {
    items.push({
      path: join(cacheDirectory(config, environment), 'downloads'),
      what: 'downloads of all checkouts',
    });
  }
  return items;
}

/** Disk space by du(1), KiB. */
async function kibibytes(services: Services, path: string): Promise<number> {
  const processes = await services.processes();
  const { stdout } = await processes.run(
    { file: 'du', args: ['-sk', path], env: { PATH: services.environment['PATH'] ?? '', LC_ALL: 'C' } },
    { signal: services.signal, capture: true },
  );
  return Number.parseInt(stdout, 10) || 0;
}

function size(kib: number): string {
  return kib < 1024
    ? `${kib} KiB`
    : kib < 1024 * 1024
      ? `${(kib / 1024).toFixed(1)} MiB`
      : `${(kib / 1024 / 1024).toFixed(2)} GiB`;
}
