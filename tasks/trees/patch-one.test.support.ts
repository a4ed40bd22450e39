// SPDX-License-Identifier: MIT
/** A process of its own that patches a tree and kills itself. Arguments: tree, before which of its git calls (or, negative, during which), patches. */
import { baseEnvironment } from '../../lib/environment.js';
import { createProcesses } from '../../lib/process/process.js';
import { type GitPorts, Repository, repositoryIn } from './repository/repository.js';
import { applyPatches } from './patch.js';

const [tree = '', count = '', ...patches] = process.argv.slice(2);
let left = Math.abs(Number(count));
const processes = createProcesses();
const ports: GitPorts = {
  processes: {
    spawn: async (command, options) => processes.spawn(command, options),
    run: async (command, options) => {
      if (left-- > 0) return processes.run(command, options);
      // Gone with its parent, wherever it is then.
      if (count.startsWith('-')) setTimeout(() => process.kill(process.pid, 'SIGKILL'), 3);
      else process.kill(process.pid, 'SIGKILL');
      return processes.run(command, options);
    },
  },
  signal: new AbortController().signal,
  env: baseEnvironment(),
  notice: () => undefined,
  log: () => undefined,
};
await applyPatches(new Repository(repositoryIn('Thing 1.0', tree), ports), patches);
