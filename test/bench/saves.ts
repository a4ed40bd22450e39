// SPDX-License-Identifier: MIT
/** From a save to its verdict, inside `dev`: what a developer waits for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Place {
  readonly cwd: string;
  readonly work: string;
}

/** A command that goes on while others are timed, without a terminal. */
export class Running {
  readonly #child: ChildProcess;
  #shown = '';
  #seen = 0;

  constructor(args: readonly string[], { cwd, work }: Place) {
    this.#child = spawn(process.execPath, ['dist/stopwatch.js', ...args, '--workdir', work], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#shown += chunk.toString();
      });
    }
  }

  /** What matches next. Throws when the command ends, or says nothing of the kind for two minutes. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const started = performance.now();
    while (performance.now() - started < 120_000 && this.#child.exitCode === null) {
      const found = pattern.exec(this.#shown.slice(this.#seen));
      if (found !== null) {
        this.#seen = this.#shown.length;
        return found;
      }
      await sleep(2);
    }
    throw new Error(`Expected ${pattern}, got:\n${this.#shown.slice(this.#seen)}`);
  }

  /** Of `dev`: the line of the next verdict. */
  async verdict(): Promise<string> {
    return (await this.shows(/^Now +(.*)\nBefore .*\n/m))[1] ?? '';
  }

  /** Saves, and waits for the verdict, which must be that it passed. Gives the seconds until then. */
  async save(edit: () => void): Promise<number> {
    const started = performance.now();
    edit();
    const verdict = await this.verdict();
    const seconds = (performance.now() - started) / 1000;
    if (!verdict.includes('passed')) throw new Error(`Expected a pass, got: ${verdict}\n${this.#shown}`);
    // The run's page is written after the verdict.
    await sleep(300);
    return seconds;
  }

  async end(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await closed;
  }
}
