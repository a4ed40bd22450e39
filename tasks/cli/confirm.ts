// SPDX-License-Identifier: MIT
/** A question on the terminal. */
import { createInterface } from 'node:readline/promises';
import { StopwatchError } from '../../lib/errors.js';

/** True for y or yes; an empty answer, or the end of the input, is no. Throws what the signal was aborted with. */
export async function confirmOn(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  question: string,
  signal: AbortSignal,
): Promise<boolean> {
  const terminal = createInterface({ input, output });
  // readline takes Ctrl-C for itself while it asks.
  const stopped = new AbortController();
  const ended = new AbortController();
  terminal.on('SIGINT', () => stopped.abort());
  terminal.on('close', () => ended.abort());
  try {
    const answer = await terminal.question(`${question}\nGo on? [y/N] `, {
      signal: AbortSignal.any([signal, stopped.signal, ended.signal]),
    });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    signal.throwIfAborted();
    if (stopped.signal.aborted) {
      throw new StopwatchError('interrupted', 'Interrupted at the question', { cause: error });
    }
    if (ended.signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
