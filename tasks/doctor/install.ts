// SPDX-License-Identifier: MIT
/** The one command that installs what is missing, and running it. */
import { StopwatchError } from '../../lib/errors.js';
import { type Processes, shellQuote } from '../../lib/process/process.js';
import { which } from '../../lib/which.js';
import { type Capability, type Manager, MANAGERS } from './list.js';

/** The program of each package manager. */
const PROGRAMS: Readonly<Record<Manager, string>> = { apt: 'apt-get', dnf: 'dnf', pacman: 'pacman' };

/** Wait for another apt that holds the lock. */
const APT_WAITS = ['-o', 'DPkg::Lock::Timeout=120'];

/** The package manager of this host, if it is one we know. */
export function findManager(path: string): Manager | undefined {
  return MANAGERS.find((manager) => which(PROGRAMS[manager], path).found);
}

/** The packages that bring some capabilities, each once, sorted. */
export function packagesFor(missing: readonly Capability[], manager: Manager): string[] {
  return [...new Set(missing.flatMap((capability) => capability.packages[manager].split(' ')))].sort();
}

/** The steps that install packages, as argument lists without sudo. apt's first one only refreshes the lists. */
function installSteps(manager: Manager, packages: readonly string[], options: readonly string[]): string[][] {
  const steps: Readonly<Record<Manager, string[][]>> = {
    apt: [
      ['apt-get', 'update'],
      ['apt-get', ...options, 'install', '-y', '--no-install-recommends', ...packages],
    ],
    dnf: [['dnf', 'install', '-y', ...packages]],
    // With -Sy and without -u, the libraries that a new program needs would be newer than those that are installed.
    pacman: [['pacman', '-Syu', '--needed', '--noconfirm', ...packages]],
  };
  return steps[manager];
}

/** The same as one line for a shell; with sudo for a user who is not root. */
export function installCommand(manager: Manager, packages: readonly string[], root: boolean): string {
  const steps = installSteps(manager, packages, []);
  return steps.map((step) => `${root ? '' : 'sudo '}${quoted(step)}`).join(' && ');
}

function quoted([file = '', ...args]: readonly string[]): string {
  return shellQuote({ file, args });
}

export interface InstallRequest {
  readonly manager: Manager;
  readonly packages: readonly string[];
  /** We are root; sudo asks for no password; sudo asks on the terminal. */
  readonly as: 'root' | 'sudo' | 'sudo-asks';
  readonly processes: Processes;
  /** Environment of the package manager: the user's own, proxies included. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Installs. Throws StopwatchError 'install-failed' with the last lines, or 'interrupted'. */
export async function install(request: InstallRequest): Promise<void> {
  const { manager, packages, as, processes, signal } = request;
  const steps = installSteps(manager, packages, APT_WAITS);
  for (const [index, step] of steps.entries()) {
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      request.onLine(line);
    };
    const words = asUser(step, request);
    const [file = '', ...args] = words;
    const env = { ...request.environment, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
    const exit =
      as === 'sudo-asks'
        ? await onTerminal({ file, args, env }, request)
        : await processes.run({ file, args, env }, { signal, onLine });
    if (signal.aborted) {
      throw new StopwatchError('interrupted', 'Interrupted while packages were being installed');
    }
    // Lists that cannot be refreshed may still be good enough.
    const isRefresh = index < steps.length - 1;
    if (exit.exitCode === 0 || isRefresh) continue;
    throw new StopwatchError(
      'install-failed',
      `${PROGRAMS[manager]} could not install ${packages.join(' ')}: it ended with ${exit.signal ?? `exit code ${exit.exitCode}`}`,
      {
        command: quoted(words),
        lastLines: lines.slice(-15),
        hint: 'Repair what the package manager complains about, then run `stopwatch doctor` again.',
      },
    );
  }
}

/** sudo clears the environment but for what is named. The values are no arguments: a proxy's may have a password, and every user sees arguments. */
function asUser(step: readonly string[], { as, environment }: InstallRequest): readonly string[] {
  if (as === 'root') return step;
  const proxies = Object.keys(environment).filter((name) => /^(https?|no|all|ftp)_proxy$/i.test(name));
  const kept = ['DEBIAN_FRONTEND', ...proxies].join(',');
  // -S: our processes have no controlling terminal, so sudo asks on the standard input, which is the terminal.
  return ['sudo', as === 'sudo' ? '-n' : '-S', `--preserve-env=${kept}`, ...step];
}

/** With the terminal as it is, so that sudo can ask for the password there. */
async function onTerminal(command: Parameters<Processes['spawn']>[0], { processes, signal }: InstallRequest) {
  const streams = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;
  return (await processes.spawn(command, { signal, ...streams })).exited;
}
