// SPDX-License-Identifier: MIT
/** Runs processes to their end and splits their output into lines. */
import { StopwatchError } from '../errors.js';
import { LineSplitter } from '../lines.js';
import type { Command, CommandOptions, Exit, Processes } from './process.js';

const LARGEST_CAPTURE = 64 * 1024 * 1024;

/** Completes a `spawn` to the port for processes. */
export function withRun(spawn: Processes['spawn']): Processes {
  return { spawn, run: async (command, options) => runToEnd(spawn, command, options) };
}

/** When `onLine` throws, ends the process and rethrows. */
async function runToEnd(
  spawn: Processes['spawn'],
  command: Command,
  options: CommandOptions,
): Promise<Exit & { readonly stdout: string }> {
  const child = await spawn(command, {
    signal: options.signal,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    extra: options.extra,
  });
  let failure: { readonly error: unknown } | undefined;
  const guarded = <T>(action: (value: T) => void) => {
    return (value: T) => {
      if (failure !== undefined) return;
      try {
        action(value);
      } catch (error) {
        failure = { error };
        void child.end();
      }
    };
  };
  const captured: Buffer[] = [];
  let size = 0;
  const splitters = (['stdout', 'stderr'] as const).map((name) => {
    const splitter = new LineSplitter((line) => options.onLine?.(line, name), { excess: 'split' });
    child[name]?.on(
      'data',
      guarded((chunk: Buffer) => {
        if (name === 'stdout' && options.capture === true) {
          size += chunk.length;
          if (size > LARGEST_CAPTURE) {
            throw new StopwatchError(
              'command-failed',
              `${command.file} printed more than the ${LARGEST_CAPTURE / 1024 / 1024} MiB that can be kept.`,
            );
          }
          captured.push(chunk);
        }
        splitter.push(chunk);
      }),
    );
    return splitter;
  });
  child.stdin?.end(options.input ?? '');
  const exit = await child.exited;
  for (const splitter of splitters) guarded(() => splitter.end())(undefined);
  if (failure !== undefined) throw failure.error;
  return { ...exit, stdout: Buffer.concat(captured).toString('utf8') };
}
