// SPDX-License-Identifier: MIT
/** In a checkout: the tool's own TypeScript, the model among it, compiled again. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import { baseEnvironment } from '../../../lib/environment.js';
import { type Processes, shellQuote } from '../../../lib/process/process.js';

export interface RecompileRequest {
  /** The checkout. */
  readonly root: string;
  /** Where the compiler remembers what it has checked. */
  readonly state: string;
  readonly processes: Processes;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Checks the types and builds dist/, both at once. Throws 'command-failed' with the
 * first errors; dist/ is then left as it was. Chunks of earlier builds stay, because
 * processes that run may still load them; `npm run build` removes them.
 */
export async function recompile(request: RecompileRequest): Promise<void> {
  const { root, state, ...ports } = request;
  const next = join(state, 'dist');
  // Without the tests: unfinished ones do not stop a run.
  const types = ['-p', 'tsconfig.dev.json', '--tsBuildInfoFile', join(state, 'dev.tsbuildinfo')];
  rmSync(next, { recursive: true, force: true });
  const program = (name: string) => join(root, 'node_modules', '.bin', name);
  await Promise.all([
    run(root, program('tsc'), types, ports),
    run(root, program('rolldown'), ['-c'], ports, { DIST: next }),
  ]);
  cpSync(next, join(root, 'dist'), { recursive: true });
  rmSync(next, { recursive: true, force: true });
}

async function run(
  cwd: string,
  file: string,
  args: readonly string[],
  { processes, environment, signal }: Pick<RecompileRequest, 'processes' | 'environment' | 'signal'>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const lines: string[] = [];
  const { exitCode } = await processes.run(
    { file, args, cwd, env: { ...baseEnvironment(environment), ...env } },
    { signal, onLine: (line) => lines.push(line) },
  );
  signal.throwIfAborted();
  if (exitCode === 0) return;
  const command = shellQuote({ file, args });
  throw new StopwatchError('command-failed', 'The TypeScript of the tool and the model does not compile', {
    command: `cd ${cwd} && ${command}`,
    lastLines: lines.filter((line) => line.trim() !== '').slice(0, 20),
    hint: 'Fix it and save; until then no run is checked.',
  });
}
