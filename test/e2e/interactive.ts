// SPDX-License-Identifier: MIT
/** A program that is watched and typed to while it runs, on a real terminal (made by script(1)) or without one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Project } from './project.js';

export class Interactive {
  readonly closed: Promise<number | null>;
  #output = '';
  #seen = 0;

  constructor(readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
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

  /** Everything that was shown so far, without control characters. */
  get output(): string {
    return plain(this.#output);
  }

  /** Waits until the text after the last match has another one, for five minutes at most. */
  async find(pattern: RegExp): Promise<RegExpExecArray> {
    for (let tries = 0; tries < 3000; tries++) {
      const found = pattern.exec(plain(this.#output.slice(this.#seen)));
      if (found !== null) {
        this.#seen = this.#output.length;
        return found;
      }
      await sleep(100);
    }
    throw new Error(`Expected ${pattern}, got:\n${this.#output.slice(this.#seen)}`);
  }

  /** The same; returns everything that was shown until then. */
  async waitFor(pattern: RegExp): Promise<string> {
    return (await this.find(pattern)).input;
  }
}

const plain = (shown: string): string => stripVTControlCharacters(shown).replaceAll('\r', '');

export const mainOf = (project: Project): string => join(project.package, 'dist/stopwatch.js');

/** The command line's own program, for a line of a shell. */
export const toolOf = (project: Project): string => `${process.execPath} ${mainOf(project)}`;

/** A shell's line on a terminal of 200 columns and 50 rows. */
export function onTerminal({ directory, env }: Project, line: string): ChildProcess {
  return spawn('script', ['-qec', `stty cols 200 rows 50; ${line}`, '/dev/null'], {
    cwd: directory,
    env: { ...env, TERM: 'xterm' },
  });
}

/** A command on a terminal. `args` are for the shell. */
export function runOnTerminal(project: Project, args: string): Interactive {
  return new Interactive(onTerminal(project, `exec ${toolOf(project)} ${args}`));
}

/** A command without a terminal, whose input is empty. */
export function withoutTerminal(project: Project, args: readonly string[]): ChildProcess {
  const { directory, env } = project;
  const child = spawn(process.execPath, [mainOf(project), ...args], { cwd: directory, env, stdio: 'pipe' });
  child.stdin.end();
  return child;
}
