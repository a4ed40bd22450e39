// SPDX-License-Identifier: MIT
/**
 * `dev` is two processes. The worker watches and runs, and stays loaded between
 * saves. When the configuration or the tool's own code changes (the model is part
 * of it), the worker ends, and this process starts a new one.
 */
import { StopwatchError, EXIT } from '../../../lib/errors.js';
import { watchFiles } from '../../../lib/files/watch.js';
import type { Result, Services } from '../../config/services.js';
import { watchedPaths } from './watched.js';
import { QUIET_MS, RESTART } from './worker.js';

/** Added to the user's arguments for the worker. */
export const WORKER = '--worker';

/** Ends when the worker ends without asking for a restart; passes on its exit code. */
export async function supervise(services: Services): Promise<Result> {
  const { signal, environment } = services;
  const processes = await services.processes();
  const own = process.argv[1] ?? '';
  const args = [...process.execArgv, own, ...process.argv.slice(2), WORKER];
  for (let starts = 0; ; starts++) {
    const child = await processes.spawn(
      { file: process.execPath, args, env: environment },
      // The worker ends its own processes first.
      { signal, stdin: 'inherit', stdout: 'inherit', stderr: 'inherit', graceMs: 8000 },
    );
    const { exitCode = EXIT.interrupted } = await child.exited;
    if (exitCode === RESTART) continue;
    const ended = exitCode === EXIT.passed || exitCode === EXIT.interrupted || signal.aborted;
    // If not even the first worker started, a save cannot help.
    if (ended || starts === 0) return { exitCode: EXIT.passed, passedThrough: exitCode };
    process.stderr.write('Waiting for the next save; Ctrl-C ends.\n');
    await nextSave(services);
  }
}

async function nextSave({ loaded, signal }: Services): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const watch = watchFiles({
      paths: watchedPaths(loaded.paths),
      quietMs: QUIET_MS,
      onSave: () => end(resolve),
      onError: (error) => end(() => reject(error instanceof Error ? error : new Error(String(error)))),
    });
    const onAbort = () =>
      end(() => reject(new StopwatchError('interrupted', 'Interrupted while waiting for a save')));
    const end = (settle: () => void): void => {
      watch.close();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
