// SPDX-License-Identifier: MIT
/** Scripts that once showed a difference, done again. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FuzzRequest, type MachinePorts, type Outcome, replay } from '../../vm/device-kit-fuzz.js';
import { parseScript, type Script } from './script.js';
import { stopwatchTarget } from './target.js';

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

/** How one script ends on this QEMU. */
export async function replayScript(
  script: Script,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<Outcome> {
  return replay(stopwatchTarget, script, request, ports);
}

/** All scripts of a directory on this QEMU, by name. */
export async function replayDirectory(
  directory: string,
  request: FuzzRequest,
  ports: MachinePorts,
): Promise<readonly { readonly file: string; readonly outcome: Outcome }[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const outcomes: { readonly file: string; readonly outcome: Outcome }[] = [];
  for (const name of names) {
    const script = await readScript(join(directory, name));
    outcomes.push({ file: name, outcome: await replayScript(script, request, ports) });
  }
  return outcomes;
}
