// SPDX-License-Identifier: MIT
/** The cross-check of a run: live, chunk by chunk, or of a saved stream. */
import { createReadStream } from 'node:fs';
import { LineSplitter } from '../../lib/lines.js';
import { Checker, type CheckOptions } from './checker.js';
import type { DeviceChecker, StreamEvent, Verdict } from './types.js';

/** A checker of a run in progress, for any device. */
export type LiveCrosscheck = Pick<
  Crosscheck<unknown, StreamEvent>,
  'feed' | 'consoleLine' | 'failed' | 'end'
>;

/** Checks a live run: feed it the trace and, with the `guest` option, the console, as they come; then `end()`. */
export class Crosscheck<S, E extends StreamEvent> {
  private readonly checker: Checker<S, E>;
  private readonly splitter: LineSplitter;

  constructor(device: DeviceChecker<S, E>, options: CheckOptions = {}) {
    this.checker = new Checker(device, options);
    this.splitter = new LineSplitter((line) => this.checker.line(line));
  }

  /** The next bytes of the trace stream, cut anywhere. */
  feed(chunk: Uint8Array | string): void {
    this.splitter.push(chunk);
  }

  /** A line of the guest's console, without its end. */
  consoleLine(line: string): void {
    this.checker.consoleLine(line);
  }

  /** Whether the verdict can no longer be `agree`. */
  get failed(): boolean {
    return this.checker.failed;
  }

  /** The stream is over. Call it once. */
  end(): Verdict {
    return this.checker.end(this.splitter.takeRest());
  }
}

export interface CheckFileOptions extends CheckOptions {
  /** Saved console of the same run, for the `guest` option. */
  readonly console?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks a saved stream in bounded memory.
 *
 * @throws the file system's error if a file cannot be read; AbortError.
 */
export async function checkFile<S, E extends StreamEvent>(
  path: string,
  device: DeviceChecker<S, E>,
  options: CheckFileOptions = {},
): Promise<Verdict> {
  const { console: consolePath, signal, ...checkOptions } = options;
  const guest = checkOptions.guest ?? consolePath !== undefined;
  const crosscheck = new Crosscheck(device, { ...checkOptions, guest });
  if (consolePath !== undefined) {
    const lines = new LineSplitter((line) => crosscheck.consoleLine(line));
    for await (const chunk of readChunks(consolePath, signal)) lines.push(chunk);
    lines.end();
  }
  for await (const chunk of readChunks(path, signal)) crosscheck.feed(chunk);
  return crosscheck.end();
}

function readChunks(path: string, signal: AbortSignal | undefined): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 * 1024, signal });
}
