// SPDX-License-Identifier: MIT
/** `run --gdb-qemu`: QEMU itself under gdb, in the user's terminal, stopped when the guest first writes to the device. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { qemuArguments } from '../../vm/qemu/command-line.js';
import type { Config } from '../config/schema.js';
import { EXIT } from '../../lib/errors.js';
import { shellQuote } from '../../lib/process/process.js';
import { machineParts, qemuEnvironment } from '../build/machine.js';
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
  await bringUpToDate(tools, bootTargets(config, options));
  const loaded = { ...services.loaded, config: debugged };
  await bringUpToDate(await toolchain({ ...services, loaded }), ['qemu:build']);
  await services.release();

  const { description } = tools.device;
  const { nodev, rw, gdbArguments = [] } = options;
  const live: Config = { ...config, vm: { ...config.vm, clock: 'realtime', accelerator: 'tcg' } };
  const layout = { ...guest, qemu: layoutOf(debugged, paths).qemu };
  const console = {
    pty: join(layout.logs, 'gdb-qemu-console'),
    log: join(layout.logs, 'gdb-qemu-console.log'),
  };
  await mkdir(layout.logs, { recursive: true });
  // QEMU removes it when it ends in good order, and does not start where there is one.
  await rm(console.pty, { force: true });
  const parts = machineParts(live, layout, description, { nodev, rw, guest: 'shell', trace: false });
  const qemu = qemuArguments(parts, { qmp: undefined, events: undefined, monitorPatterns: [], console });
  const handler = description.build.qemu.writeHandler;
  const args = debuggerArguments([layout.qemu, ...qemu], handler, layout.tree('qemu'), gdbArguments);

  process.stdout.write(
    `gdb has this terminal, and Ctrl-C; it stops in ${handler}().\n` +
      `The guest's console, for another terminal: ${shellQuote({ file: 'screen', args: [console.pty] })}\n` +
      `What it prints: ${console.log}\n`,
  );
  const processes = await services.processes();
  const child = await processes.spawn(
    {
      file: 'gdb',
      args,
      env: { ...qemuEnvironment(services.environment), TERM: services.environment['TERM'] ?? 'dumb' },
    },
    { signal: services.signal, stdin: 'inherit', stdout: 'inherit', stderr: 'inherit', foreground: true },
  );
  const { exitCode } = await child.exited;
  return { exitCode: EXIT.passed, passedThrough: exitCode ?? EXIT.host };
}

/** What the user gives comes last: it finds the machine stopped. */
export function debuggerArguments(
  command: readonly string[],
  handler: string,
  tree: string,
  users: readonly string[],
): string[] {
  const early = ['set confirm off'];
  const first = [
    // With these QEMU wakes its own threads.
    'handle SIGUSR1 nostop noprint pass',
    `directory ${tree}`,
    `break ${handler}`,
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
