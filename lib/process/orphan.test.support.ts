// SPDX-License-Identifier: MIT
/** A process of its own that starts a command in this directory and is killed at once. Arguments: the command. */
import { createProcesses } from './process.js';

const [file = '', ...args] = process.argv.slice(2);
const env = Object.fromEntries(Object.entries(process.env).map(([name, value = '']) => [name, value]));
const signal = new AbortController().signal;
await createProcesses().spawn({ file, args, cwd: process.cwd(), env }, { signal });
process.kill(process.pid, 'SIGKILL');
