// SPDX-License-Identifier: MIT
/** `clean`: lists and removes what can be made again. Removes what cannot be made again only with --force. */
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Result, Services } from '../../config/services.js';
import { isWorkDirectory } from '../../config/work-directory.js';
import { VARIANTS } from '../../config/variants.js';
import { findPaths, type Paths } from '../../config/paths.js';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import { PRODUCT } from '../../../lib/product.js';
import { diskWritten } from '../../build/guest/disk.js';
import { inMiB, kibibytes } from '../../build/disk-space.js';
import { containerWork, layoutOf } from '../../build/layout.js';
import { IN_PLACE } from '../../build/patching.js';
import { cacheDirectory } from '../../build/sources.js';
import { editsIn, someOf, gitPortsOf, treesIn, withWorkLock } from '../../build/work-trees.js';

/** Parts, and how. */
export interface CleanOptions {
  /** Build directories, the files for a boot, logs. */
  readonly builds: boolean;
  /** Extracted source trees. */
  readonly sources: boolean;
  /** Reports of earlier runs. */
  readonly reports: boolean;
  /** The download cache, which other checkouts share. */
  readonly downloads: boolean;
  /** Do not ask, and also remove what exists nowhere else. */
  readonly force: boolean;
  /** Only print what would be removed. */
  readonly dryRun: boolean;
}

/** A path to remove, and what it is. */
interface Item {
  readonly path: string;
  readonly what: string;
}

export async function cleanWork(services: Services, options: CleanOptions): Promise<Result> {
  mustBeOurs(services.loaded.paths.work);
  const places = [services.loaded.paths.work, containerWork(services.loaded.paths.work)]
    .filter((work) => existsSync(work))
    .map((work) => findPaths(services.loaded.paths.project, work));
  const items = itemsFor(services, places, options).filter(({ path }) => existsSync(path));
  if (items.length === 0)
    return { exitCode: EXIT.passed, text: 'There is nothing to remove.\n', data: { removed: [] } };
  const sizes = await kibibytes(
    items.map(({ path }) => path),
    services,
  );
  const lines = items.map(({ path, what }) => `${inMiB(sizes.get(path)).padStart(12)}  ${path}  (${what})`);
  const total = [...sizes.values()].reduce((sum, each) => sum + each, 0);
  const losses = await lossesOf(services, places, options);
  const list = [...lines, ...losses.map((loss) => `Would be lost: ${loss}`), ''].join('\n');
  const paths = items.map(({ path }) => path);
  const facts = { freedMiB: total / 1024, lost: losses };
  if (options.dryRun) {
    const text = `${list}Would free ${inMiB(total)}.\n`;
    return { exitCode: EXIT.passed, text, data: { wouldRemove: paths, ...facts } };
  }
  if (losses.length > 0 && !options.force) {
    throw new StopwatchError('bad-usage', `Nothing was removed, because some of it exists nowhere else`, {
      hint: 'npx stopwatch update_patches keeps edits of source trees and of the guest, but no stashes, branches or repositories inside them; --force loses them.',
      lastLines: losses,
    });
  }
  if (!options.force && !(await services.confirm(`${list}Remove this and free ${inMiB(total)}?`, false))) {
    throw new StopwatchError('bad-usage', `Nothing was removed; it would have been ${paths.join(', ')}`, {
      hint: 'Give --force to remove it without a question, or --dry-run to see more.',
    });
  }
  await locked(services, places, async () => {
    for (const path of paths) await rm(path, { recursive: true, force: true });
  });
  return {
    exitCode: EXIT.passed,
    text: `${list.replaceAll(/^Would be lost/gm, 'Lost')}Freed ${inMiB(total)}.\n`,
    data: { removed: paths, ...facts },
    next: 'npx stopwatch all',
  };
}

/** Throws 'bad-usage' if the directory may contain other files. */
function mustBeOurs(work: string): void {
  if (!existsSync(work) || isWorkDirectory(work)) return;
  throw new StopwatchError(
    'bad-usage',
    `Nothing was removed: ${work} was not made by ${PRODUCT}, so what is in it may be yours`,
    { hint: 'If all of it can go, remove it by hand.' },
  );
}

/** The paths of the named parts. */
function itemsFor(
  { loaded, environment }: Services,
  places: readonly Paths[],
  options: CleanOptions,
): Item[] {
  const items = places.flatMap((paths): Item[] => [
    ...(options.builds
      ? [
          { path: paths.build, what: 'builds' },
          { path: paths.vm, what: 'files for a boot' },
          { path: paths.logs, what: 'logs of tools' },
        ]
      : []),
    ...(options.sources ? [{ path: paths.src, what: 'extracted sources' }] : []),
    ...(options.reports ? [{ path: paths.reports, what: 'reports of earlier runs' }] : []),
  ]);
  if (options.sources && options.builds) {
    for (const { work } of places) {
      for (const path of statePaths(join(work, 'state')))
        items.push({ path, what: 'records of finished tasks' });
    }
  }
  if (options.downloads) {
    items.push({
      path: join(cacheDirectory(loaded.config, environment), 'downloads'),
      what: 'downloads of all checkouts',
    });
  }
  const whole = new Set(items.map(({ path }) => path));
  return items.filter(({ path }) => !whole.has(join(path, '..')));
}

/** Everything except the record of patched trees of the user's own, which `patch --undo` needs and removes. */
function statePaths(state: string): string[] {
  if (!existsSync(join(state, IN_PLACE))) return [state];
  const names = readdirSync(state).filter((name) => name !== IN_PLACE);
  return names.map((name) => join(state, name));
}

/** What cannot be made again: manual edits in source trees, and what a guest wrote to its disk. */
async function lossesOf(
  services: Services,
  places: readonly Paths[],
  options: CleanOptions,
): Promise<readonly string[]> {
  const { loaded } = services;
  const ports = await gitPortsOf(services);
  const losses: string[] = [];
  await locked(services, places, async () => {
    for (const paths of places) {
      for (const tree of options.sources ? await treesIn(paths.src) : []) {
        const edits = await editsIn(tree, ports);
        if (edits === undefined) losses.push(`${tree.tree}: it is not known whether it was edited by hand`);
        else if (edits.length > 0)
          losses.push(`${tree.tree}: edited by hand, and in no patch: ${someOf(edits)}`);
      }
      for (const variant of options.builds ? VARIANTS : []) {
        const { config } = loaded;
        const layout = layoutOf({ ...config, build: { ...config.build, variant } }, paths);
        if (!(await diskWritten(layout))) continue;
        losses.push(`${layout.disk}: what the guest of \`run --rw\` wrote`);
      }
    }
  });
  return losses;
}

/** Runs `fn` with the locks of all these work directories. */
async function locked(services: Services, places: readonly Paths[], fn: () => Promise<void>): Promise<void> {
  const [first, ...others] = places;
  if (first === undefined) return fn();
  return withWorkLock(services, first.work, async () => locked(services, others, fn));
}
