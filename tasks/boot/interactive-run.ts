// SPDX-License-Identifier: MIT
/** `run`: a shell on the guest's serial console, or only the machine's device tree. */
import { existsSync, statSync } from 'node:fs';
import { dirname, extname, join, basename } from 'node:path';
import { type DeviceInstance, instancesOf, type ProjectDevice } from '../../vm/device.js';
import { dumpDeviceTree, findDevices } from '../../vm/qemu/devicetree.js';
import { shellStatus } from '../../vm/crosscheck/sections.js';
import type { BootPorts, BootRequest } from '../../vm/boot-request.js';
import { boot } from '../../vm/runner.js';
import { bootOnTerminal } from '../../vm/console/terminal.js';
import type { BootResult } from '../../vm/types.js';
import type { Result, Services } from '../config/services.js';
import type { Config } from '../config/schema.js';
import { baseEnvironment } from '../../lib/environment.js';
import { isDirectory } from '../../lib/directory.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { shellQuote } from '../../lib/process/process.js';
import { watchTrees } from '../../lib/files/tree-watch.js';
import { machineParts } from '../build/machine.js';
import { bringUpToDate, type Toolchain, toolchain } from '../build/toolchain.js';
import { missDisk } from '../build/guest/disk.js';
import { attachCommand, checkPort, type GdbRequest, gdbStub, needTerminal, withGdbAddress } from './gdb.js';
import { bootTargets } from '../build/graph.js';
import { checkedRun } from './checked-run.js';
import { withConsoleOutput } from './console-output.js';
import { layoutOf } from '../build/layout.js';
import { pushables, testsOf } from './pushable.js';
import { type ServeOptions, type ServingPorts, serving } from './serve.js';
import { crosscheckLines } from './test-run.js';

export interface RunOptions {
  readonly nodev: boolean;
  readonly rw: boolean;
  /** File to write the device tree to (its .dts goes beside it); '' for the default place; undefined: do not dump. */
  readonly dumpDtb: string | undefined;
  /** Wait for a debugger before the first instruction; undefined: do not. */
  readonly gdb: GdbRequest | undefined;
  /** QEMU itself runs under gdb. */
  readonly gdbQemu?: boolean;
  /** With gdbQemu: stop in this device only, by its name. */
  readonly device?: string | undefined;
  /** For either gdb, after ours. */
  readonly gdbArguments?: readonly string[];
  /** It takes new files while it runs. */
  readonly serve: boolean;
}

export async function interactiveRun(services: Services, options: RunOptions): Promise<Result> {
  const tools = await toolchain(services);
  if (options.dumpDtb !== undefined) {
    if (options.dumpDtb !== '') checkDumpFile(options.dumpDtb);
    await bringUpToDate(tools, ['qemu:build']);
    return dumpTree(
      services,
      instancesOf(tools.devices, services.loaded.config.vm),
      options,
      options.dumpDtb,
    );
  }
  if (options.gdb !== undefined) needTerminal(services.interactive);
  if (options.gdb?.port !== undefined) await checkPort(options.gdb.port);
  if (options.rw) await missDisk(layoutOf(services.loaded.config, services.loaded.paths));
  if (options.gdbQemu) return (await import('./debug-qemu.js')).debugQemu(services, options);
  await bringUpToDate(tools, bootTargets(services.loaded.config, options));
  await services.release();
  const start = async (gdb: string | undefined): Promise<Result> => {
    const shellWith = async (more: MorePorts) => shell(services, options, tools, more, gdb);
    return options.serve ? serve(services, tools.devices, shellWith) : shellWith({});
  };
  return options.gdb === undefined ? start(undefined) : withGdbAddress(options.gdb, start);
}

type MorePorts = Partial<ServingPorts>;

async function serve(
  services: Services,
  devices: readonly ProjectDevice[],
  fn: (more: MorePorts) => Promise<Result>,
): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const all = pushables(config, layout, devices);
  const tests = testsOf(instancesOf(devices, config.vm), config);
  const roots = layout.watchedTrees;
  // This process stays: it need not go through the trees for every push.
  const own = services.treeWatch === undefined ? watchTrees({ roots, onChange: () => {} }) : undefined;
  const treeWatch = own ?? services.treeWatch;
  const build: ServeOptions['build'] = async (what, emit, signal) => {
    const targets = [...new Set(what.flatMap((one) => one.targets))];
    if (targets.length > 0)
      await bringUpToDate(await toolchain({ ...services, emit, signal, treeWatch }), targets);
  };
  const pausing = clockOf(services, true) === 'icount';
  try {
    return await serving({ services, pushables: all, tests, splats: config.vm.splats, pausing, build }, fn);
  } finally {
    own?.close();
  }
}

/**
 * A shell that a person uses has the host's clock: with the deterministic one, an idle guest would skip through days. Where nobody
 * sits before a machine that takes new files, its time stands still between them, and its test's sleeps cost nothing.
 */
function clockOf({ interactive, loaded }: Services, serves: boolean): Config['vm']['clock'] {
  return serves && !interactive ? loaded.config.vm.clock : 'realtime';
}

function withClock(config: Config, clock: Config['vm']['clock']): Config {
  return { ...config, vm: { ...config.vm, clock } };
}

function withStub(config: Config, address: string | undefined): Config {
  if (address === undefined) return config;
  return { ...config, vm: { ...config.vm, qemuArgs: [...config.vm.qemuArgs, ...gdbStub(address)] } };
}

/** The user's own words come after them. */
function withTerminal(config: Config, words: readonly string[]): Config {
  return { ...config, vm: { ...config.vm, append: [...words, ...config.vm.append] } };
}

/** Of the kernel's command line, which hands them to init: a serial line does not say what is at its other end. */
export function terminalWords(
  { TERM: term = '' }: Services['environment'],
  { rows = 0, columns = 0 }: { readonly rows?: number; readonly columns?: number },
): readonly string[] {
  return [
    ...(/^[\w.+-]{1,40}$/.test(term) ? [`TERM=${term}`] : []),
    ...(rows > 0 && columns > 0 ? [`LINES=${rows}`, `COLUMNS=${columns}`] : []),
  ];
}

async function shell(
  services: Services,
  { nodev, rw, gdb: debug, gdbArguments = [], serve: serves }: RunOptions,
  { devices, stages, build, cache }: Toolchain,
  more: MorePorts,
  gdb: string | undefined,
): Promise<Result> {
  const terminal = services.interactive ? terminalWords(services.environment, process.stdout) : [];
  const config = withTerminal(
    withStub(withClock(services.loaded.config, clockOf(services, serves)), gdb),
    terminal,
  );
  const layout = layoutOf(config, services.loaded.paths);
  const args = [
    'stopwatch',
    'run',
    ...(nodev ? ['--nodev'] : []),
    ...(rw ? ['--rw'] : []),
    ...(debug === undefined ? [] : ['--gdb']),
    ...(debug?.port === undefined ? [] : ['--gdb-port', String(debug.port)]),
    ...(serves ? ['--serve'] : []),
  ];
  if (services.interactive) {
    process.stdout.write('The console of the guest. Leave it with poweroff or Ctrl-A x; Ctrl-A h helps.\n');
  }
  if (gdb !== undefined) {
    const path = services.environment['PATH'] ?? '';
    const attach = attachCommand(layout, gdb, path, {
      roots: devices.map(({ root }) => root),
      args: gdbArguments,
    });
    process.stdout.write(`The machine stands still before its first instruction. To attach:\n  ${attach}\n`);
    if (config.build.variant !== 'debug')
      process.stdout.write('With --variant debug also source lines, variables and the symbols of modules.\n');
  }
  let guestStatus: number | undefined;
  const { report, run } = await checkedRun(
    {
      config,
      layout,
      instances: instancesOf(devices, config.vm),
      stages,
      build: build.tasks,
      compileCache: cache?.use(),
      command: shellQuote({ file: 'npx', args }),
      options: { nodev, rw, guest: 'shell', trace: config.crosscheck.run },
      next: () => 'npx stopwatch run-test-quit',
    },
    {
      processes: await services.processes(),
      environment: services.environment,
      signal: services.signal,
      boot: (request, ports) => {
        const onStart: BootPorts['onStart'] = (machine) => {
          ports.onStart?.(machine);
          more.onStart?.(machine);
        };
        const onConsoleLine: BootPorts['onConsoleLine'] = (line) => {
          ports.onConsoleLine?.(line);
          guestStatus = shellStatus(line) ?? guestStatus;
          more.onConsoleLine?.(line);
        };
        const all = { ...ports, ...more, onStart, onConsoleLine };
        const { directory } = more;
        const withPorts = { ...request, ports: directory === undefined ? undefined : { directory } };
        return withConsoleOutput(services, async (stdout) =>
          serves && !services.interactive
            ? unattended(withPorts, all, stdout)
            : bootOnTerminal(withPorts, all, { stdin: process.stdin, stdout }),
        );
      },
    },
  );
  const { guest, devices: results, exitCode } = report.result;
  return {
    exitCode,
    guestStatus,
    verdict: [
      `Guest        ${guest.outcome}: ${guest.reason}`,
      ...(results.some(({ verdict }) => verdict !== null) ? crosscheckLines(results) : []),
      `Machine      ${guest.accelerator.toUpperCase()} (${report.host.acceleratorReason}), clock ${guest.clock}`,
      `Console      ${report.host.files['console']}`,
    ],
    next: report.host.next,
    afterwards: async () => (await import('./run-page.js')).writePageOf(services, run.directory),
  };
}

/** Nothing is typed: it is there for what is pushed, until it is ended from outside. */
async function unattended(
  request: BootRequest,
  ports: BootPorts,
  stdout: NodeJS.WritableStream,
): Promise<BootResult> {
  const limits = { ...request.limits, silenceSeconds: undefined, totalSeconds: undefined };
  return boot({ ...request, limits }, { ...ports, onConsole: (bytes) => void stdout.write(bytes) });
}

/** What is there is replaced: it must be a file, and no device such as /dev/null. Throws 'bad-usage'. */
function checkDumpFile(file: string): void {
  const found = existsSync(file) ? statSync(file) : undefined;
  const why =
    found?.isFile() === false
      ? 'it is no regular file'
      : isDirectory(dirname(file))
        ? undefined
        : `there is no directory ${dirname(file)}`;
  if (why !== undefined) throw new StopwatchError('bad-usage', `--dump-dtb cannot write ${file}: ${why}`);
}

async function dumpTree(
  services: Services,
  instances: readonly DeviceInstance[],
  { nodev, rw }: RunOptions,
  wanted: string,
): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const named = wanted === '' ? join(layout.vm, nodev ? 'virt-nodev.dtb' : 'virt-dump.dtb') : wanted;
  const stem = join(dirname(named), basename(named, extname(named)));
  const dts = `${stem}.dts`;
  const dtb = named === dts ? `${stem}.dtb` : named;
  const parts = machineParts(config, layout, instances, { nodev, rw, guest: 'shell', trace: false });
  const source = await dumpDeviceTree(
    layout.qemu,
    parts,
    { dtb, dts },
    {
      processes: await services.processes(),
      env: baseEnvironment(services.environment),
      signal: services.signal,
    },
  );
  const compatible = instances.flatMap(({ device }) =>
    [device.description.deviceTree?.compatible ?? []].flat().slice(0, 1),
  );
  const found = [...new Set(compatible)].map((name) => ({ name, nodes: findDevices(source, name) }));
  const text = found.flatMap(({ name, nodes }) =>
    nodes.length === 0
      ? `No node is compatible with "${name}".\n`
      : nodes.map(({ path, dts: node }) => `${path}\n\n${node}\n`),
  );
  return {
    exitCode: EXIT.passed,
    text: text.length === 0 ? 'No device of the machine has a node of its own.\n' : text.join('\n'),
    verdict: [`Written      ${dtb}`, `             ${dts}`],
    next: shellQuote({ file: 'less', args: [dts] }),
  };
}
