// SPDX-License-Identifier: MIT
/** Where the console of a guest is shown. */
import { randomUUID } from 'node:crypto';
import { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { printable } from '../../lib/printable.js';
import type { Services } from '../config/services.js';

type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/**
 * Calls `fn` with the stream for the guest's bytes. A terminal gets them as they are: it is the guest's for that time.
 * Anything else is read by a person or a program that expects text, and on GitHub by the runner, which must not obey it.
 */
export async function withConsoleOutput<T>(
  { json, environment }: Pick<Services, 'json' | 'environment'>,
  fn: (output: NodeJS.WritableStream) => Promise<T>,
  // With --json standard output is for events.
  output: Output = json ? process.stderr : process.stdout,
): Promise<T> {
  if (output.isTTY === true) return fn(output);
  const github = environment['GITHUB_ACTIONS'] === 'true';
  const token = randomUUID();
  if (github) output.write(`::stop-commands::${token}\n`);
  try {
    return await fn(new PlainOutput(output));
  } finally {
    if (github) output.write(`\n::${token}::\n`);
  }
}

/** An escape sequence that the next bytes may end. */
// oxlint-disable-next-line no-control-regex -- that is how they begin
const UNFINISHED = /\u001B(?:\[[0-?]{0,32}[ -/]{0,4})?$/;

/** Text without anything that a terminal would obey, at once and not line by line: a prompt has no end. */
class PlainOutput extends Writable {
  readonly #output: NodeJS.WritableStream;
  readonly #decoder = new StringDecoder('utf8');
  #held = '';

  constructor(output: NodeJS.WritableStream) {
    super({ decodeStrings: true });
    this.#output = output;
    // Whoever shows the console has to know that nobody reads it any more.
    output.on('error', (error) => {
      if (this.listenerCount('error') > 0) this.emit('error', error);
    });
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const text = this.#held + this.#decoder.write(chunk);
    const end = UNFINISHED.exec(text)?.index ?? text.length;
    this.#held = text.slice(end);
    this.#output.write(text.slice(0, end).split('\n').map(printable).join('\n'));
    callback();
  }
}
