// SPDX-License-Identifier: MIT
/** Runs git, with none of the user's settings. */
import { StopwatchError } from './errors.js';
import type { Processes } from './process/process.js';

/** For `info/attributes`: every file is content, byte for byte, whatever a release's own .gitattributes say. */
export const VERBATIM = '* -text -ident -filter !working-tree-encoding\n';

interface GitCommand {
  /** git, or a shell whose script calls it. */
  readonly file: string;
  readonly args: readonly string[];
  /** Has no GIT_* of the user's. */
  readonly env: Readonly<Record<string, string>>;
  readonly gitDir: string;
  readonly workTree: string;
  readonly index: string;
}

export interface GitResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** What it printed on standard error. */
  readonly said: readonly string[];
}

/** Does not throw for a bad exit code. */
export async function runGit(
  processes: Processes,
  { file, args, env, gitDir, workTree, index }: GitCommand,
  { signal, input }: { readonly signal: AbortSignal; readonly input?: string | undefined },
): Promise<GitResult> {
  const said: string[] = [];
  const isolated = {
    ...env,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_DIR: gitDir,
    GIT_WORK_TREE: workTree,
    GIT_INDEX_FILE: index,
  };
  const { exitCode, stdout } = await processes.run(
    { file, args, cwd: workTree, env: isolated },
    {
      signal,
      input,
      capture: true,
      onLine: (line, stream) => {
        if (stream === 'stderr') said.push(line);
      },
    },
  );
  if (signal.aborted) throw new StopwatchError('interrupted', `Interrupted: git in ${workTree}`);
  return { ok: exitCode === 0, stdout, said };
}
