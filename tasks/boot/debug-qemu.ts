// SPDX-License-Identifier: MIT
/** `run --gdb-qemu`: QEMU itself under gdb, in the user's terminal, stopped when the guest first writes to a device. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { qemuArguments } from '../../vm/qemu/command-line.js';
import { type DeviceInstance, instancesOf } from '../../vm/device.js';
import type { Config } from '../config/schema.js';
import { baseEnvironment } from '../../lib/environment.js';
import { EXIT, StopwatchError } from '../../lib/errors.js';
import { shellQuote } from '../../lib/process/process.js';
import { machineParts } from '../build/machine.js';
import { bootTargets } from '../build/graph.js';
import { layoutOf } from '../build/layout.js';
import type { Result, Services } from '../config/services.js';
import type { RunOptions } from './interactive-run.js';
import { bringUpToDate, toolchain } from '../build/toolchain.js';

/** The QEMU to look into is always the one for debuggers; the guest is of the variant that was asked for. */
export async function debugQemu(services: Services, options: RunOptions): Promise<Result> {
  const { config, paths } = services.loaded;
  const guest = layoutOf(config, paths);
  const debugged: Config = { ...config, build: { ...config.build, variant: 'debug' } };
  const tools = await toolchain(services);
  const { nodev, rw, gdbArguments = [], device: wanted } = options;
  const instances = instancesOf(tools.devices, config.vm);
  const handlers = writeHandlers(instances, wanted);
  await bringUpToDate(tools, bootTargets(config, options));
  const loaded = { ...services.loaded, config: debugged };
  await bringUpToDate(await toolchain({ ...services, loaded }), ['qemu:build']);
  await services.release();

  const live: Config = { ...config, vm: { ...config.vm, clock: 'realtime', accelerator: 'tcg' } };
  const layout = { ...guest, qemu: layoutOf(debugged, paths).qemu };
  const console = {
    pty: join(layout.logs, 'gdb-qemu-console'),
    log: join(layout.logs, 'gdb-qemu-console.log'),
  };
  await mkdir(layout.logs, { recursive: true });
  // QEMU removes it when it ends in good order, and does not start where there is one.
  await rm(console.pty, { force: true });
  const parts = machineParts(live, layout, instances, { nodev, rw, guest: 'shell', trace: false });
  const qemu = qemuArguments(parts, { qmp: undefined, events: undefined, monitorPatterns: [], console });
  const args = debuggerArguments([layout.qemu, ...qemu], handlers, layout.tree('qemu'), gdbArguments);
  const places = handlers.map((handler) => `${handler}()`).join(' and ');

  process.stdout.write(
    `gdb has this terminal, and Ctrl-C${places === '' ? '' : `; it stops in ${places}`}.\n` +
      `The guest's console, for another terminal: ${shellQuote({ file: 'screen', args: [console.pty] })}\n` +
      `What it prints: ${console.log}\n`,
  );
  const processes = await services.processes();
  const child = await processes.spawn(
    {
      file: 'gdb',
      args,
      env: { ...baseEnvironment(services.environment), TERM: services.environment['TERM'] ?? 'dumb' },
    },
    { signal: services.signal, stdin: 'inherit', stdout: 'inherit', stderr: 'inherit', foreground: true },
  );
  const { exitCode } = await child.exited;
  return { exitCode: EXIT.passed, passedThrough: exitCode ?? EXIT.host };
}

/** The functions that take the guest's writes: of each device, or of that which is named. Throws 'bad-usage' where that has none. */
function writeHandlers(instances: readonly DeviceInstance[], wanted: string | undefined): readonly string[] {
  const descriptions = instances.map(({ device }) => device.description);
  const found = descriptions.filter(({ name }) => wanted === undefined || name === wanted);
  const handlers = [...new Set(found.flatMap(({ writeHandler }) => writeHandler ?? []))];
  if (wanted === undefined || handlers.length > 0) return handlers;
  throw new StopwatchError('bad-usage', `gdb cannot stop in the device ${wanted}`, {
    hint:
      found.length === 0
        ? `The machine's devices are: ${descriptions.map(({ name }) => name).join(', ') || 'none'}.`
        : 'Its description has no writeHandler: leave out --device, and set a breakpoint yourself.',
  });
}

/** What the user gives comes last: it finds the machine stopped. */
export function debuggerArguments(
  command: readonly string[],
  handlers: readonly string[],
  tree: string,
  users: readonly string[],
): string[] {
  const early = ['set confirm off'];
  const first = [
    // With these QEMU wakes its own threads.
    'handle SIGUSR1 nostop noprint pass',
    `directory ${tree}`,
    ...handlers.map((handler) => `break ${handler}`),
    'run',
  ];
  return [
    '-q',
    ...early.flatMap((line) => ['-iex', line]),
    ...first.flatMap((line) => ['-ex', line]),
    ...users,
    '--args',
    ...command,
  ];
}
