// SPDX-License-Identifier: MIT
/** Signals, crashes and the exit code are handled here and nowhere else. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { CommanderError } from 'commander';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { toStopwatchError } from '../../lib/failure.js';
import { PRODUCT } from '../../lib/product.js';
import { failureText } from '../report/failure.js';
import { painter } from '../report/format.js';
import { shielded } from '../report/github.js';
import { App } from './app.js';
import { crashError } from './crash.js';
import { Interrupt } from './interrupt.js';
import { createProgram } from './program.js';

/** Milliseconds that a crash waits for the terminal to be given back. */
const RELEASE_WITHIN = 500;

/** Node's exit code where a promise that is awaited never settles. */
const NEVER_SETTLED = 13;

function environment(): Record<string, string> {
  const defined = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(defined);
}

/** mke2fs and debugfs are where the PATH of a user who is not root often does not lead. */
function widenPath(): void {
  const directories = (process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  for (const directory of ['/usr/sbin', '/sbin']) {
    if (!directories.includes(directory)) directories.push(directory);
  }
  process.env['PATH'] = directories.join(':');
}

/** A stream of ours cannot be used any more. A dead terminal is no crash: the command ends as on SIGHUP. */
function lostStream(cause: NodeJS.ErrnoException): StopwatchError {
  const { code = '', message } = cause;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new StopwatchError('disk-full', `The output of the command cannot be written: ${message}`, {
      hint: 'Make room where it is written to, and run the same command again.',
      cause,
    });
  }
  const who = code === 'EPIPE' ? 'The reader of the output' : 'The terminal';
  return new StopwatchError('interrupted', `${who} has gone (${message})`, {
    hint: 'The same command goes on from what is finished.',
    cause,
  });
}

/** Waits until what was printed has been written, or cannot be. */
async function written(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writable) await new Promise((resolve) => stream.write('', resolve));
  }
}

/** At its end Node crashes where it cannot put a terminal back as it was, unless the descriptor is another file by then. */
function replaceLost(terminals: readonly number[]): void {
  for (const descriptor of terminals) {
    // No terminal any more: it was closed on its other side.
    if (isatty(descriptor)) continue;
    closeSync(descriptor);
    // Takes the lowest number that is free.
    openSync('/dev/null', 'r+');
  }
}

/** Writes synchronously, because the process is about to end. */
function sayAtOnce(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody is there to read it.
  }
}

async function main(): Promise<void> {
  widenPath();
  const interrupt = new Interrupt((text) => process.stderr.write(`${text}\n`));
  const app = new App({
    cwd: process.cwd(),
    environment: environment(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    interrupt,
  });

  let crashing = false;
  const crash = (thrown: unknown): void => {
    // What the handler itself meets, such as a dead terminal, must not call it again.
    if (crashing) return;
    crashing = true;
    interrupt.killAll();
    const released = Promise.race([
      app.release().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, RELEASE_WITHIN)),
    ]);
    void released.then(async () => {
      // A limit of the system is not our fault, wherever it is met.
      const known = await toStopwatchError(thrown, { task: PRODUCT, directory: process.cwd() });
      const error = known.code === 'internal' ? crashError(thrown, app.logs) : known;
      const text = failureText(error, painter(false));
      sayAtOnce(process.env['GITHUB_ACTIONS'] === 'true' ? shielded(text) : text);
      process.exit(error.exitCode);
    });
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  let lost: StopwatchError | undefined;
  for (const stream of [process.stdin, process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      lost = lostStream(error);
      // The reader of the output has gone (`stopwatch all | head`, a closed terminal): stop working for it.
      interrupt.abort(lost);
    });
  }
  const terminals = [0, 1, 2].filter(isatty);
  process.on('exit', () => replaceLost(terminals));
  let ended = false;
  process.on('exit', (code) => {
    // Code of the user's called process.exit, or nothing is left that could go on.
    if (ended || (code !== EXIT.passed && code !== NEVER_SETTLED)) return;
    process.exitCode = EXIT.host;
    sayAtOnce('Error: the process ended before the command did; nothing was decided.\n');
  });

  interrupt.listen();
  let helped = false;
  try {
    await createProgram(app).parseAsync();
    process.exitCode = app.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    helped = error.exitCode === 0;
    process.exitCode = helped ? EXIT.passed : EXIT.usage;
  }
  await Promise.race([written(), new Promise((resolve) => setTimeout(resolve, RELEASE_WITHIN))]);
  // `--help | head`: nothing has been cut short.
  if (helped && lost?.code === 'interrupted') lost = undefined;
  if (lost !== undefined && process.exitCode === EXIT.passed) {
    sayAtOnce(failureText(lost, painter(false)));
    process.exitCode = lost.exitCode;
  }
  ended = true;
  // Nothing may hold the process back: not a socket kept alive, not a listener.
  process.exit();
}

await main();
