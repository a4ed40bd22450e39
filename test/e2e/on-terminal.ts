// SPDX-License-Identifier: MIT
/** The command line on a pseudo-terminal, as a user has it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Project } from './project.js';

export interface OnTerminal {
  /** All that was shown so far, without control characters. */
  shown(): string;
  /** Waits, five minutes at most, until something like this is shown. Throws what was shown instead. */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  type(keys: string): void;
  /** Its exit code. */
  readonly closed: Promise<number | null>;
  /** Ends it. */
  kill(): void;
}

/** `args` are for the shell: to be quoted where that is needed. */
export function onTerminal(project: Project, args: string): OnTerminal {
  const main = join(project.package, 'dist/tasks/cli/main.js');
  const line = `stty cols 200; exec ${process.execPath} ${main} ${args}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: project.directory,
    env: { ...project.env, TERM: 'xterm' },
  });
  let raw = '';
  child.stdout.on('data', (chunk: Buffer) => {
    raw += chunk.toString();
  });
  const shown = () => stripVTControlCharacters(raw).replaceAll('\r', '');
  return {
    shown,
    async shows(pattern) {
      for (let tries = 0; tries < 3000; tries++) {
        const found = pattern.exec(shown());
        if (found !== null) return found;
        await sleep(100);
      }
      throw new Error(`Expected ${pattern}, got:\n${shown()}`);
    },
    type: (keys) => void child.stdin.write(keys),
    closed: new Promise((resolve) => {
      child.on('close', resolve);
    }),
    kill: () => void child.kill('SIGTERM'),
  };
}
