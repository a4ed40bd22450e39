// SPDX-License-Identifier: MIT
/** `run --gdb`: the machine waits for a debugger, stops where the kernel's symbols say, and goes on; gdb in the driver and in the device. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { offsetOf } from '../../device/stopwatch/contract.js';
import { type Laboratory, laboratory } from './laboratory.js';
import { left, type Project, start } from './project.js';
import { onTerminal, Shown, toolOf } from './shown.js';

const ERROR = offsetOf('ERROR');

let lab: Laboratory;
beforeAll(async () => {
  lab = await laboratory();
  // Built beforehand: on a terminal nobody waits for as long as that takes.
  for (const variant of ['plain', 'debug']) {
    const { code, out, err } = await lab.project.stopwatch(['update', '--variant', variant]);
    expect(code, out + err).toBe(0);
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A client of the stub: packets `$data#sum`, each acknowledged with '+'. */
class Stub {
  #data = '';

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.#data += chunk.toString('latin1');
    });
  }

  static async attach(port: number): Promise<Stub> {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new Stub(socket);
  }

  async ask(text: string): Promise<string> {
    this.send(text);
    for (let tries = 0; tries < 600; tries++) {
      const found = /\$([^#]*)#../.exec(this.#data);
      if (found !== null) {
        this.#data = this.#data.slice(found.index + found[0].length);
        this.socket.write('+');
        return found[1] ?? '';
      }
      await sleep(100);
    }
    throw new Error(`The stub does not answer '${text}', but says '${this.#data}'`);
  }

  send(text: string): void {
    const sum = [...Buffer.from(text)].reduce((total, byte) => (total + byte) & 0xff, 0);
    this.socket.write(`$${text}#${sum.toString(16).padStart(2, '0')}`);
  }

  /** The program counter, number 32 of aarch64's registers; little-endian. */
  async counter(): Promise<bigint> {
    const bytes = Buffer.from(await this.ask('p20'), 'hex');
    return bytes.readBigUInt64LE();
  }

  close(): void {
    this.socket.destroy();
  }
}

/** `stopwatch run`, as a user has it. `args` are for the shell. */
function runOnTerminal(project: Project, args: string): Shown {
  return new Shown(onTerminal(project, `exec ${toolOf(project)} run ${args}`));
}

test('without a terminal it is refused', async () => {
  const { code, err } = await lab.project.stopwatch(['run', '--gdb']);
  expect(code).toBe(2);
  expect(err).toContain('--gdb needs a terminal');
});

test('it stops at start_kernel, and then boots to its shell', async () => {
  const { project } = lab;
  const port = await freePort();
  const machine = runOnTerminal(project, `--gdb ${port}`);
  let stub: Stub | undefined;
  try {
    const [, , vmlinux = '', at] = await machine.finds(
      /To attach:\n {2}(\S+) (\S+\/vmlinux) -ex .*target remote 127\.0\.0\.1:(\d+)/,
    );
    expect(Number(at)).toBe(port);
    expect(existsSync(vmlinux)).toBe(true);
    const symbols = readFileSync(join(vmlinux, '..', 'System.map'), 'latin1');
    const [, address = ''] = /^([0-9a-f]{16}) T start_kernel$/m.exec(symbols) ?? [];

    for (let tries = 0; stub === undefined; tries++) {
      stub = await Stub.attach(port).catch((error: unknown) => {
        if (tries > 300) throw error;
        return undefined;
      });
      if (stub === undefined) await sleep(100);
    }
    expect(await stub.ask('?')).toMatch(/^T/);
    // Before its first instruction nothing was printed.
    expect(machine.all).not.toContain('Booting Linux');
    expect(await stub.ask(`Z1,${address},4`)).toBe('OK');
    expect(await stub.ask('c')).toMatch(/^T05/);
    expect(await stub.counter()).toBe(BigInt(`0x${address}`));
    expect(await stub.ask(`z1,${address},4`)).toBe('OK');
    expect(await stub.ask('D')).toBe('OK');
    await machine.shows(/stopwatch:~# /);
    machine.type('poweroff\r');
    expect(await machine.closed).toBe(0);
  } finally {
    stub?.close();
    machine.child.kill();
    await machine.closed;
  }
  expect(await left(project)).toEqual([]);
});

/** The line of a file of the package on which this stands, once. */
function lineOf(name: string, text: string): number {
  const before = readFileSync(join(lab.project.package, name), 'utf8').split(text);
  if (before.length !== 2) throw new Error(`Expected '${text}' once in ${name}`);
  return (before[0] ?? '').split('\n').length;
}

test("gdb stops in the driver's interrupt handler, and again when the module was loaded anew", async () => {
  const { project } = lab;
  const port = await freePort();
  const commands = join(project.directory, 'interrupt.gdb');
  writeFileSync(
    commands,
    [
      'set breakpoint pending on',
      'break stopwatch_interrupt',
      'continue',
      'backtrace',
      'info args',
      'print ((struct stopwatch *)data)->timeouts',
      'list',
      'continue',
      'print ((struct stopwatch *)data)->features',
      'delete',
      'detach',
    ].join('\n'),
  );
  const machine = runOnTerminal(project, `--gdb ${port} --variant debug -- -batch -x ${commands}`);
  try {
    const [, attach = ''] = await machine.finds(/To attach:\n {2}(.*)\n/);
    const gdb = start('bash', ['-c', attach], { cwd: project.directory, env: project.env });
    await machine.shows(/stopwatch:~# /);
    machine.type('stopwatch_ctrl.sh timeout 1; sleep 2; stopwatch_ctrl.sh timeout; rmmod stopwatch; ');
    machine.type(
      'insmod /lib/modules/stopwatch.ko; stopwatch_ctrl.sh timeout 1; sleep 2; echo loaded anew\r',
    );
    const { out, err } = await gdb.ended;
    const line = lineOf(
      'driver/stopwatch/stopwatch.c',
      'static irqreturn_t stopwatch_interrupt(int irq, void *data)',
    );
    const stops = [
      ...out.matchAll(
        /^Breakpoint 1, stopwatch_interrupt \(irq=\S+, data=0x[0-9a-f]+\) at .*drivers\/misc\/stopwatch\/stopwatch\.c:(\d+)$/gm,
      ),
    ];
    expect(stops.length, out + err).toBe(2);
    for (const [, at] of stops) expect(Number(at) - line).toBeLessThan(8);
    expect(out).toMatch(/^#0 +stopwatch_interrupt /m);
    expect(out).toMatch(/^#\d+ .* in __handle_irq_event_percpu \(.*\) at .*kernel\/irq\/handle\.c:\d+$/m);
    expect(out).toMatch(/^\$1 = 0$/m);
    expect(out).toMatch(/^\d+\tstatic irqreturn_t stopwatch_interrupt\(int irq, void \*data\)$/m);
    expect(out).toMatch(/^\$2 = 7$/m);
    expect(out.match(/^module-symbols: stopwatch is loaded at 0x[0-9a-f]+$/gm)?.length, out).toBe(2);
    await machine.shows(/^loaded anew$/m);
    machine.type('poweroff\r');
    expect(await machine.closed).toBe(0);
  } finally {
    machine.child.kill();
    await machine.closed;
  }
  expect(await left(project)).toEqual([]);
});

test("gdb on QEMU stops in the device's write handler, and the guest goes on to its shell", async () => {
  const { project } = lab;
  const commands = join(project.directory, 'write.gdb');
  writeFileSync(
    commands,
    'printf "offset %#lx\\n", offset\nnext\nprint s->status\nbacktrace\ndelete\ncontinue\n',
  );
  const console = join(project.work, 'logs', 'gdb-qemu-console');
  const log = `${console}.log`;
  for (const file of [console, log]) rmSync(file, { force: true });
  const { child, ended } = project.start(['run', '--gdb-qemu', '--', '-batch', '-x', commands]);
  try {
    for (
      let tries = 0;
      tries < 3000 && !(existsSync(log) && /:~# /.test(readFileSync(log, 'latin1')));
      tries++
    ) {
      if (child.exitCode !== null) break;
      await sleep(100);
    }
    // QEMU looks once a second whether somebody has opened its end.
    const typed = 'exec 3<>"$0"; (sleep 2; printf "poweroff\\r" >&3) & cat <&3 >/dev/null 2>&1; wait';
    if (child.exitCode === null)
      await start('sh', ['-c', typed, console], { cwd: project.directory, env: project.env }).ended;
    const { code, out, err } = await ended;
    const line = lineOf(
      'device/stopwatch/stopwatch.c',
      'static void stopwatch_write(void *opaque, hwaddr offset, uint64_t value,',
    );
    const [, offset, at] =
      /hit Breakpoint 1, stopwatch_write \(opaque=0x[0-9a-f]+, offset=(\d+), value=\d+, size=8\) at .*device\/stopwatch\.c:(\d+)$/m.exec(
        out,
      ) ?? [];
    // The driver's first write clears the sticky errors.
    expect(offset, out + err).toBe(String(ERROR));
    expect(Number(at) - line).toBeLessThan(6);
    expect(out).toMatch(new RegExp(`^offset 0x${ERROR.toString(16)}$`, 'm'));
    expect(out).toMatch(/^\$1 = 0$/m);
    expect(out).toMatch(/^#0 +stopwatch_write /m);
    expect(out).toMatch(/^#\d+ .* in memory_region_dispatch_write \(/m);
    expect(out).toMatch(/^\[Inferior 1 \(process \d+\) exited normally\]$/m);
    expect(code).toBe(0);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
  expect(await left(project)).toEqual([]);
});

test('on a terminal, Ctrl-C is for gdb, and quitting it ends QEMU', async () => {
  const { project } = lab;
  const gdb = runOnTerminal(project, '--gdb-qemu');
  try {
    await gdb.shows(/hit Breakpoint 1, stopwatch_write[^]*\(gdb\) $/);
    gdb.type('delete\rcontinue\r');
    await gdb.shows(/Continuing\.\n/);
    await sleep(500);
    gdb.type('\u0003');
    await gdb.shows(/received signal SIGINT[^]*\(gdb\) $/);
    gdb.type('quit\r');
    expect(await gdb.closed).toBe(0);
  } finally {
    gdb.child.kill();
    await gdb.closed;
  }
  expect(await left(project)).toEqual([]);
});

test('what is for gdb without gdb is refused', async () => {
  const { code, err } = await lab.project.stopwatch(['run', '--', '-x', 'file']);
  expect(code).toBe(2);
  expect(err).toContain('--gdb-qemu');
});
