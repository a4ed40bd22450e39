// SPDX-License-Identifier: MIT
/** Scripts that once showed a difference, done again. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FuzzRequest, type MachinePorts, type Outcome, replay } from '../../../lab/search/device-kit.js';
import { parseScript, type Script } from './script.js';
import { stopwatchTarget } from './target.js';
import { traceOf } from './trace-check.js';

/** Throws SyntaxError that names the file. */
export async function readScript(file: string): Promise<Script> {
  const text = await readFile(file, 'utf8');
  try {
    return parseScript(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`${file}: ${why}`, { cause });
  }
}

/** How one script ended, and what was wrong with its trace where nothing else was. */
export interface Replayed {
  readonly file: string;
  readonly outcome: Outcome;
  readonly wrong: string | undefined;
}

/** All scripts of a directory on this QEMU, by name. */
export async function replayDirectory(
  directory: string,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<readonly Replayed[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const replayed: Replayed[] = [];
  for (const file of names) {
    const script = await readScript(join(directory, file));
    const outcome = await replay(stopwatchTarget, script, request, ports);
    const { wrong } =
      outcome.result === 'agree' ? await traceOf(script, request, ports) : { wrong: undefined };
    replayed.push({ file, outcome, wrong });
  }
  return replayed;
}
