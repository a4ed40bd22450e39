// SPDX-License-Identifier: MIT
/** The file that runs in the guest for `exec`. */
import { readFile } from 'node:fs/promises';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import type { ExecOptions } from './exec.js';

/** Files for the guest: the command, and the script that it runs. */
export interface GuestCommand {
  readonly command: string;
  readonly script: Uint8Array | undefined;
}

/** `scriptPath`: where the guest has the script. */
export async function guestCommand(
  { command, script }: Pick<ExecOptions, 'command' | 'script'>,
  scriptPath: string,
): Promise<GuestCommand> {
  const words = script === undefined ? command : [scriptPath, ...command];
  return {
    command: `#!/bin/sh\nexec ${words.map(quoted).join(' ')}\n`,
    script: script === undefined ? undefined : await readScript(script),
  };
}

/** For the guest's shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

async function readScript(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new StopwatchError('bad-usage', `--script: ${messageOf(cause)}`, { cause });
  }
}
