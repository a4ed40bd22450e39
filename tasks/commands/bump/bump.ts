// SPDX-License-Identifier: MIT
/** `bump`: to another release, if the patches fit it. Until the very last step nothing is changed that anybody uses. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Result, Services } from '../../config/services.js';
import type { Config, Mirror, SourceName } from '../../config/schema.js';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import type { Task } from '../../engine/task.js';
import { withLock } from '../../../lib/lock.js';
import { describeTrial, type HunkTrial, tryPatches } from '../../trees/try-patches.js';
import { type Archive, findArchive, isDirectory } from './archive.js';
import { keptMirrors } from './mirrors.js';
import { sourcesFile, writeSource } from './sources-file.js';
import { layoutOf } from '../../build/layout.js';
import { patchedTree } from '../../build/patching.js';
import { readStamp } from '../../build/source-stamp.js';
import { LANDMARKS, TITLES } from '../../build/sources.js';
import { bringUpToDate, toolchain } from '../../build/toolchain.js';
import { editsIn, someOf, type TreeDeps, treeDeps } from '../../build/work-trees.js';
import { commandLine } from '../../../lib/process/command-line.js';

export interface BumpOptions {
  readonly part: SourceName;
  /** Undefined only with a tree of the user's own as its source. */
  readonly version: string | undefined;
  /** That somebody vouches for, of the archive. */
  readonly sha256: string | undefined;
  /** Address, archive or directory; undefined: where the configured release's mirrors lead. */
  readonly source: string | undefined;
  /** Also when edits by hand in the present tree are in no patch. */
  readonly force: boolean;
}

export async function bump(services: Services, options: BumpOptions): Promise<Result> {
  const { part, version, source } = options;
  const { config } = services.loaded;
  const file = sourcesFile(services.loaded, part);
  const present = config.sources[part];
  const own = source !== undefined && isDirectory(source);
  if (!own && present.tree !== null) {
    throw new StopwatchError(
      'bad-usage',
      `sources.${part}.tree is set: what is built is ${present.tree}, not a release`,
      { hint: `Take that setting back first, or try another tree: --source ${part}=DIRECTORY` },
    );
  }
  await refuseToForget(services, options);
  if (own) return toOwnTree(services, options, file, resolve(source));
  if (version === undefined) {
    throw new StopwatchError('bad-usage', 'Which release? Expected a version, or a directory as --source', {
      hint: `npx stopwatch bump ${part} ${present.version} --sha256 SUM`,
    });
  }
  const archive = await findArchive(services, options, version);
  const changed = withSource(config, part, { ...present, version, mirrors: [...archive.mirrors] });
  await fetchTree(services, changed, part);
  const stamp = await readStamp(layoutOf(changed, services.loaded.paths).sourceStamp(part));
  const found = archive.mirror ?? stamp?.mirror;
  if (found === undefined) throw new StopwatchError('internal', 'The archive has no mirror');
  const trials = await fitting(services, changed, part);
  const mirrors = keptMirrors(present, archive.derived, found);
  // A file from elsewhere is on none of the configured mirrors.
  const kept = mirrors.some((mirror) => mirror !== undefined) ? mirrors : [found];
  await writeSource(services, file, part, {
    version,
    mirrors: kept.filter((mirror) => mirror !== undefined),
  });
  return result(services, options, file, { version, archive, mirrors: kept, trials });
}

const apart = (name: string): string => `bump:${name.replace(':', '-')}`;

/**
 * Downloads and extracts as ever, but under names of its own: what is known of the present tree stays known. Without the
 * tidying: that tree is still in use, whatever the new configuration says.
 */
async function fetchTree(services: Services, config: Config, part: SourceName): Promise<void> {
  const tools = await toolchain({ ...services, loaded: { ...services.loaded, config } });
  const tasks: Task[] = [];
  for (const task of tools.tasks) {
    if (task.name !== `${part}:download` && task.name !== `${part}:tree`) continue;
    tasks.push({ ...task, name: apart(task.name), deps: task.deps.map(apart) });
  }
  await bringUpToDate({ ...tools, tasks, tidy: async () => {} }, [apart(`${part}:tree`)]);
}

function withSource(config: Config, part: SourceName, source: Config['sources']['qemu']): Config {
  return { ...config, sources: { ...config.sources, [part]: source } };
}

/** Edits by hand in the present tree are not in the new one. Throws 'bad-usage' unless they are in patches, or it is forced. */
async function refuseToForget(services: Services, { part, force }: BumpOptions): Promise<void> {
  const { config, paths } = services.loaded;
  const { version } = config.sources[part];
  const tree = layoutOf(config, paths).tree(part);
  if (config.sources[part].tree !== null || !existsSync(tree)) return;
  const device = await services.device();
  const edits = await underLock(services, async (deps) =>
    editsIn(paths.work, { name: part, version, tree, aside: false }, device.description, deps),
  );
  if (edits === undefined || edits.length === 0) return;
  const what = `${tree} has edits by hand that are in no patch: ${someOf(edits)}`;
  if (!force) {
    throw new StopwatchError('bad-usage', what, {
      hint:
        part === 'busybox'
          ? 'Busybox has no patches: --force goes on, and they stay behind in that tree.'
          : 'npx stopwatch update_patches takes them along; with --force they stay behind in that tree.',
    });
  }
  services.emit({ type: 'notice', task: undefined, text: `${what}; they stay there` });
}

/** The trials. Throws 'patch-failed' with every hunk that does not fit as it is. */
async function fitting(services: Services, config: Config, part: SourceName): Promise<readonly HunkTrial[]> {
  if (part === 'busybox') return [];
  const { paths } = services.loaded;
  const device = await services.device();
  const { what, tree, patches, stateDir } = patchedTree(
    part,
    config,
    layoutOf(config, paths),
    device.description,
  );
  const trials = await underLock(services, async (deps) => tryPatches({ tree, patches, stateDir }, deps));
  const bad = trials.filter(({ rejected, fuzz }) => rejected || fuzz > 0);
  if (bad.length === 0) return trials;
  const rejects = bad.filter(({ rejected }) => rejected).length;
  throw new StopwatchError(
    'patch-failed',
    `${what}: of ${trials.length} hunks ${trials.length - bad.length} fit, ${bad.length - rejects} fit only with fuzz, ${rejects} are rejected; the configuration stays as it was`,
    {
      lastLines: bad.flatMap(describeTrial),
      hint: `Make these hunks fit ${tree}, which is as it was released, and run the same command again: fewer lines of context fit more releases.`,
    },
  );
}

async function underLock<T>(services: Services, action: (deps: TreeDeps) => Promise<T>): Promise<T> {
  const { loaded, signal, emit } = services;
  const deps = await treeDeps(services);
  const { processes } = deps;
  const onWaiting = (holder: string) => emit({ type: 'waiting', holder });
  return withLock(join(loaded.paths.work, 'lock'), { signal, processes, onWaiting }, async () =>
    action(deps),
  );
}

async function toOwnTree(
  services: Services,
  options: BumpOptions,
  file: string,
  tree: string,
): Promise<Result> {
  const { part } = options;
  const landmark = join(tree, LANDMARKS[part]);
  if (!existsSync(landmark)) {
    throw new StopwatchError(
      'bad-source-tree',
      `${tree} is no source tree of ${TITLES[part]}: expected ${landmark}, got nothing there`,
    );
  }
  const { config } = services.loaded;
  const trials = await fitting(services, withSource(config, part, { ...config.sources[part], tree }), part);
  await writeSource(services, file, part, { tree });
  return result(services, options, file, { version: undefined, archive: undefined, mirrors: [], trials });
}

interface Done {
  readonly version: string | undefined;
  readonly archive: Archive | undefined;
  readonly mirrors: readonly (Mirror | undefined)[];
  readonly trials: readonly HunkTrial[];
}

const mirrorOf = (mirror: Mirror): string => ('url' in mirror ? mirror.url : mirror.debian);

function result(
  { loaded }: Services,
  { part, source }: BumpOptions,
  file: string,
  { version, archive, mirrors, trials }: Done,
): Result {
  const present = loaded.config.sources[part];
  const moved = trials.filter(({ offset }) => offset !== 0).length;
  const gone = present.mirrors.filter((_, index) => archive !== undefined && mirrors[index] === undefined);
  const lines = [
    version === undefined
      ? `${TITLES[part]}: ${source ?? ''}`
      : `${TITLES[part]} ${present.version} -> ${version}  (sha256 ${archive?.sha256 ?? ''})`,
    ...(part === 'busybox' ? [] : [`${trials.length} hunks of patches fit, ${moved} of them moved`]),
    ...trials.flatMap((trial) => (trial.offset === 0 ? [] : describeTrial(trial).map((text) => `  ${text}`))),
    `Written: ${file}`,
    ...gone.map(
      (mirror) => `Left out: what followed ${mirrorOf(mirror)}, another file whose sum is not known`,
    ),
  ];
  const checkout = loaded.paths.project === loaded.paths.package;
  return {
    exitCode: EXIT.passed,
    text: lines.map((line) => `${line}\n`).join(''),
    data: { part, from: present.version, to: version ?? source, sha256: archive?.sha256, trials, file },
    next: checkout ? 'npm run build && npm run generate && npx stopwatch all' : commandLine('all'),
  };
}
