// SPDX-License-Identifier: MIT
/**
 * Runs a module of the user's in this process: a configuration, a device. It may not end the process, keep it waiting for
 * ever, or write into standard output, which belongs to the command.
 */
import { StopwatchError } from '../../lib/errors.js';

/** How long the modules of a project may take to load, milliseconds. */
const LIMIT_MS = 30_000;

/** Throws 'bad-config' that names the file where it exits or does not finish loading; rethrows what it throws. */
export async function runUserModule<T>(file: string, load: () => Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const { stdout, stderr, exitCode } = process;
  // oxlint-disable-next-line typescript/unbound-method -- they are put back as they were
  const [exit, write] = [process.exit, stdout.write];
  let timer: NodeJS.Timeout | undefined;
  let exited: StopwatchError | undefined;
  const stopped = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bad(file, `did not finish loading within ${limitMs / 1000} s`)), limitMs);
    process.exit = (code) => {
      exited = bad(file, `calls process.exit(${code ?? ''}) while it is loaded`);
      reject(exited);
      throw exited;
    };
  });
  stdout.write = stderr.write.bind(stderr);
  try {
    const value = await Promise.race([load(), stopped]);
    // It may have caught what process.exit threw.
    if (exited !== undefined) throw exited;
    return value;
  } catch (error) {
    throw exited ?? error;
  } finally {
    clearTimeout(timer);
    stopped.catch(() => {});
    process.exit = exit;
    process.exitCode = exitCode;
    stdout.write = write;
  }
}

function bad(file: string, why: string): StopwatchError {
  return new StopwatchError('bad-config', `${file} ${why}`, {
    hint: 'It is loaded by every command, so it must only export its values: take the rest out.',
  });
}
