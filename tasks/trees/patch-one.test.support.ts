// SPDX-License-Identifier: MIT
/** A process of its own that patches a tree and kills itself. Arguments: tree, state directory, after how many renames, patches. */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';

const [tree = '', stateDir = '', after = '', ...patches] = process.argv.slice(2);
const { rename } = fs;
let left = Number(after);
// Everything gets its name by a rename: the moments between which a kill makes a difference.
fs.rename = async (from, to) => {
  if (left === 0) process.kill(process.pid, 'SIGKILL');
  left -= 1;
  await rename(from, to);
};
syncBuiltinESMExports();
const { applyPatches } = await import('./patch.js');
const deps = { processes: createProcesses(), signal: new AbortController().signal, env: baseEnvironment() };
const silent = (): void => undefined;
await applyPatches({ what: 'Thing', tree, patches, stateDir }, { ...deps, notice: silent, log: silent });
