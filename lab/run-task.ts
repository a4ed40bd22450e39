// SPDX-License-Identifier: MIT
/** Runs the body of `fuzz` or `mutants` as a task, so that what it needs is built first and its progress is shown. */
import { EXIT, StopwatchError } from '../lib/errors.js';
import { bringUpToDate, type Toolchain } from '../tasks/build/toolchain.js';
import type { Result } from '../tasks/config/services.js';
import type { Task, TaskContext } from '../tasks/engine/task.js';

/** `failure`: the task's error for a result that did not pass; the result is returned all the same. */
export async function runAsTask(
  tools: Toolchain,
  about: Pick<Task, 'name' | 'title' | 'deps' | 'jobs'>,
  work: (context: TaskContext) => Promise<Result>,
  failure: (result: Result) => StopwatchError,
): Promise<Result> {
  let result: Result | undefined;
  const task: Task = {
    ...about,
    inputs: {},
    outputs: [],
    always: 'it runs every time',
    run: async (context) => {
      result = await work(context);
      if (context.signal.aborted) throw new StopwatchError('interrupted', `${about.title}: interrupted`);
      if (result.exitCode !== EXIT.passed) throw failure(result);
    },
  };
  try {
    await bringUpToDate(tools, [task.name], [task]);
  } catch (error) {
    if (result === undefined || tools.signal.aborted) throw error;
  }
  if (result === undefined) throw new StopwatchError('internal', `${about.title} ended without a result`);
  return result;
}
