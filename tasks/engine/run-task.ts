// SPDX-License-Identifier: MIT
/** Runs one task, from its last evaluation to its record. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { baseEnvironment } from '../../lib/environment.js';
import type { Processes } from '../../lib/process/process.js';
import { createContext, interrupted } from './context.js';
import { StopwatchError } from '../../lib/errors.js';
import type { Evaluator } from './evaluate.js';
import type { Emit } from './events.js';
import { toStopwatchError } from '../../lib/failure.js';
import { makeNewer, removeDamaged } from './newer.js';
import { flushOutput, outputSignature, taskFileName } from './state.js';
import type { Task } from './task.js';
import { openTaskLog, type TaskLog } from './task-log.js';

/** Stop waiting for a task this long after an interruption: its processes got SIGKILL some seconds before. */
const STUCK_MS = 5000;

export interface RunTaskOptions {
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  readonly evaluator: Evaluator;
  /** How many processes a build may have. */
  readonly jobs: number;
}

/** The result for its dependents' fingerprints, or the reason for its failure. */
type TaskEnd = { readonly result: string } | { readonly error: StopwatchError };

/** Evaluates the task again, now that its dependencies are finished, and runs it if it is stale. Never rejects. */
export async function runTask(
  task: Task,
  deps: ReadonlyMap<string, string>,
  options: RunTaskOptions,
): Promise<TaskEnd> {
  const { emit, evaluator } = options;
  const logFile = join(options.workdir, 'logs', `${taskFileName(task.name)}.log`);
  const started = performance.now();
  let log: TaskLog | undefined;
  try {
    const { parts, fingerprint, result, reasons, record } = await evaluator.evaluate(task, deps, []);
    if (reasons.length === 0) {
      emit({ type: 'task-fresh', task: task.name });
      return { result };
    }
    if (options.signal.aborted) throw interrupted(task.name);
    const notes: string[] = [];
    if (task.jobs === 'build') {
      // Before the record is overwritten: after a kill in between, it happens again.
      const madeMs = record?.state === 'finished' ? evaluator.state.writtenMs(task.name) : undefined;
      const changed = record?.parts === undefined ? [] : await evaluator.changed(record.parts, parts);
      notes.push(...(await makeNewer(changed, madeMs)), ...(await removeDamaged(reasons)));
    }
    await evaluator.state.markUnfinished(task.name, parts, record?.durationMs);
    log = openTaskLog(logFile);
    emit({ type: 'task-start', task: task.name, logFile });
    log.line(`# ${task.title} (${task.name}), ${new Date().toISOString()}`);
    for (const note of notes) log.line(note);
    await runToEnd(task, log, logFile, options).finally(() => evaluator.forget(task.outputs));
    const outputs = await checkOutputs(task, logFile, options);
    const durationMs = performance.now() - started;
    // The fingerprint from before the run, so that an input that changed meanwhile makes the task stale.
    await evaluator.state.markFinished(task.name, { fingerprint, parts, outputs, durationMs });
    emit({ type: 'task-done', task: task.name, durationMs });
    return { result };
  } catch (thrown) {
    const error = await toStopwatchError(options.signal.aborted ? interrupted(task.name, thrown) : thrown, {
      task: task.name,
      directory: options.workdir,
      log: log === undefined ? undefined : logFile,
    });
    try {
      log?.line(`# failed: ${error.message}`);
    } catch {
      // The disk is full, as the error says.
    }
    emit({ type: 'task-failed', task: task.name, durationMs: performance.now() - started, error });
    return { error };
  } finally {
    log?.close();
  }
}

async function runToEnd(task: Task, log: TaskLog, logFile: string, options: RunTaskOptions): Promise<void> {
  const { signal } = options;
  let stuck: NodeJS.Timeout | undefined;
  let giveUp: (error: StopwatchError) => void;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const onAbort = () => {
    stuck = setTimeout(() => giveUp(interrupted(task.name)), STUCK_MS);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    const context = createContext({ ...options, task, log, logFile });
    await Promise.race([task.run(context), givenUp]);
    // Its tools were ended, whatever the task returned.
    if (signal.aborted) throw interrupted(task.name);
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearTimeout(stuck);
  }
}

/** All outputs must exist. Flushes them before they are recorded. */
async function checkOutputs(
  task: Task,
  log: string,
  options: RunTaskOptions,
): Promise<Record<string, string>> {
  const outputs: Record<string, string> = {};
  for (const path of task.outputs) {
    const signature = outputSignature(path);
    if (signature === undefined) {
      throw new StopwatchError('output-missing', `${task.name} succeeded, but did not create ${path}.`, {
        log,
        hint: 'See in the log what its tools did instead.',
      });
    }
    outputs[path] = signature;
    await flushOutput(path);
  }
  const directory = task.outputs.find((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory());
  if (directory !== undefined) {
    // Only the file system can flush a whole tree. Best effort: sync -f is a GNU option.
    await options.processes
      .run({ file: 'sync', args: ['-f', directory], env: baseEnvironment() }, { signal: options.signal })
      .catch(() => undefined);
    if (options.signal.aborted) throw interrupted(task.name);
  }
  return outputs;
}
