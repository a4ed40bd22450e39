// SPDX-License-Identifier: MIT
/** The one command that installs what is missing, and running it. */
import { StopwatchError } from '../../lib/errors.js';
import { unreachable } from '../engine/events.js';
import { MANAGERS, type Capability, type Manager } from './list.js';
import { findProgram } from './probe.js';
import type { Processes } from '../../lib/process/process.js';

/** The program of each package manager. */
const PROGRAMS: Readonly<Record<Manager, string>> = {
  apt: 'apt-get',
  dnf: 'dnf',
  pacman: 'pacman',
  brew: 'brew',
};

/** The package manager of this host, if it is one we know. */
export function findManager(path: string): Manager | undefined {
  return MANAGERS.find((manager) => findProgram(PROGRAMS[manager], path) !== undefined);
}

/** The packages that bring some capabilities, each once, sorted. */
export function packagesFor(missing: readonly Capability[], manager: Manager): string[] {
  return [...new Set(missing.flatMap((capability) => capability.packages[manager]))].sort();
}

/** The steps that install packages, as argument lists without sudo. The first of two only refreshes the lists. */
export function installSteps(manager: Manager, packages: readonly string[]): string[][] {
  switch (manager) {
    case 'apt':
      return [
        ['apt-get', 'update'],
        // Somebody else's apt is waited for.
        ['apt-get', '-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', ...packages],
      ];
    case 'dnf':
      return [['dnf', 'install', '-y', ...packages]];
    case 'pacman':
      return [['pacman', '-Sy', '--needed', '--noconfirm', ...packages]];
    case 'brew':
      return [['brew', 'install', ...packages]];
    default:
      return unreachable(manager);
  }
}

/** The same as one line for a shell; with sudo for who is not root. */
export function installCommand(manager: Manager, packages: readonly string[], root: boolean): string {
  const sudo = root || manager === 'brew' ? '' : 'sudo ';
  const steps = installSteps(manager, packages).map((step) =>
    step.filter((word) => word !== '-o' && !word.startsWith('DPkg::')).map(quoted),
  );
  return steps.map((step) => `${sudo}${step.join(' ')}`).join(' && ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

export interface InstallRequest {
  readonly manager: Manager;
  readonly packages: readonly string[];
  /** Whose rights: we are root; sudo asks nobody; sudo asks on the terminal. */
  readonly as: 'root' | 'sudo' | 'sudo-asks';
  readonly processes: Processes;
  /** Environment of the package manager: the user's own, proxies included. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Installs. Throws StopwatchError 'install-failed' with the last lines, or 'interrupted'. */
export async function install(request: InstallRequest): Promise<void> {
  const { manager, packages, processes, signal } = request;
  const steps = installSteps(manager, packages);
  for (const [index, step] of steps.entries()) {
    const isRefresh = index < steps.length - 1;
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      request.onLine(line);
    };
    const command = asUser(step, request);
    const environment = { ...request.environment, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
    const [file = '', ...args] = command;
    const exit =
      request.as === 'sudo-asks'
        ? await onTerminal(file, args, environment, request)
        : await processes.run({ file, args, env: environment }, { signal, onLine });
    if (signal.aborted) {
      throw new StopwatchError('interrupted', 'Interrupted while packages were being installed');
    }
    // Lists that cannot be refreshed may still be good enough.
    if (exit.exitCode === 0 || isRefresh) continue;
    throw new StopwatchError(
      'install-failed',
      `${PROGRAMS[manager]} could not install ${packages.join(' ')}: it ended with ${exit.signal ?? `exit code ${exit.exitCode}`}`,
      {
        command: command.map(quoted).join(' '),
        lastLines: lines.slice(-15),
        hint: 'Repair what the package manager complains about, then run `stopwatch doctor` again.',
      },
    );
  }
}

/** sudo clears the environment, so what the installation needs is said again behind it. */
function asUser(step: readonly string[], { as, manager, environment }: InstallRequest): string[] {
  if (as === 'root' || manager === 'brew') return [...step];
  const proxies = Object.entries(environment)
    .filter(([name]) => /^(https?|no|all|ftp)_proxy$/i.test(name))
    .map(([name, value]) => `${name}=${value}`);
  // -S: our processes have no controlling terminal, so sudo asks on the standard input, which is the terminal.
  const ask = as === 'sudo' ? ['-n'] : ['-S'];
  return ['sudo', ...ask, 'env', 'DEBIAN_FRONTEND=noninteractive', ...proxies, ...step];
}

/** With the terminal as it is, so that sudo can ask for the password there. */
async function onTerminal(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { processes, signal }: InstallRequest,
): Promise<{ exitCode: number | undefined; signal: string | undefined }> {
  const child = await processes.spawn(
    { file, args, env },
    { signal, stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' },
  );
  return child.exited;
}
