// SPDX-License-Identifier: MIT
/** Tries the host's capabilities concurrently, and remembers that they exist. */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { StopwatchError } from '../../lib/errors.js';
import { unreachable } from '../../lib/unreachable.js';
import type { Capability, Probe } from './list.js';
import type { Processes } from '../../lib/process/process.js';
import { which } from '../../lib/which.js';

type ProbeOf<K extends Probe['kind']> = Extract<Probe, { kind: K }>;

/** What a probe found. */
export interface HostFinding {
  readonly capability: Capability;
  /** One sentence; undefined: nothing is wrong. */
  readonly problem: string | undefined;
}

interface ProbeRequest {
  readonly list: readonly Capability[];
  readonly processes: Processes;
  /** Environment of the probes; its PATH is also searched for programs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

interface Trial extends ProbeRequest {
  /** Directory for what is compiled. */
  readonly scratch: string;
  /** Gets the headers and libraries that the programs were made of. */
  readonly used: Set<string>;
}

/** Tries everything concurrently. Returns the findings in the list's order. */
export async function probeAll(
  request: ProbeRequest,
): Promise<{ readonly findings: readonly HostFinding[]; readonly used: ReadonlySet<string> }> {
  // Many concurrent probes each add a listener.
  setMaxListeners(0, request.signal);
  const scratch = mkdtempSync(join(tmpdir(), 'stopwatch-doctor-'));
  const trial: Trial = { ...request, scratch, used: new Set() };
  try {
    const findings = await Promise.all(
      request.list.map(async (capability, index) => ({
        capability,
        problem: await tryOne(capability.probe, trial, join(scratch, String(index))),
      })),
    );
    request.signal.throwIfAborted();
    return { findings, used: trial.used };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function tryOne(probe: Probe, trial: Trial, output: string): Promise<string | undefined> {
  switch (probe.kind) {
    case 'program':
      return tryProgram(probe, trial);
    case 'link':
      return tryLink(probe, trial, output);
    case 'python':
      return tryPython(probe, trial);
    default:
      return unreachable(probe);
  }
}

/** Both like '1.13'. */
export function versionAtLeast(version: string, wanted: string): boolean {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
}

async function tryProgram(probe: ProbeOf<'program'>, trial: Trial): Promise<string | undefined> {
  const { problem, text } = await call(probe.program, probe.args, trial);
  if (problem !== undefined || probe.version === undefined) return problem;
  const [, version] = new RegExp(probe.version, 'm').exec(text) ?? [];
  if (version === undefined) {
    return `${probe.program} is of another make: expected ${probe.version}, got '${text.split('\n', 1)[0]}'`;
  }
  if (probe.atLeast !== undefined && !versionAtLeast(version, probe.atLeast)) {
    return `expected version ${probe.atLeast} or newer, got ${version}`;
  }
  return undefined;
}

async function tryPython(probe: ProbeOf<'python'>, trial: Trial): Promise<string | undefined> {
  return (await call('python3', ['-c', probe.code], trial)).problem;
}

async function tryLink(probe: ProbeOf<'link'>, trial: Trial, output: string): Promise<string | undefined> {
  let flags = [...(probe.libraries ?? [])];
  if (probe.module !== undefined) {
    const { module, atLeast = '0' } = probe;
    const found = await call('pkg-config', ['--cflags', '--libs', `${module} >= ${atLeast}`], trial);
    if (found.problem !== undefined) return found.problem;
    flags = found.text.split(/\s+/).filter((word) => word !== '');
  }
  // Warnings do not matter: the program must link.
  const made = ['-MD', '-MF', `${output}.d`, '-Wl,--trace'];
  const args = ['-w', ...(probe.flags ?? []), '-x', 'c', '-', '-o', output, ...flags, ...made];
  const { problem, text } = await call(probe.compiler, args, trial, probe.source);
  const headers = existsSync(`${output}.d`) ? readFileSync(`${output}.d`, 'utf8') : '';
  for (const [path] of `${headers}\n${text}`.matchAll(/(?<=^|[\s(])\/[^\s()]+/gm)) trial.used.add(path);
  return problem;
}

/** Runs a program for its output, both streams. `problem`: it is missing, or failed, with the line that says why. */
async function call(
  program: string,
  args: readonly string[],
  trial: Trial,
  input?: string,
): Promise<{ problem: string | undefined; text: string }> {
  const found = which(program, trial.environment['PATH'] ?? '');
  if (!found.found) return { problem: `${program} is not in PATH`, text: '' };
  const file = found.path;
  const lines: string[] = [];
  try {
    const exit = await trial.processes.run(
      { file, args, env: trial.environment },
      { signal: trial.signal, onLine: (line) => lines.push(line), input },
    );
    if (exit.exitCode === 0) return { problem: undefined, text: lines.join('\n') };
  } catch (error) {
    // It exists and does not start.
    if (error instanceof StopwatchError && error.code !== 'interrupted') {
      return { problem: error.message, text: '' };
    }
    throw error;
  }
  const telling =
    lines.find((line) => /error|not found|No package/i.test(line)) ?? lines.at(-1) ?? 'no output';
  return { problem: `${program} failed: ${telling.trim()}`, text: '' };
}

/** Identity of a file that a finding depends on; '' when it is missing. */
function identity(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
}

/** What knows of every library and header that a package brings or takes. */
const PACKAGE_LISTS = ['/var/lib/dpkg/status', '/var/lib/rpm/rpmdb.sqlite', '/var/lib/pacman/local'];

/** What the answers of the required probes depend on. */
function question(list: readonly Capability[], path: string): string {
  const probes = list.filter(({ optional }) => !optional).map(({ probe }) => probe);
  const programs = probes.flatMap(programsOf).flatMap((name) => {
    const found = which(name, path);
    return found.found ? found.path : [];
  });
  return JSON.stringify({
    path,
    probes,
    files: [...programs, ...PACKAGE_LISTS].map((file) => [file, identity(file)]),
  });
}

/** Programs that a probe calls. */
function programsOf(probe: Probe): string[] {
  switch (probe.kind) {
    case 'program':
      return [probe.program];
    case 'link':
      return probe.module === undefined ? [probe.compiler] : [probe.compiler, 'pkg-config'];
    case 'python':
      return ['python3'];
    default:
      return unreachable(probe);
  }
}

/** Records in `file` that everything required exists. A failure to write only costs time. */
export function remember(
  file: string,
  { list, path, used }: { list: readonly Capability[]; path: string; used: Iterable<string> },
): void {
  // Without the compiler's own temporary files, which are gone.
  const files = [...used].toSorted().map((one) => [one, identity(one)] as const);
  const known = { question: question(list, path), files: files.filter(([, is]) => is !== '') };
  try {
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(known));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    rmSync(`${file}.${process.pid}`, { force: true });
  }
}

const knownSchema = z.object({ question: z.string(), files: z.array(z.tuple([z.string(), z.string()])) });

/** Whether everything required existed before, and no program, package, header or library has changed since. Only looks at files. */
export function isRemembered(file: string, list: readonly Capability[], path: string): boolean {
  try {
    const known = knownSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    return (
      known.question === question(list, path) && known.files.every(([one, was]) => identity(one) === was)
    );
  } catch {
    return false;
  }
}
