// SPDX-License-Identifier: MIT
/** `run`: a shell on the guest's serial console, or only the machine's device tree. */
import { dirname, extname, join, basename } from 'node:path';
import { summary } from '../../vm/crosscheck/index.js';
import type { DeviceDescription } from '../../vm/device.js';
import { dumpDeviceTree, findDevices } from '../../vm/devicetree.js';
import { bootOnTerminal } from '../../vm/terminal.js';
import type { Result, RunOptions, Services } from './services.js';
import type { Config } from '../config/schema.js';
import { EXIT } from '../core/errors.js';
import { shellQuote } from '../host/process.js';
import { machineParts, qemuEnvironment } from './boot.js';
import { bringUpToDate, type Toolchain, toolchain } from './toolchain.js';
import { missDisk } from './disk.js';
import { attachCommand, gdbStub, needTerminal } from './gdb.js';
import { bootTargets } from './graph.js';
import { judgedRun } from './judged-run.js';
import { layoutOf } from './layout.js';

export async function interactiveRun(services: Services, options: RunOptions): Promise<Result> {
  const tools = await toolchain(services);
  if (options.dumpDtb !== undefined) {
    await bringUpToDate(tools, ['qemu:build']);
    return dumpTree(services, tools.device.description, options, options.dumpDtb);
  }
  if (options.gdb !== undefined) needTerminal(services.interactive);
  if (options.rw) await missDisk(layoutOf(services.loaded.config, services.loaded.paths));
  if (options.gdbQemu) return (await import('./debug-qemu.js')).debugQemu(services, options);
  await bringUpToDate(tools, bootTargets(services.loaded.config, options));
  await services.release();
  return shell(services, options, tools);
}

/** A person's clock is the host's: with counted instructions an idle guest would race through its days. */
function withRealTime(config: Config): Config {
  return { ...config, vm: { ...config.vm, clock: 'realtime' } };
}

function withStub(config: Config, port: number | undefined): Config {
  if (port === undefined) return config;
  return { ...config, vm: { ...config.vm, qemuArgs: [...config.vm.qemuArgs, ...gdbStub(port)] } };
}

async function shell(
  services: Services,
  { nodev, rw, gdb, gdbArguments = [] }: RunOptions,
  { device, stages, cache }: Toolchain,
): Promise<Result> {
  const config = withStub(withRealTime(services.loaded.config), gdb);
  const layout = layoutOf(config, services.loaded.paths);
  const args = [
    'stopwatch',
    'run',
    ...(nodev ? ['--nodev'] : []),
    ...(rw ? ['--rw'] : []),
    ...(gdb === undefined ? [] : ['--gdb', String(gdb)]),
  ];
  if (services.interactive) {
    process.stdout.write('The console of the guest. Leave it with poweroff or Ctrl-A x; Ctrl-A h helps.\n');
  }
  if (gdb !== undefined) {
    const path = services.environment['PATH'] ?? '';
    const attach = attachCommand(layout, gdb, path, gdbArguments);
    process.stdout.write(`The machine stands still before its first instruction. To attach:\n  ${attach}\n`);
    if (config.build.variant !== 'debug')
      process.stdout.write('With --variant debug also source lines, variables and the symbols of modules.\n');
  }
  const { report } = await judgedRun(
    {
      config,
      layout,
      device,
      stages,
      compileCache: cache?.use(),
      command: shellQuote({ file: 'npx', args }),
      options: { nodev, rw, guest: 'shell', trace: config.crosscheck.run },
      next: () => 'npx stopwatch run-test-quit',
    },
    {
      processes: await services.processes(),
      environment: services.environment,
      signal: services.signal,
      boot: (request, ports) =>
        bootOnTerminal(request, ports, { stdin: process.stdin, stdout: consoleOutput(services) }),
    },
  );
  const { guest, verdict, exitCode } = report.result;
  return {
    exitCode,
    verdict: [
      `Guest        ${guest.outcome}: ${guest.reason}`,
      ...(verdict === null ? [] : [`Cross-check  ${summary(verdict)}`]),
      `Machine      ${guest.accelerator.toUpperCase()} (${report.host.acceleratorReason}), clock ${guest.clock}`,
      `Console      ${report.host.files['console']}`,
    ],
    next: report.host.next,
  };
}

/** With --json standard output is for events. */
export function consoleOutput({ look }: Services): NodeJS.WritableStream {
  return look.kind === 'json' ? process.stderr : process.stdout;
}

async function dumpTree(
  services: Services,
  description: DeviceDescription,
  { nodev, rw }: RunOptions,
  wanted: string,
): Promise<Result> {
  const { config, paths } = services.loaded;
  const layout = layoutOf(config, paths);
  const dtb = wanted === '' ? join(layout.vm, nodev ? 'virt-nodev.dtb' : 'virt-dump.dtb') : wanted;
  const dts = join(dirname(dtb), `${basename(dtb, extname(dtb))}.dts`);
  const parts = machineParts(config, layout, description, { nodev, rw, guest: 'shell', trace: false });
  const tree = await dumpDeviceTree(
    layout.qemu,
    parts,
    { dtb, dts },
    {
      processes: await services.processes(),
      env: qemuEnvironment(services.environment),
      signal: services.signal,
    },
  );
  const nodes = findDevices(tree, description.compatible);
  const shown = nodes.map(({ path, dts: source }) => `${path}\n\n${source}\n`).join('\n');
  return {
    exitCode: EXIT.passed,
    text: nodes.length === 0 ? `No node is compatible with "${description.compatible}".\n` : shown,
    verdict: [`Written      ${dtb}`, `             ${dts}`],
    next: shellQuote({ file: 'less', args: [dts] }),
  };
}
