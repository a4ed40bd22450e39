// SPDX-License-Identifier: MIT
/** A short run, shown on the terminal that this is started on. `fresh`: one in which there is nothing to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StopwatchError } from '../../lib/errors.js';
import type { TaskStatus } from '../engine/events.js';
import { painter } from './format.js';
import { chooseLook, createReporter } from './reporter.js';
import { summariseStages } from './summary.js';

const { stdout } = process;
const look = chooseLook({
  json: false,
  verbose: false,
  noColour: false,
  isTerminal: stdout.isTTY,
  columns: stdout.columns ?? 0,
  environment: process.env,
});
const reporter = await createReporter(look, {
  write: (text) => void stdout.write(text),
  columns: stdout.columns,
});
const { emit } = reporter;
const isFresh = process.argv[2] === 'fresh';

function planned(name: string, title: string, fresh = isFresh): TaskStatus {
  return { name, title, deps: [], fresh, reasons: [], lastDurationMs: undefined };
}

emit({ type: 'task-line', task: 'host:packages', line: 'Setting up bison' });
emit({
  type: 'plan',
  tasks: [
    planned('linux:fetch', 'Linux: fetch', true),
    planned('qemu:build', 'QEMU: build'),
    planned('linux:build', 'Linux: build'),
    planned('vm:test', 'Test'),
  ],
});
if (!isFresh) {
  for (const task of ['qemu:build', 'linux:build']) emit({ type: 'task-start', task, logFile: '/l' });
  for (let step = 1; step <= 12; step++) {
    emit({ type: 'task-progress', task: 'qemu:build', done: step, total: 12, unit: 'steps' });
    emit({
      type: 'task-line',
      task: 'qemu:build',
      line: `\u001B[1mcompiling part ${step}\u001B[0m ${'x'.repeat(200)}`,
    });
    await sleep(100);
  }
  emit({ type: 'notice', task: 'linux:build', text: 'Something to know' });
  emit({ type: 'task-done', task: 'linux:build', durationMs: 1200 });
  const error = new StopwatchError('command-failed', 'ninja failed');
  emit({ type: 'task-failed', task: 'qemu:build', durationMs: 1300, error });
  emit({ type: 'task-skipped', task: 'vm:test', because: 'qemu:build failed' });
}
emit({ type: 'done', durationMs: 1300, ok: isFresh });
await reporter.finish();
stdout.write(
  summariseStages(reporter.model, {
    paint: painter(look.colour),
    columns: stdout.columns ?? 80,
    elapsedMs: 1300,
  }),
);
