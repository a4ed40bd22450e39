// SPDX-License-Identifier: MIT
/** `exec`: boots, runs one command in the guest with our standard input and output, and ends with its exit code. */
import { appendFile, copyFile, constants, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { baseEnvironment } from '../../lib/environment.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { makePrivateDirectory } from '../../lib/files/private-directory.js';
import { commandLine } from '../../lib/process/command-line.js';
import type { Processes } from '../../lib/process/process.js';
import { instancesOf } from '../../vm/device.js';
import type { RunningMachine } from '../../vm/boot-request.js';
import { boot } from '../../vm/runner.js';
import { BUILD_EPOCH } from '../build/build-tools.js';
import { bootTargets } from '../build/graph.js';
import { type Layout, layoutOf } from '../build/layout.js';
import { machineParts } from '../build/machine.js';
import { CPIO_TOOL } from '../build/guest/rootfs.js';
import { bringUpToDate, type Toolchain, toolchain } from '../build/toolchain.js';
import type { Config } from '../config/schema.js';
import type { Result, Services } from '../config/services.js';
import { checkedRun } from './checked-run.js';
import { CommandStreams } from './command-streams.js';
import { type GuestCommand, guestCommand } from './guest-command.js';
import { failureOf } from './run-failure.js';
import { crosscheckLines } from './test-run.js';

export interface ExecOptions {
  /** The command and its arguments; with `script`, only arguments. */
  readonly command: readonly string[];
  /** A file of the host that is run instead: a script, or a program for the guest. */
  readonly script: string | undefined;
  /** With the deterministic clock, and without standard input. */
  readonly deterministic: boolean;
  /** For its standard output; absent: ours. */
  readonly stdout?: Writable | undefined;
  /** Its console goes to standard error. */
  readonly verbose: boolean;
}

/** Where the guest finds them. */
const [COMMAND, SCRIPT] = ['/run/exec/command', '/run/exec/script'];

export async function execCommand(services: Services, options: ExecOptions): Promise<Result> {
  const { deterministic } = options;
  const { loaded } = services;
  // Its files come in an initramfs of their own, beside the usual one.
  const vm: Config['vm'] = {
    ...loaded.config.vm,
    rootfs: 'initramfs',
    clock: deterministic ? 'icount' : 'realtime',
  };
  const config: Config = { ...loaded.config, vm };
  const layout = layoutOf(config, loaded.paths);
  const command = await guestCommand(options, SCRIPT);
  const stale = new AbortController();
  const tools = await toolchain(services, (event) => {
    if (event.type === 'plan' && event.tasks.some(({ fresh }) => !fresh)) stale.abort();
    services.emit(event);
  });
  const machine: Machine = { services, options, config, layout, tools, command };
  const before = await identity(layout);
  const built = bringUpToDate(tools, [...bootTargets(config), CPIO_TOOL]).then(async () =>
    services.release(),
  );
  const unchanged = built.then(async () => before !== undefined && before === (await identity(layout)));
  const foundStale = new Promise<false>((resolve) => {
    stale.signal.addEventListener('abort', () => resolve(false));
  });
  const upToDate = Promise.race([foundStale, unchanged]);
  // Whoever waits for it hears of an error.
  upToDate.catch(() => {});
  // A boot takes longer than looking whether anything is stale: the guest waits for that before it runs the command.
  if (before !== undefined && !deterministic && !config.crosscheck.run) {
    const result = await runOnce(machine, upToDate);
    if (result !== undefined) return result;
  }
  await built;
  const result = await runOnce(machine, Promise.resolve(true));
  if (result === undefined) throw new StopwatchError('internal', 'The machine was not started');
  return result;
}

/** Says whether the files that a boot takes are the same as before; undefined: one of them is missing. */
async function identity({ qemu, kernel, initramfs, cpioTool }: Layout): Promise<string | undefined> {
  try {
    const stats = await Promise.all([qemu, kernel, initramfs, cpioTool].map(async (file) => stat(file)));
    return stats.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join('\n');
  } catch {
    return undefined;
  }
}

interface Machine {
  readonly services: Services;
  readonly options: ExecOptions;
  readonly config: Config;
  readonly layout: Layout;
  readonly tools: Toolchain;
  readonly command: GuestCommand;
}

/** Boots; the command runs when `upToDate` is true. Gives undefined where it is false: then nothing has run. */
async function runOnce(
  { services, options, config, layout, tools, command }: Machine,
  upToDate: Promise<boolean>,
): Promise<Result | undefined> {
  const { deterministic, verbose } = options;
  const { signal, environment } = services;
  const processes = await services.processes();
  const directory = await makePrivateDirectory(tmpdir());
  let machine: RunningMachine | undefined;
  const streams = new CommandStreams({
    stdin: deterministic ? undefined : process.stdin,
    outputs: [options.stdout ?? process.stdout, process.stderr],
    // There is nothing on the machine that it must save.
    onEnd: () => machine?.quit('the command ended'),
  });
  try {
    const instances = instancesOf(tools.devices, config.vm);
    const guest = { nodev: false, rw: false, guest: 'exec', trace: config.crosscheck.run } as const;
    const parts = machineParts(config, layout, instances, guest);
    const initramfs = await withCommand(directory.path, command, {
      initramfs: layout.initramfs,
      tool: layout.cpioTool,
      processes,
      env: baseEnvironment(environment),
      signal,
    });
    const { report, run } = await checkedRun(
      {
        config,
        layout,
        instances,
        stages: tools.stages,
        build: tools.build.tasks,
        compileCache: tools.cache?.use(),
        command: commandLine('exec', '--', ...options.command),
        options: guest,
        machine: async () => ({ ...parts, files: { ...parts.files, initramfs } }),
        next: () => 'npx stopwatch run',
      },
      {
        processes,
        environment,
        signal,
        boot: async (request, ports) =>
          boot(
            {
              ...request,
              ports: { stdin: !deterministic },
              // A command may take its time, and the console says nothing of it.
              limits: { ...request.limits, silenceSeconds: undefined, totalSeconds: undefined },
            },
            {
              ...ports,
              onStart: (running) => {
                machine = running;
                ports.onStart?.(running);
                const stop = (): void => running.quit('something was out of date');
                upToDate.then((isCurrent) => isCurrent || stop(), stop);
              },
              // Whoever waits for the run hears of an error.
              onPorts: (guestPorts) =>
                void upToDate.then(
                  (isCurrent) => isCurrent && streams.run(guestPorts),
                  () => {},
                ),
              onConsole: (bytes) => {
                ports.onConsole?.(bytes);
                if (verbose) process.stderr.write(bytes);
              },
            },
          ),
      },
    );
    if (!(await upToDate)) {
      await rm(run.directory, { recursive: true, force: true });
      return undefined;
    }
    const { exitCode, guest: outcome, devices } = report.result;
    const { end } = streams;
    const judged = devices.some(({ verdict }) => verdict !== null);
    const verdict = judged ? crosscheckLines(devices) : [];
    if (exitCode !== EXIT.passed)
      throw failureOf(report, run) ?? new StopwatchError('internal', outcome.reason);
    if (end === undefined) {
      throw new StopwatchError('guest-exited-early', `${sentence(outcome.reason)} before the command ended`, {
        lastLines: outcome.lastLines.slice(-15),
        log: run.console,
        hint: 'Its console: add --verbose.',
      });
    }
    return { exitCode: EXIT.passed, guestStatus: end.status, verdict };
  } finally {
    streams.close();
    await directory.remove();
  }
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

interface CommandPorts {
  readonly initramfs: string;
  readonly tool: string;
  readonly processes: Processes;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A copy of the initramfs with these files behind it: the kernel unpacks one archive after the other. */
async function withCommand(
  directory: string,
  { command, script }: GuestCommand,
  { initramfs, tool, processes, env, signal }: CommandPorts,
): Promise<string> {
  const file = (name: string): string => join(directory, name);
  await Promise.all([
    writeFile(file('command'), command),
    script && writeFile(file('script'), script),
    copyFile(initramfs, file('initramfs'), constants.COPYFILE_FICLONE),
  ]);
  const list = [
    'dir /run/exec 0755 0 0',
    `file ${COMMAND} command 0755 0 0`,
    ...(script === undefined ? [] : [`file ${SCRIPT} script 0755 0 0`]),
  ];
  await writeFile(file('list'), `${list.join('\n')}\n`);
  const shell = { file: 'sh', args: ['-c', 'exec "$0" -t "$1" list >archive', tool, String(BUILD_EPOCH)] };
  const { exitCode } = await processes.run({ ...shell, cwd: directory, env }, { signal });
  if (exitCode !== 0) throw new StopwatchError('command-failed', `${tool} made no archive of the command`);
  await appendFile(file('initramfs'), await readFile(file('archive')));
  return file('initramfs');
}
