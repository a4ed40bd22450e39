// SPDX-License-Identifier: MIT
/** `<source>:download` and `<source>:tree`: a release becomes a verified archive, and that a source tree. */
import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { Config, Mirror, SourceName } from '../config/schema.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Task, TaskContext } from '../engine/task.js';
import { writeFileAtomic } from '../../lib/files/atomic.js';
import { baseEnvironment } from '../../lib/environment.js';
import type { Processes } from '../../lib/process/process.js';
import { download, type DownloadDeps, type Downloaded } from '../trees/download/download.js';
import { createRepository } from '../trees/repository/create.js';
import { extractRelease } from '../trees/extract.js';
import {
  type GitPorts,
  refuseUnmanaged,
  Repository,
  repositoryIn,
  stateDirectory,
} from '../trees/repository/repository.js';
import { copyOwnTree, putAside, refuseAround } from '../trees/own-tree.js';
import type { Layout } from './layout.js';
import { readStamp } from './source-stamp.js';
import { PRODUCT } from '../../lib/product.js';

export const TITLES: Readonly<Record<SourceName, string>> = {
  qemu: 'QEMU',
  linux: 'Linux',
  busybox: 'Busybox',
};

/** A file at the top of each tree that tells it from any other directory. */
const LANDMARKS: Readonly<Record<SourceName, string>> = {
  qemu: 'qemu-options.hx',
  linux: 'Kbuild',
  busybox: 'applets/applets.c',
};

/** What downloads need beyond a task's context. */
export interface SourcePorts {
  readonly processes: Processes;
  /** The user's environment: proxies, XDG_CACHE_HOME. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The directory of downloads that all checkouts share. */
export function cacheDirectory(config: Config, environment: SourcePorts['environment']): string {
  if (config.downloads.directory !== null) return config.downloads.directory;
  const base = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache');
  return join(base, PRODUCT);
}

type DownloadContext = Pick<TaskContext, 'signal' | 'progress' | 'log' | 'notice'>;

/** Downloads one file for a task, with progress on its row. */
export async function fetchFor(
  context: DownloadContext,
  what: string,
  mirrors: readonly Mirror[],
  config: Config,
  ports: SourcePorts,
): Promise<Downloaded> {
  const { stallSeconds, tries, offline } = config.downloads;
  return await download(
    { what, mirrors, stallSeconds, tries, offline, cache: cacheDirectory(config, ports.environment) },
    downloadDeps(context, ports),
  );
}

/** For a download whose progress is shown on the task's row. */
export function downloadDeps(
  context: DownloadContext,
  { processes, environment }: SourcePorts,
): DownloadDeps {
  return {
    processes,
    signal: context.signal,
    env: baseEnvironment(environment),
    proxyEnv: environment,
    onProgress: (done, total) => context.progress(done, total, 'bytes'),
    log: (line) => context.log(line),
    notice: (text) => context.notice(text),
  };
}

/** The tasks that end with `layout.tree(name)` being there. */
export function sourceTasks(name: SourceName, config: Config, layout: Layout, ports: SourcePorts): Task[] {
  const { tree, inPlace, version, mirrors, exclude } = config.sources[name];
  if (tree !== null) return [ownTreeTask(name, tree, inPlace, layout, ports)];
  const what = `${TITLES[name]} ${version}`;
  const fetch = async (context: TaskContext) => fetchFor(context, what, mirrors, config, ports);
  const stampFile = layout.sourceStamp(name);
  const directory = layout.tree(name);
  // Any tree already in the way was put aside before this is written, so a tree of this name always matches it.
  const intentFile = `${directory}.tree.json`;
  return [
    {
      name: `${name}:download`,
      title: `${what}: download and verify`,
      deps: [],
      inputs: { values: { mirrors: mirrors.map((mirror) => Object.assign({}, mirror)) } },
      outputs: [stampFile],
      jobs: 'none',
      run: async (context) => {
        const { file, sha256, mirror, from } = await fetch(context);
        context.log(`sha256 ${sha256}  ${file} (${from})`);
        await writeFileAtomic(stampFile, JSON.stringify({ file, sha256, mirror }));
      },
    },
    {
      name: `${name}:tree`,
      title: `${what}: extract`,
      deps: [`${name}:download`],
      inputs: { values: { exclude } },
      outputs: [directory, stateDirectory(repositoryIn('', directory))],
      jobs: 'one',
      run: async (context) => {
        let stamp = readStamp(stampFile);
        const intent = JSON.stringify({ sha256: stamp?.sha256, leaveOut: exclude });
        const isThere = existsSync(directory);
        if (isThere && (await readFile(intentFile, 'utf8').catch(() => undefined)) === intent) {
          refuseUnmanaged(repositoryIn(what, directory));
          return;
        }
        if (isThere) {
          const aside = await putAside(directory);
          await rename(intentFile, `${aside}.tree.json`).catch(() => {});
          context.notice(`${basename(directory)} is extracted again; the old tree is kept in ${aside}`);
        }
        if (stamp === undefined || !existsSync(stamp.file)) stamp = await fetch(context);
        const { file: archive, sha256 } = stamp;
        const prepare = async (content: string) =>
          createRepository(new Repository(repositoryIn(what, content), gitPorts(context, ports)), {
            message: what,
          });
        await writeFileAtomic(intentFile, intent);
        await extractRelease({ archive, sha256, directory, exclude, prepare }, context);
      },
    },
  ];
}

/** For git on behalf of a task. */
export function gitPorts(context: TaskContext, { processes, environment }: SourcePorts): GitPorts {
  return {
    processes,
    signal: context.signal,
    env: baseEnvironment(environment),
    notice: (text) => context.notice(text),
    log: (line) => context.log(line),
  };
}

function ownTreeTask(
  name: SourceName,
  directory: string,
  inPlace: boolean,
  layout: Layout,
  ports: SourcePorts,
): Task {
  const landmark = join(directory, LANDMARKS[name]);
  const copy = repositoryIn(`${TITLES[name]} in ${directory}`, layout.tree(name));
  return {
    name: `${name}:tree`,
    title: `${TITLES[name]}: the tree in ${directory}`,
    deps: [],
    inputs: inPlace
      ? { values: { directory }, files: [landmark] }
      : { values: { directory }, trees: [directory] },
    outputs: inPlace ? [] : [copy.tree, stateDirectory(copy)],
    jobs: 'one',
    // An edit in it is carried over to the copy; what is built of that looks at the copy.
    ...(inPlace ? {} : { result: directory }),
    run: async (context) => {
      if (!existsSync(landmark)) {
        throw new StopwatchError(
          'bad-source-tree',
          `${directory} is no source tree of ${TITLES[name]}: expected ${landmark}, got nothing there`,
          { hint: `Give the top directory of a ${TITLES[name]} tree: --source ${name}=PATH` },
        );
      }
      await refuseAround(directory, layout.work);
      if (inPlace) return;
      const changed = await copyOwnTree(new Repository(copy, gitPorts(context, ports)), directory);
      if (changed === undefined) context.notice(`${directory} is copied to ${copy.tree}, and only read`);
      for (const path of changed ?? []) context.log(`carried over ${path}`);
    },
  };
}
