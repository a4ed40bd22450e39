// SPDX-License-Identifier: MIT
/** Tests the runner with a fake QEMU that can misbehave in every way. test/e2e uses the real one. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineSplitter } from '../lib/lines.js';
import { fakePorts, fakeRequest, noLimits } from '../test/support/machine.js';
import type { BootPorts, BootRequest, RunningMachine } from './boot-request.js';
import { boot } from './runner.js';
import type { BootResult } from './types.js';

const recording = (name: string): string =>
  fileURLToPath(new URL(`../test/fixtures/console/${name}.log`, import.meta.url));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'runner-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const request = (steps: readonly string[], different?: Partial<BootRequest>): BootRequest =>
  fakeRequest(directory, steps, different);

async function run(
  steps: readonly string[],
  different: Partial<BootRequest> = {},
  ports: Partial<BootPorts> = {},
): Promise<BootResult> {
  return boot(request(steps, different), { ...fakePorts(), ...ports });
}
function byLine(onLine: (line: string) => void): BootPorts['onEvents'] {
  const lines = new LineSplitter(onLine);
  return (bytes) => lines.push(bytes);
}

const passing = [
  'console=stopwatch: test: stopwatch\\nKTAP version 1\\n1..1\\nok 1 a\\nstopwatch: result: stopwatch pass\\n',
];
const uart = (code: number): string =>
  `event=memory_region_ops_write cpu 0 mr 0x1 addr 0x9000000 value 0x${code.toString(16)} size 2 name 'pl011'`;
/** Commands of processes that still have this text in their arguments. */
function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    })
    .filter((command) => command.includes(text));
}

describe('boot', () => {
  it('passes on what was printed and traced, raw to the logs and by lines to the caller', async () => {
    const lines: string[] = [];
    const events: string[] = [];
    const result = await run(
      ['qmp', ...passing, 'event=stopwatch_end seq=0 now=1', 'stderr=a warning', 'shutdown=guest-shutdown'],
      {},
      { onConsoleLine: (line) => lines.push(line), onEvents: byLine((line) => events.push(line)) },
    );
    expect(result).toMatchObject({
      outcome: 'passed',
      reason: '1 tests passed',
      suites: [{ id: 'stopwatch', result: 'pass' }],
      qemuMessages: ['a warning'],
      qemuExit: { code: 0 },
    });
    expect(lines).toEqual([
      'stopwatch: test: stopwatch',
      'KTAP version 1',
      '1..1',
      'ok 1 a',
      'stopwatch: result: stopwatch pass',
    ]);
    expect(events).toEqual(['stopwatch_end seq=0 now=1']);
    expect(readFileSync(join(directory, 'console.log'), 'utf8')).toBe(
      'stopwatch: test: stopwatch\nKTAP version 1\n1..1\nok 1 a\nstopwatch: result: stopwatch pass\n',
    );
    expect(readFileSync(join(directory, 'events.log'), 'utf8')).toBe('stopwatch_end seq=0 now=1\n');
    expect(readFileSync(join(directory, 'qemu.log'), 'utf8')).toBe('a warning\n');
    expect(readdirSync(directory).sort()).toEqual(['console.log', 'events.log', 'qemu.log']);
  });

  it.each<[string, readonly string[], Partial<BootRequest['limits']>, Partial<BootResult>]>([
    [
      'a panic that ends the machine',
      ['qmp', `file=${recording('oops')}`, 'shutdown=guest-reset'],
      {},
      { outcome: 'panicked' },
    ],
    [
      'a panic after which the kernel stays',
      ['qmp', `file=${recording('bug')}`, 'idle'],
      {},
      { outcome: 'panicked' },
    ],
    ['silence from the start', ['qmp', 'idle'], { firstOutputSeconds: 0.5 }, { outcome: 'silent' }],
    [
      'a hang',
      ['qmp', `file=${recording('hung-after-one')}`, 'idle'],
      { firstOutputSeconds: 60, silenceSeconds: 0.5 },
      { outcome: 'hung' },
    ],
    ['no end', ['qmp', ...passing, 'idle'], { totalSeconds: 1 }, { outcome: 'hung' }],
    ['an early end', ['qmp', 'console=hello\\n', 'shutdown=guest-shutdown'], {}, { outcome: 'exited-early' }],
    [
      'a QEMU that refuses its arguments',
      ['stderr=qemu: bad option', 'exit=1'],
      {},
      { outcome: 'qemu-died', reason: 'QEMU ended with exit code 1: qemu: bad option' },
    ],
    [
      'a QEMU that crashes',
      ['qmp', ...passing, 'crash', 'idle'],
      {},
      {
        outcome: 'qemu-died',
        reason: 'QEMU ended with signal SIGABRT',
        qemuExit: { code: undefined, signal: 'SIGABRT' },
      },
    ],
    [
      'a QEMU that does not speak QMP',
      ['garbage', 'wait=200', 'idle'],
      { totalSeconds: 1 },
      { outcome: 'silent' },
    ],
    ['a QEMU without QMP', ['idle'], { totalSeconds: 0.7 }, { outcome: 'silent' }],
    [
      'a QEMU that will not go',
      ['qmp', ...passing, 'child', 'stubborn'],
      { silenceSeconds: 1 },
      { outcome: 'hung' },
    ],
  ])('recognises and ends: %s', async (_name, steps, limits, expected) => {
    const result = await run(steps, { limits: { ...noLimits, ...limits } });
    expect(result).toMatchObject(expected);
    expect(processesWith(directory)).toEqual([]);
    expect(readdirSync(directory).sort()).toEqual(['console.log', 'events.log', 'qemu.log']);
  });

  it('says why a QEMU could not be started', async () => {
    const { parts } = request([]);
    const files = { ...parts.files, qemu: join(directory, 'missing') };
    const result = await run([], { parts: { ...parts, files } });
    expect(result.outcome).toBe('qemu-died');
    expect(result.reason).toContain(`QEMU could not be started: The program ${join(directory, 'missing')}`);
  });

  it('is interrupted at any moment', async () => {
    const before = await run(['qmp', 'idle'], {}, { interrupt: AbortSignal.abort() });
    expect(before.outcome).toBe('interrupted');
    const controller = new AbortController();
    const during = await run(
      ['qmp', 'console=x\\n', 'idle'],
      {},
      {
        interrupt: controller.signal,
        onConsoleLine: () => controller.abort(),
      },
    );
    expect(during.outcome).toBe('interrupted');
    expect(processesWith(directory)).toEqual([]);
  });

  it('is stopped by the caller, in good order', async () => {
    let machine: RunningMachine | undefined;
    const result = await run(
      ['qmp', 'event=stopwatch_one id=stopwatch', 'idle'],
      {},
      {
        onStart: (started) => {
          machine = started;
        },
        onEvents: () => machine?.stop('the device and the model differ'),
      },
    );
    expect(result).toMatchObject({
      outcome: 'stopped',
      reason: 'the device and the model differ',
      qemuExit: { code: 0, signal: undefined },
    });
  });

  it('sends input to the console', async () => {
    let machine: RunningMachine | undefined;
    const result = await run(
      ['qmp', 'console=$ ', 'echo'],
      { input: true },
      {
        onStart: (started) => {
          machine = started;
          machine.send('pwd\n');
        },
        onConsoleLine: (line) => machine?.quit(`saw ${line}`),
      },
    );
    expect(result).toMatchObject({ outcome: 'ended', reason: expect.stringContaining('pwd') });
  });

  it('ends the machine when the caller’s own code throws, and passes that on', async () => {
    const failing = run(
      ['qmp', 'event=stopwatch_one id=stopwatch', 'idle'],
      {},
      {
        onEvents: () => {
          throw new Error('a bug in the checker');
        },
      },
    );
    await expect(failing).rejects.toThrow('a bug in the checker');
    expect(processesWith(directory)).toEqual([]);
  });

  it('works below a path that is too long for a socket', async () => {
    const deep = join(directory, 'x'.repeat(100));
    mkdirSync(deep);
    const result = await run(['qmp', ...passing, 'shutdown=guest-shutdown'], { directory: deep });
    expect(result.outcome).toBe('passed');
    expect(readdirSync(deep)).toEqual([]);
  });

  it('rejects when a log cannot be written', async () => {
    const logs = { console: '/dev/full', events: join(directory, 'e'), qemu: join(directory, 'q') };
    await expect(run(['qmp', ...passing, 'idle'], { logs })).rejects.toMatchObject({
      code: 'disk-full',
      message: 'Cannot write /dev/full',
    });
    expect(processesWith(directory)).toEqual([]);
  });

  it('keeps what is about the devices, puts the console between, and saves what QEMU says of the guest', async () => {
    const region =
      "memory_region_ops_write cpu 0 mr 0x2 addr 0xc000000 value 0x1 size 8 name 'stopwatch-regs'";
    const result = await run([
      'qmp',
      ...[0x6f, 0x6b, 0x0a].map(uart),
      `event=${region}`,
      'event=stopwatch: a bad access',
      'shutdown=guest-shutdown',
    ]);
    expect(result.dropped.lines).toBe(3);
    expect(readFileSync(join(directory, 'events.log'), 'utf8')).toBe(`console 3: ok\n${region}\n`);
    expect(readFileSync(join(directory, 'qemu.log'), 'utf8')).toBe('stopwatch: a bad access\n');
  });

  it('ends a guest whose kernel went wrong and whose test does not go on', async () => {
    const bug = '[    1.000000] BUG: scheduling while atomic: init/1/0x00000002\\n';
    const result = await run([
      'qmp',
      `console=stopwatch: test: stopwatch\\nKTAP version 1\\n1..2\\nok 1 a\\n${bug}`,
      'idle',
    ]);
    expect(result).toMatchObject({ outcome: 'hung', splats: [{ test: { id: 'stopwatch', results: 1 } }] });
    expect(result.reason).toMatch(/^BUG: scheduling while atomic: .*; no test result in the 5 s after it/);
  });

  it('ends a guest that prints without an end', async () => {
    const sizes = { console: 1000, events: 1000 };
    const result = await run(['qmp', `console=${'spam\\n'.repeat(300)}`, 'idle'], { sizes });
    expect(result).toMatchObject({ outcome: 'flooded' });
    const traced = Array.from({ length: 30 }, () => `event=stopwatch_x ${'x'.repeat(50)}`);
    expect((await run(['qmp', ...traced, 'idle'], { sizes })).outcome).toBe('flooded');
  });

  it('notices a QEMU that does not listen any more', async () => {
    const result = await run(['qmp', 'stubborn', 'idle'], { limits: { ...noLimits, totalSeconds: 1 } });
    expect(result.unresponsive).toBe(true);
  });

  it('loses no event, however many come at once and however soon QEMU ends', async () => {
    const events: string[] = [];
    const many = Array.from(
      { length: 400 },
      (_, index) => `event=stopwatch_x ${`${index} `.padEnd(200, 'x')}`,
    );
    await run([...many, 'exit=0'], {}, { onEvents: byLine((line) => events.push(line)) });
    expect(events.length).toBe(400);
    expect(events.map((line) => Number.parseInt(line.slice(12), 10))).toEqual([...events.keys()]);
  });
});
