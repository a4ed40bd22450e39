// SPDX-License-Identifier: MIT
/** From a save to its verdict, inside `dev`: what a developer waits for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one save cost. */
export interface SaveCost {
  /** Until the verdict was shown. */
  readonly seconds: number;
  /** Of all processes, user and system; NaN where the system does not tell. */
  readonly processorSeconds: number;
}

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

  /** Saves, and waits for the verdict, which must be that it passed. */
  async save(edit: () => void): Promise<SaveCost> {
    const processor = processorSeconds(this.#child.pid ?? 0);
    const started = performance.now();
    edit();
    const verdict = await this.verdict();
    const seconds = (performance.now() - started) / 1000;
    if (!verdict.includes('passed')) throw new Error(`Expected a pass, got: ${verdict}\n${this.#shown}`);
    // What ends after the verdict is part of it.
    await sleep(300);
    return { seconds, processorSeconds: processorSeconds(this.#child.pid ?? 0) - processor };
  }

  async end(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    await closed;
  }
}

/** Of a process, its living descendants, and those that it has waited for (proc(5): utime to cstime). */
function processorSeconds(root: number): number {
  const stats = new Map<number, { readonly parent: number; readonly ticks: number }>();
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return Number.NaN;
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      stats.set(Number(name), { parent: Number(fields[1]), ticks });
    } catch {
      // It has just ended.
    }
  }
  const within = (pid: number): boolean =>
    pid === root || (stats.has(pid) && within(stats.get(pid)?.parent ?? 0));
  let ticks = 0;
  for (const [pid, stat] of stats) if (within(pid)) ticks += stat.ticks;
  // USER_HZ is 100 on every Linux that Node runs on.
  return ticks / 100;
}
