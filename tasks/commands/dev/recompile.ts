// SPDX-License-Identifier: MIT
/** In a checkout: the tool's own TypeScript, the model among it, compiled again. */
import { join } from 'node:path';
import { writeFileAtomic } from '../../../lib/files/atomic.js';
import { StopwatchError } from '../../../lib/errors.js';
import { baseEnvironment } from '../../../lib/environment.js';
import { type Processes, shellQuote } from '../../../lib/process/process.js';

export interface RecompileRequest {
  /** The checkout. */
  readonly root: string;
  /** Where the compiler's settings are kept. */
  readonly state: string;
  readonly processes: Processes;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Write the header for C as well. */
  readonly generate: boolean;
  /** Only the device's judge: the rest has not changed. */
  readonly judge: boolean;
}

/** What is run: all else that is compiled is reached from these. */
const ENTRIES = ['tasks/cli/main.ts', 'device/stopwatch/generate.ts'];
const JUDGE = ['device/stopwatch/device.ts'];

/** Throws 'command-failed' with what the compiler said; then the compiled code is as it was. */
export async function recompile(request: RecompileRequest): Promise<void> {
  const { root, state, generate, judge, ...ports } = request;
  const name = judge ? 'dev-judge' : 'dev';
  const project = join(state, `tsconfig.${name}.json`);
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      rootDir: root,
      outDir: join(root, 'dist'),
      typeRoots: [join(root, 'node_modules', '@types')],
      // A model that does not compile judges nobody.
      noEmitOnError: true,
      incremental: true,
      // Gone together with what it says is up to date.
      tsBuildInfoFile: join(root, 'dist', `${name}.tsbuildinfo`),
    },
    files: (judge ? JUDGE : ENTRIES).map((file) => join(root, file)),
    // Without the tests: an unfinished one is no reason not to judge.
    include: [],
    exclude: [],
  };
  await writeFileAtomic(project, JSON.stringify(settings));
  await run(root, join(root, 'node_modules', '.bin', 'tsc'), ['-p', project], ports);
  if (generate)
    await run(root, process.execPath, [join('dist', 'device', 'stopwatch', 'generate.js')], ports);
}

async function run(
  cwd: string,
  file: string,
  args: readonly string[],
  { processes, environment, signal }: Pick<RecompileRequest, 'processes' | 'environment' | 'signal'>,
): Promise<void> {
  const lines: string[] = [];
  const { exitCode } = await processes.run(
    { file, args, cwd, env: baseEnvironment(environment) },
    { signal, onLine: (line) => lines.push(line) },
  );
  signal.throwIfAborted();
  if (exitCode === 0) return;
  const command = shellQuote({ file, args });
  throw new StopwatchError('command-failed', 'The TypeScript of the tool and the model does not compile', {
    command: `cd ${cwd} && ${command}`,
    lastLines: lines.filter((line) => line.trim() !== '').slice(0, 20),
    hint: 'Mend it and save: until then nothing is judged.',
  });
}
