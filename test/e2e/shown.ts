// SPDX-License-Identifier: MIT
/** A program that is looked at and typed to while it runs, on a real terminal, made by script(1), or without one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
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

  /** All that was shown so far, without control characters. */
  get all(): string {
    return plain(this.#shown);
  }

  /** Waits, five minutes at most, until this is shown after what was waited for before. Throws what was shown instead. */
  async finds(pattern: RegExp): Promise<RegExpExecArray> {
    for (let tries = 0; tries < 3000; tries++) {
      const found = pattern.exec(plain(this.#shown.slice(this.#seen)));
      if (found !== null) {
        this.#seen = this.#shown.length;
        return found;
      }
      await sleep(100);
    }
    throw new Error(`Expected ${pattern}, got:\n${this.#shown.slice(this.#seen)}`);
  }

  /** The same; gives all that was shown until then. */
  async shows(pattern: RegExp): Promise<string> {
    return (await this.finds(pattern)).input;
  }
}

const plain = (shown: string): string => stripVTControlCharacters(shown).replaceAll('\r', '');

/** The tool's own program, for the line of a terminal. */
export const toolOf = (project: Project): string =>
  `${process.execPath} ${join(project.package, 'dist/stopwatch.js')}`;

/** A shell's line on a terminal of 200 columns and 50 rows. */
export function onTerminal({ directory, env }: Project, line: string): ChildProcess {
  return spawn('script', ['-qec', `stty cols 200 rows 50; ${line}`, '/dev/null'], {
    cwd: directory,
    env: { ...env, TERM: 'xterm' },
  });
}
