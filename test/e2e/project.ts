// SPDX-License-Identifier: MIT
/** A directory in which the package is installed, and its command line in real processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event, TaskStatus } from '../../tasks/engine/events.js';
import type { DeviceResult, RunReport } from '../../vm/report/report.js';
import { processesWith } from '../support/processes.js';

export interface Ended {
  /** Null: ended by a signal. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; empty if absent. */
  readonly input?: string;
  readonly cwd?: string;
  /** Called with the whole standard output so far, whenever there is more. */
  readonly onOutput?: (soFar: string) => void;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

export interface Project {
  readonly directory: string;
  /** The package as it is installed: its device/, driver/ and guest_fs/ may be edited. */
  readonly package: string;
  readonly work: string;
  /** The environment of everything started here. */
  readonly env: Readonly<Record<string, string>>;
  start(args: readonly string[], options?: StartOptions): Started;
  stopwatch(args: readonly string[], options?: StartOptions): Promise<Ended>;
  /** A command that must end with this exit code. */
  exits(code: number, args: readonly string[], options?: StartOptions): Promise<Ended>;
  /** A command that must succeed; its standard output. */
  passes(args: readonly string[], options?: StartOptions): Promise<string>;
  /** A command with --json, its events, and the result line that comes last. */
  events(args: readonly string[], options?: StartOptions): Promise<EventedEnd>;
  /** The result of `status` for each task. */
  status(env?: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, TaskStatus>>;
  /** A file of the last run. */
  lastRun(name: string): string;
  lastReport(): RunReport;
  /** Of the last run. */
  lastDevice(id?: string): DeviceResult;
  manifest(): Manifest;
  /** Living processes of runs in this project, as command lines. */
  alive(): string[];
}

export interface Manifest {
  readonly sources: Readonly<Record<string, { readonly version: string; readonly sha256: string }>>;
  /** Path below the work directory to sha256. */
  readonly artifacts: Readonly<Record<string, string>>;
}

export interface EventedEnd extends Ended {
  readonly events: readonly Event[];
  readonly result: Readonly<Record<string, unknown>>;
  /** Names of the tasks that ran to their end, in order. */
  readonly done: readonly string[];
}

/** Runs a program and keeps what it prints. */
export function start(
  file: string,
  args: readonly string[],
  { cwd, env, input = '', onOutput }: StartOptions & { readonly cwd: string },
): Started {
  const child = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    onOutput?.(out);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { child, ended };
}

/** Runs a program that must succeed; gives its standard output. */
export async function must(
  file: string,
  args: readonly string[],
  options: StartOptions & { readonly cwd: string },
): Promise<string> {
  const { code, out, err } = await start(file, args, options).ended;
  if (code === 0) return out;
  throw new Error(`${file} ${args.join(' ')}: exit code ${code}\n${out}\n${err}`);
}

/**
 * The user's environment without settings of stopwatch and of vitest. Every
 * process below has this TMPDIR, which tells it from others.
 */
export function environment(tmp: string, ccache: string): Record<string, string> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && !/^(STOPWATCH_|VITEST|NODE_|CCACHE_|TEST$|DEV$|PROD$|MODE$)/.test(entry[0]),
    ),
  );
  return { ...env, TMPDIR: tmp, CCACHE_DIR: ccache, NO_COLOR: '1' };
}

/** `directory` has the package in its node_modules. */
export function projectIn(directory: string, env: Readonly<Record<string, string>>): Project {
  const work = join(directory, '.stopwatch');
  const main = join(directory, 'node_modules', 'stopwatch', 'dist', 'stopwatch.js');
  const tmp = env['TMPDIR'] ?? '';
  mkdirSync(tmp, { recursive: true });
  const project: Project = {
    directory,
    package: join(directory, 'node_modules', 'stopwatch'),
    work,
    env,
    start: (args, options = {}) =>
      start(process.execPath, [main, ...args], {
        cwd: directory,
        ...options,
        env: { ...env, ...options.env },
      }),
    stopwatch: (args, options) => project.start(args, options).ended,
    async exits(code, args, options) {
      const ended = await project.stopwatch(args, options);
      if (ended.code === code) return ended;
      const got = `stopwatch ${args.join(' ')}: expected exit code ${code}, got ${ended.code}`;
      throw new Error(`${got}\n${ended.out}\n${ended.err}`);
    },
    async passes(args, options) {
      return (await project.exits(0, args, options)).out;
    },
    async events(args, options) {
      const ended = await project.stopwatch([...args, '--json'], options);
      const lines = ended.out.trimEnd().split('\n');
      const result: Record<string, unknown> = JSON.parse(lines.at(-1) ?? '');
      if (result['type'] !== 'result') throw new Error(`No result:\n${ended.out}\n${ended.err}`);
      const events = lines.slice(0, -1).map(eventOf);
      const done = events.flatMap((event) => (event.type === 'task-done' ? [event.task] : []));
      return { ...ended, events, result, done };
    },
    async status(extra = {}) {
      const { code, out, err } = await project.stopwatch(['status', '--json'], { env: extra });
      if (code !== 0) throw new Error(`status: exit code ${code}\n${out}\n${err}`);
      const { tasks }: { tasks: TaskStatus[] } = JSON.parse(out);
      return new Map(tasks.map((task) => [task.name, task]));
    },
    lastRun: (name) => join(realpathSync(join(work, 'reports', 'latest')), name),
    lastReport() {
      const report: RunReport = JSON.parse(readFileSync(project.lastRun('report.json'), 'utf8'));
      return report;
    },
    lastDevice(id) {
      const { devices } = project.lastReport().result;
      const found = id === undefined ? devices[0] : devices.find((device) => device.id === id);
      if (found === undefined) throw new Error(`The last run has no device ${id ?? 'at all'}`);
      return found;
    },
    manifest() {
      const manifest: Manifest = JSON.parse(readFileSync(join(work, 'vm', 'manifest.json'), 'utf8'));
      return manifest;
    },
    alive: () => processesWith(`TMPDIR=${tmp}`).map(({ pid, command }) => `${pid} ${command}`),
  };
  return project;
}

/** A line of --json. */
export function eventOf(line: string): Event {
  const event: Event = JSON.parse(line);
  return event;
}

/** The source tree of a release, whatever its version. */
export function tree({ work }: Project, source: string): string {
  const src = join(work, 'src');
  const found = readdirSync(src).find((name) => new RegExp(`^${source}-[0-9.]+[0-9]$`).test(name));
  if (found === undefined) throw new Error(`No tree of ${source} in ${src}`);
  return join(src, found);
}

/** Living processes of the project when it should have none any more; waits some seconds for the last to go. */
export async function left(project: Project): Promise<string[]> {
  for (let tries = 0; tries < 50 && project.alive().length > 0; tries++) await sleep(100);
  return project.alive();
}
