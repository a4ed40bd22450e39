// SPDX-License-Identifier: MIT
/** Keeps reports, logs and downloads within `keep` of the configuration. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { withLock } from '../../lib/lock.js';
import { mayBeAlive, ownerSchema } from '../../lib/process/owner.js';
import { readJson } from '../../lib/read-json.js';
import type { Config } from '../config/schema.js';
import type { Services } from '../config/services.js';
import { kibibytes } from './disk-space.js';
import { type RunDirectory, runFiles } from './machine.js';
import { cacheDirectory } from './sources.js';

/** Milliseconds between checks of the sizes; a large report is checked at once. */
const LOOK_MS = 3600 * 1000;

interface Kind {
  readonly what: string;
  /** Absolute, newest first. */
  readonly paths: readonly string[];
}

/**
 * Of each kind, keeps the newest `keep.count` within `keep.maxMiB`, and always the newest one. Source trees and builds
 * are never removed here; nor is the report of a run that is still under way, nor a configured download.
 */
export async function keepWithin(services: Services): Promise<void> {
  const { config, paths } = services.loaded;
  const { count, maxMiB } = config.keep;
  const stamp = join(paths.work, 'state', 'sizes-seen');
  const kinds = await kindsOf(services);
  const due =
    maxMiB !== null && ((await timeOf(stamp)) < Date.now() - LOOK_MS || (await isLarge(kinds, config.keep)));
  if (!due && kinds.every((kind) => kind.paths.length <= count)) return;
  const processes = await services.processes();
  const lock = { signal: services.signal, wait: false, processes };
  try {
    await withLock(join(paths.work, 'lock'), lock, async () => {
      const sizes = due
        ? await kibibytes(
            kinds.flatMap((kind) => kind.paths),
            services,
          )
        : undefined;
      for (const kind of kinds) {
        let kib = 0;
        const excess = kind.paths.filter((path, index) => {
          kib += sizes?.get(path) ?? 0;
          return index > 0 && (index >= count || (maxMiB !== null && kib > maxMiB * 1024));
        });
        for (const path of excess) await rm(path, { recursive: true, force: true });
        if (excess.length > 0)
          services.emit({ type: 'notice', task: undefined, text: removed(kind, excess) });
      }
      if (due) await writeFile(stamp, '');
    });
  } catch (error) {
    // The process that holds the lock does the same at its end.
    if (!(error instanceof StopwatchError) || error.code !== 'locked') throw error;
  }
}

/** True if `keep.count` reports as large as the newest one (mostly its events) would exceed the limit. */
async function isLarge([reports]: readonly Kind[], { count, maxMiB }: Config['keep']): Promise<boolean> {
  const events = await stat(join(reports?.paths[0] ?? '', 'events.log')).catch(() => undefined);
  return (events?.size ?? 0) * count > (maxMiB ?? 0) * 2 ** 20;
}

const removed = ({ what }: Kind, { length }: readonly string[]): string =>
  `Removed the ${length} oldest ${what}: there were more than keep.count or keep.maxMiB allow`;

async function kindsOf({ loaded, environment }: Services): Promise<readonly Kind[]> {
  const { config, paths } = loaded;
  const downloads = join(cacheDirectory(config, environment), 'downloads');
  const mirrors = [
    ...Object.values(config.sources).flatMap((source) => source.mirrors),
    ...Object.values(config.qemuTools),
  ];
  const releases = Object.values(config.releases).flatMap((sums) => Object.values(sums));
  const configured = new Set([...mirrors.map(({ sha256 }) => sha256), ...releases]);
  return Promise.all([
    newestFirst('reports', await endedReports(paths.reports)),
    newestFirst('logs', await pathsIn(paths.logs)),
    newestFirst(
      'downloads',
      (await pathsIn(downloads)).filter(
        (path) => /^[0-9a-f]{64}$/.test(basename(path)) && !configured.has(basename(path)),
      ),
    ),
  ]);
}

/** Directories of runs that have ended, with a result or killed. */
export async function endedReports(reports: string): Promise<readonly string[]> {
  const runs = (await pathsIn(reports)).filter((path) => /^\d{4}-/.test(basename(path)));
  return runs.filter((path) => !isUnderWay(runFiles(path, basename(path))));
}

function isUnderWay({ report, owner }: RunDirectory): boolean {
  // Undefined if the host crashed before it was on the disk.
  const process = existsSync(report) ? undefined : readJson(owner, ownerSchema);
  return process !== undefined && mayBeAlive(process);
}

async function newestFirst(what: string, paths: readonly string[]): Promise<Kind> {
  const timed = await Promise.all(paths.map(async (path) => ({ path, time: await timeOf(path) })));
  timed.sort((a, b) => b.time - a.time || (a.path < b.path ? 1 : -1));
  return { what, paths: timed.map(({ path }) => path) };
}

async function pathsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.map((name) => join(directory, name));
}

/** Milliseconds since 1970; 0 for what is not there. */
async function timeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
}
