// SPDX-License-Identifier: MIT
/** The doctor: finds what this host lacks, and the one command that installs it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { baseEnvironment } from '../../lib/environment.js';
import { findManager, install, installCommand, type InstallRequest, packagesFor } from './install.js';
import {
  capabilities,
  type Capability,
  type Manager,
  MANAGERS,
  OPTIONAL_TOOLS,
  type OptionalTool,
  TEST_CAPABILITIES,
} from './list.js';
import { type HostFinding, isRemembered, probeAll, remember } from './probe.js';
import type { Processes } from '../../lib/process/process.js';
import { which } from '../../lib/which.js';
import type { Services } from '../config/services.js';

interface DoctorRequest {
  /** build.cross */
  readonly cross: string;
  /** The work directory, for the cache of the findings. */
  readonly work: string;
  /** The user's whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** We are root. */
  readonly root: boolean;
  /** Also what this project's own tests need. */
  readonly tests?: boolean | undefined;
  /** What a command needs besides. */
  readonly tools?: readonly OptionalTool[] | undefined;
  /** Loads the process port, when something must run. */
  readonly processes: () => Promise<Processes>;
}

/** What the doctor found. */
export interface Diagnosis {
  readonly findings: readonly HostFinding[];
  /** Required and missing. */
  readonly missing: readonly HostFinding[];
  readonly manager: Manager | undefined;
  /** Packages for what is missing, for this host's manager. */
  readonly packages: readonly string[];
  /** The one command that installs them; undefined when nothing is missing or no manager is known. */
  readonly command: string | undefined;
}

function cacheFile({ work, tests, tools = [] }: DoctorRequest): string {
  const words = ['host-packages', ...(tests === true ? ['tests'] : []), ...tools];
  return join(work, `${words.join('-')}.json`);
}

function listFor({ cross, tests, tools = [] }: DoctorRequest): Capability[] {
  const list = capabilities(cross, process.arch);
  const more = [
    ...(tests === true ? [...TEST_CAPABILITIES, ...Object.values(OPTIONAL_TOOLS)] : []),
    ...tools.map((tool) => OPTIONAL_TOOLS[tool]),
  ];
  // Something optional for a build may be required for another use.
  const names = new Set(more.map(({ name }) => name));
  return [...list.filter(({ name }) => !names.has(name)), ...more];
}

function pathOf(request: DoctorRequest): string {
  return request.environment['PATH'] ?? '';
}

/** Tries everything, optional things too. */
export async function diagnose(request: DoctorRequest): Promise<Diagnosis> {
  const path = pathOf(request);
  const list = listFor(request);
  const processes = await request.processes();
  const { findings, used } = await probeAll({
    list,
    processes,
    environment: baseEnvironment(request.environment),
    signal: request.signal,
  });
  const missing = findings.filter(({ capability, problem }) => problem !== undefined && !capability.optional);
  if (missing.length === 0) remember(cacheFile(request), { list, path, used });
  const manager = findManager(path);
  const packages =
    manager === undefined
      ? []
      : packagesFor(
          missing.map(({ capability }) => capability),
          manager,
        );
  const command =
    manager === undefined || packages.length === 0
      ? undefined
      : installCommand(manager, packages, request.root);
  return { findings, missing, manager, packages, command };
}

export interface EnsureRequest extends DoctorRequest {
  /** yes: install; no: never (--no-install); ask: as root or with password-less sudo without a terminal, install; on a terminal, ask. */
  readonly install: 'ask' | 'yes' | 'no';
  /** A user can answer. */
  readonly interactive: boolean;
  /** Asks the user; only called when interactive. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** What the user should see. */
  readonly notice: (text: string) => void;
  /** Output of the package manager. */
  readonly onLine: (line: string) => void;
}

/** The request of a command. */
export function requestFor(
  { loaded, environment, signal, processes, interactive, confirm, emit }: Services,
  choice: Pick<EnsureRequest, 'install' | 'tests' | 'tools'>,
): EnsureRequest {
  const { config, paths } = loaded;
  const task = 'host:packages';
  return {
    ...choice,
    cross: config.build.cross,
    work: paths.work,
    environment,
    signal,
    root: process.getuid?.() === 0,
    processes,
    interactive,
    confirm: async (question) => confirm(question, false),
    notice: (text) => emit({ type: 'notice', task, text }),
    onLine: (line) => emit({ type: 'task-line', task, line }),
  };
}

/**
 * Makes sure that everything required exists, and installs it if that is allowed. Throws StopwatchError
 * 'host-package-missing' with the one command, or 'install-failed'. When nothing has changed since the
 * last time, it only looks at some files.
 */
export async function ensurePackages(request: EnsureRequest): Promise<void> {
  // For the cache of the findings.
  mkdirSync(request.work, { recursive: true });
  const list = listFor(request);
  if (isRemembered(cacheFile(request), list, pathOf(request))) return;
  const before = await diagnose(request);
  if (before.missing.length === 0) return;

  const { manager, packages, command } = before;
  if (manager === undefined || command === undefined || request.install === 'no') throw missingError(before);
  const as = await rights(request);
  if (as === undefined) throw missingError(before);
  if (request.install === 'ask' && request.interactive) {
    const names = before.missing.map(({ capability }) => capability.name).join(', ');
    const agreed = await request.confirm(`Missing on this host: ${names}.\nInstall with: ${command}`);
    if (!agreed) throw missingError(before);
  }
  request.notice(`Installing what this host lacks: ${command}`);
  const { environment, signal, onLine } = request;
  await install({ manager, packages, as, processes: await request.processes(), environment, signal, onLine });

  const after = await diagnose(request);
  if (after.missing.length === 0) return;
  throw new StopwatchError(
    'install-failed',
    `The packages were installed, but this is still missing:${describe(after.missing)}`,
    { command, hint: 'Another program of the same name may come first in PATH.' },
  );
}

/** How packages may be installed here; undefined: not at all. */
async function rights(request: EnsureRequest): Promise<InstallRequest['as'] | undefined> {
  if (request.root) return 'root';
  const sudo = which('sudo', pathOf(request));
  if (!sudo.found) return undefined;
  const { exitCode } = await (await request.processes()).run(
    { file: sudo.path, args: ['-n', 'true'], env: request.environment },
    { signal: request.signal },
  );
  if (exitCode === 0) return 'sudo';
  return request.interactive ? 'sudo-asks' : undefined;
}

function describe(missing: readonly HostFinding[]): string {
  return missing
    .map(
      ({ capability, problem }) =>
        `\n  ${capability.name} (needed by ${capability.neededBy}): ${problem ?? 'not found'}`,
    )
    .join('');
}

function missingError({ missing, command }: Diagnosis): StopwatchError {
  return new StopwatchError('host-package-missing', `Missing on this host:${describe(missing)}`, {
    hint:
      command === undefined
        ? `This host has no package manager that stopwatch knows (${MANAGERS.join(', ')}): install these by hand.`
        : `Install them with: ${command}`,
  });
}
