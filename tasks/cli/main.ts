// SPDX-License-Identifier: MIT
/** Signals, crashes and the exit code are handled here and nowhere else. */
import { writeSync } from 'node:fs';
import { CommanderError } from 'commander';
import { EXIT } from '../../lib/errors.js';
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

  const crash = (thrown: unknown): void => {
    interrupt.killAll();
    const error = crashError(thrown, app.logs);
    const released = Promise.race([
      app.release().catch(() => {}),
      new Promise((resolve) => setTimeout(resolve, RELEASE_WITHIN)),
    ]);
    void released.then(() => {
      const text = failureText(error, painter(false));
      writeSync(2, process.env['GITHUB_ACTIONS'] === 'true' ? shielded(text) : text);
      process.exit(error.exitCode);
    });
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever read our output has gone (`stopwatch all | head`): there is nobody left to do it for.
      if (error.code === 'EPIPE') interrupt.abort('The reader of the output has gone');
      else crash(error);
    });
  }

  let ended = false;
  process.on('exit', (code) => {
    // Code of the user's called process.exit, or nothing is left that could go on.
    if (ended || (code !== EXIT.passed && code !== NEVER_SETTLED)) return;
    process.exitCode = EXIT.host;
    writeSync(2, 'Error: the process ended before the command did; nothing was decided.\n');
  });

  interrupt.listen();
  try {
    await createProgram(app).parseAsync();
    process.exitCode = app.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.passed : EXIT.usage;
  }
  ended = true;
  // Nothing may hold the process back: not a socket kept alive, not a listener.
  process.exit();
}

await main();
