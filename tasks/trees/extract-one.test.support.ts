// SPDX-License-Identifier: MIT
/** A process of its own that runs a graph of one task, which extracts a release. Arguments: work directory, archive, directory. */
import { baseEnvironment } from '../../lib/environment.js';
import { sha256File } from '../../lib/files/sha256.js';
import { createProcesses } from '../../lib/process/process.js';
import { createExecutor } from '../engine/executor.js';
import { extractRelease } from './extract.js';

/** Extracts as the task of a build does. Gives the task's error, if any. */
export async function extractAsTask({
  workdir,
  archive,
  directory,
  exclude = [],
  sha256,
  path,
  signal,
}: {
  readonly workdir: string;
  readonly archive: string;
  readonly directory: string;
  readonly exclude?: readonly string[];
  readonly sha256?: string | undefined;
  /** Of the tools, instead of this process's. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}): Promise<unknown> {
  const sum = sha256 ?? (await sha256File(archive));
  const env = baseEnvironment();
  const executor = createExecutor({
    processes: createProcesses(),
    workdir,
    jobs: 1,
    emit: () => {},
    signal: signal ?? new AbortController().signal,
    baseEnv: path === undefined ? env : { ...env, PATH: path },
  });
  const [failure] = await executor.run(
    [
      {
        name: 'thing:tree',
        title: 'Thing: extract',
        deps: [],
        inputs: {},
        outputs: [directory],
        jobs: 'none',
        run: async (context) =>
          extractRelease({ archive, sha256: sum, directory, exclude, prepare: async () => {} }, context),
      },
    ],
    [],
  );
  return failure?.error;
}

const [workdir, archive, directory] = process.argv.slice(2);
if (import.meta.filename === process.argv[1] && workdir && archive && directory)
  await extractAsTask({ workdir, archive, directory });
