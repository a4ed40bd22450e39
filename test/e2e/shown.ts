// SPDX-License-Identifier: MIT
/** A program that is looked at and typed to while it runs, on a real terminal, made by script(1), or without one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Project } from './project.js';

/** A running program, and what it shows. */
export class Shown {
  readonly closed: Promise<number | null>;
  #shown = '';
  #seen = 0;

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#shown += chunk.toString();
      });
    }
    child.stdin?.on('error', () => {});
    this.closed = new Promise((resolve) => {
      child.on('close', (code) => resolve(code));
    });
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Waits until this is shown after what was waited for before; gives all that was shown until then. */
  async shows(pattern: RegExp): Promise<string> {
    for (let tries = 0; tries < 1200; tries++) {
      const fresh = stripVTControlCharacters(this.#shown.slice(this.#seen)).replaceAll('\r', '');
      const found = pattern.exec(fresh);
      if (found !== null) {
        this.#seen = this.#shown.length;
        return fresh;
      }
      await sleep(100);
    }
    throw new Error(`Expected ${pattern}, got:\n${this.#shown.slice(this.#seen)}`);
  }
}

/** Of Node, on a terminal of 200 columns and 50 rows. `args`: words for a shell. */
export function onTerminal({ directory, env }: Project, args: string): ChildProcess {
  const line = `stty cols 200 rows 50; exec ${process.execPath} ${args}`;
  return spawn('script', ['-qec', line, '/dev/null'], { cwd: directory, env: { ...env, TERM: 'xterm' } });
}
