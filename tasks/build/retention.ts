// SPDX-License-Identifier: MIT
/** What nobody uses any more (old reports, results, source trees, a container's directory), kept within `keep.*` of the configuration. */
import { existsSync } from 'node:fs';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Services } from '../config/services.js';
import { StopwatchError } from '../../lib/errors.js';
import { withLock } from '../../lib/lock.js';
import { createTreeIndex } from '../../lib/files/tree-index.js';
import { inMiB, kibibytes } from './disk-space.js';
import { containerWork, type Layout, layoutOf } from './layout.js';
import { editsIn, filesOfTree, someOf, treeDeps, treesIn, type WorkTree } from './work-trees.js';

/** One thing that may go. */
interface Old {
  readonly what: string;
  /** All that goes together; the first one is what it is called. */
  readonly paths: readonly string[];
  readonly usedMs: number;
  /** Removes nothing where this gives a reason against it. */
  readonly objection?: () => Promise<string | undefined>;
  readonly tree?: WorkTree;
}

/** Reports that stay whatever they take. */
const LAST_REPORTS = 10;
/** A container's work directory is old when nothing ran in it for so long. */
const CONTAINER_MS = 30 * 24 * 3600 * 1000;
/** Between two looks at the sizes. */
const LOOK_MS = 3600 * 1000;

/**
 * Removes what is over the limits, oldest first, and says what. `look`: also
 * when the last look was a moment ago. Nothing that a configured build or a run
 * under way needs is ever considered, nor a tree with edits that are in no patch.
 */
export async function keepWithin(services: Services, look = false): Promise<void> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const stamp = join(paths.work, 'state', 'old-state-seen');
  const { reports: most, maxMiB } = config.keep;
  const reports = await finishedReports(layout);
  const tooMany = reports.slice(0, Math.max(0, reports.length - most));
  const due = maxMiB !== null && (look || (await ageOf(stamp)) > LOOK_MS);
  if (tooMany.length === 0 && !due) return;
  const processes = await services.processes();
  try {
    await withLock(
      join(paths.work, 'lock'),
      { signal: services.signal, wait: false, processes },
      async () => {
        for (const old of tooMany) await remove(services, layout, old);
        if (tooMany.length > 0) {
          tell(services, `Removed ${tooMany.length} old reports: keep.reports is ${most}`);
        }
        if (!due) return;
        const rest = reports.slice(tooMany.length, Math.max(tooMany.length, reports.length - LAST_REPORTS));
        await shrink(services, layout, [...rest, ...(await others(services, layout))], maxMiB);
        await writeFile(stamp, '');
      },
    );
  } catch (error) {
    // Whoever holds the lock does the same in the end.
    if (!(error instanceof StopwatchError) || error.code !== 'locked') throw error;
  }
}

async function shrink(
  services: Services,
  layout: Layout,
  candidates: readonly Old[],
  maxMiB: number,
): Promise<void> {
  const sizes = await kibibytes(
    candidates.flatMap(({ paths }) => paths),
    services,
  );
  const kibOf = ({ paths }: Old) => paths.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0);
  let total = candidates.reduce((sum, old) => sum + kibOf(old), 0);
  const removed: Old[] = [];
  const objections: string[] = [];
  for (const old of [...candidates].sort((a, b) => a.usedMs - b.usedMs)) {
    if (total <= maxMiB * 1024) break;
    const objection = await old.objection?.();
    if (objection !== undefined) {
      objections.push(objection);
      continue;
    }
    await remove(services, layout, old);
    removed.push(old);
    total -= kibOf(old);
  }
  const limit = `what is old may take ${maxMiB} MiB (keep.maxMiB)`;
  if (removed.length > 0) {
    const freed = inMiB(removed.reduce((sum, old) => sum + kibOf(old), 0));
    tell(services, `Removed ${freed}: ${someOf(removed.map(({ what }) => what))}; ${limit}`);
  }
  for (const objection of objections) tell(services, `Kept although ${limit}: ${objection}`);
}

/** Old things other than reports. */
async function others(services: Services, layout: Layout): Promise<readonly Old[]> {
  const { config, paths } = services.loaded;
  const used = new Set((['qemu', 'linux', 'busybox'] as const).map((name) => layout.tree(name)));
  const trees = (await treesIn(paths.src)).filter(({ tree }) => !used.has(tree));
  const old: Old[] = [];
  for (const tree of trees) {
    const files = filesOfTree(tree).filter((path) => existsSync(path));
    const usedMs = Math.max(...(await Promise.all(files.map(timeOf))));
    const objection = () => objectionTo(services, tree);
    old.push({ what: `source tree ${tree.tree}`, paths: files, usedMs, objection, tree });
  }
  const docker = containerWork(paths.work);
  const lockMs = await timeOf(join(docker, 'lock'));
  if (existsSync(docker) && Date.now() - lockMs > CONTAINER_MS) {
    const inner = layoutOf(config, { ...paths, work: docker, src: join(docker, 'src') });
    const objection = async () => {
      for (const tree of await treesIn(inner.src)) {
        const found = await objectionTo(services, tree);
        if (found !== undefined) return found;
      }
      return undefined;
    };
    old.push({
      what: `the container's work directory ${docker}`,
      paths: [docker],
      usedMs: lockMs,
      objection,
    });
  }
  return old;
}

/** Oldest first. A run that is under way has no report yet. */
async function finishedReports({ reports }: Layout): Promise<readonly Old[]> {
  const names = (await namesIn(reports)).filter((name) => /^\d{4}-/.test(name)).sort();
  const old: Old[] = [];
  for (const name of names) {
    const directory = join(reports, name);
    if (!existsSync(join(directory, 'report.json'))) continue;
    old.push({ what: `the report of ${name}`, paths: [directory], usedMs: await timeOf(directory) });
  }
  return old;
}

async function objectionTo(services: Services, tree: WorkTree): Promise<string | undefined> {
  const edits = await editsIn(tree, await treeDeps(services));
  if (edits === undefined) return `${tree.tree} may have been edited by hand`;
  return edits.length === 0 ? undefined : `${tree.tree} was edited by hand in ${someOf(edits)}`;
}

async function remove(services: Services, layout: Layout, { paths, tree }: Old): Promise<void> {
  for (const path of [...paths].reverse()) await rm(path, { recursive: true, force: true });
  if (tree === undefined) return;
  const { signal } = services;
  const index = join(layout.work, 'state', 'trees');
  createTreeIndex({ directory: index, processes: await services.processes(), signal }).drop(tree.tree);
}

function tell({ emit }: Services, text: string): void {
  emit({ type: 'notice', task: undefined, text });
}

async function timeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

async function ageOf(path: string): Promise<number> {
  return Date.now() - (await timeOf(path));
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
