// SPDX-License-Identifier: MIT
/** `bump`: moves to another release if the patches fit. Only the last step changes anything that is in use. */
import { existsSync } from 'node:fs';
import type { Result, Services } from '../../config/services.js';
import type { Config, Mirror, SourceName } from '../../config/schema.js';
import { EXIT, StopwatchError } from '../../../lib/errors.js';
import type { Task } from '../../engine/task.js';
import { type Archive, findArchive } from './archive.js';
import { keptMirrors } from './mirrors.js';
import { sourcesFile, writeSource } from './sources-file.js';
import { layoutOf } from '../../build/layout.js';
import { readStamp } from '../../build/source-stamp.js';
import { TITLES } from '../../build/sources.js';
import { bringUpToDate, toolchain } from '../../build/toolchain.js';
import { editsIn, someOf, gitPortsOf, withWorkLock } from '../../build/work-trees.js';
import { commandLine } from '../../../lib/process/command-line.js';

export interface BumpOptions {
  readonly part: SourceName;
  readonly version: string;
  /** The archive's checksum. */
  readonly sha256: string | undefined;
  /** Address or archive; undefined: where the configured release's mirrors lead. */
  readonly source: string | undefined;
  /** Also if the present tree has manual edits that are in no patch. */
  readonly force: boolean;
}

export async function bumpSource(services: Services, options: BumpOptions): Promise<Result> {
  const { part, version } = options;
  const { config } = services.loaded;
  const file = sourcesFile(services.loaded, part);
  const present = config.sources[part];
  if (present.tree !== null) {
    throw new StopwatchError(
      'bad-usage',
      `sources.${part}.tree is set: what is built is ${present.tree}, not a release`,
      { hint: 'Take that setting back first.' },
    );
  }
  await refuseToForget(services, options);
  const archive = await findArchive(services, options);
  const changed = withSource(config, part, { ...present, version, mirrors: [...archive.mirrors] });
  const moved = await prepareTree(services, changed, part);
  const stamp = readStamp(layoutOf(changed, services.loaded.paths).sourceStamp(part));
  const found = archive.mirror ?? stamp?.mirror;
  if (found === undefined) throw new StopwatchError('internal', 'The archive has no mirror');
  const mirrors = keptMirrors(present, archive.derived, found);
  // A file from elsewhere is not on the configured mirrors.
  const kept = mirrors.some((mirror) => mirror !== undefined) ? mirrors : [found];
  await writeSource(services, file, part, {
    version,
    mirrors: kept.filter((mirror) => mirror !== undefined),
  });
  return result(services, options, file, { archive, mirrors: kept, moved });
}

const apart = (name: string): string => `bump:${name.replace(':', '-')}`;

/**
 * Downloads, extracts and patches with the usual tasks, under other names, so that the records of the present tree stay.
 * Does not tidy up, because the present tree is still in use. Returns git's messages about hunks that have moved. Throws
 * 'patch-failed' if the patches do not fit.
 */
async function prepareTree(services: Services, config: Config, part: SourceName): Promise<readonly string[]> {
  const moved: string[] = [];
  const emit: Services['emit'] = (event) => {
    if (event.type === 'task-line' && /: Hunk #\d+ succeeded at /.test(event.line)) moved.push(event.line);
    services.emit(event);
  };
  const tools = await toolchain({ ...services, loaded: { ...services.loaded, config } }, emit);
  const names = new Set(['download', 'tree', 'patch'].map((step) => `${part}:${step}`));
  const tasks: Task[] = [];
  for (const task of tools.tasks) {
    if (names.has(task.name)) tasks.push({ ...task, name: apart(task.name), deps: task.deps.map(apart) });
  }
  const last = part === 'busybox' ? 'tree' : 'patch';
  await bringUpToDate({ ...tools, tasks, tidy: async () => {} }, [apart(`${part}:${last}`)]);
  return moved;
}

function withSource(config: Config, part: SourceName, source: Config['sources']['qemu']): Config {
  return { ...config, sources: { ...config.sources, [part]: source } };
}

/** The new tree does not have manual edits of the present one. Throws 'bad-usage' if there are any that are in no patch, unless forced. */
async function refuseToForget(services: Services, { part, force }: BumpOptions): Promise<void> {
  const { config, paths } = services.loaded;
  const { version } = config.sources[part];
  const tree = layoutOf(config, paths).tree(part);
  if (!existsSync(tree)) return;
  const ports = await gitPortsOf(services);
  const edits = await withWorkLock(services, paths.work, async () =>
    editsIn({ name: part, version, tree, aside: false }, ports),
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

interface Done {
  readonly archive: Archive;
  readonly mirrors: readonly (Mirror | undefined)[];
  /** git's messages about hunks that have moved. */
  readonly moved: readonly string[];
}

const mirrorOf = (mirror: Mirror): string => ('url' in mirror ? mirror.url : mirror.debian);

function result(
  { loaded }: Services,
  { part, version }: BumpOptions,
  file: string,
  { archive, mirrors, moved }: Done,
): Result {
  const present = loaded.config.sources[part];
  const gone = present.mirrors.filter((_, index) => mirrors[index] === undefined);
  const lines = [
    `${TITLES[part]} ${present.version} -> ${version}  (sha256 ${archive.sha256})`,
    ...(part === 'busybox'
      ? []
      : [`The patches fit${moved.length === 0 ? '' : ', some of them elsewhere:'}`]),
    ...moved.map((line) => `  ${line}`),
    `Written: ${file}`,
    ...gone.map(
      (mirror) => `Left out: what followed ${mirrorOf(mirror)}, another file whose sum is not known`,
    ),
  ];
  const checkout = loaded.paths.project === loaded.paths.package;
  return {
    exitCode: EXIT.passed,
    text: lines.map((line) => `${line}\n`).join(''),
    data: { part, from: present.version, to: version, sha256: archive.sha256, moved, file },
    next: checkout ? 'npm run build && npm run generate && npx stopwatch all' : commandLine('all'),
  };
}
