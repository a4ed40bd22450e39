// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import type { QmpAnswer } from '../qemu/qmp.js';
import { TraceFilter } from '../qemu/trace-filter.js';
import { ExitCounter } from './exits.js';
import { KvmCounter, kvmExits } from './kvm-exits.js';
import { benchMark } from './marks.js';
import { benchPlots, benchRows, benchTable, brokenBounds, spread } from './summary.js';

const operation = (region: string, address = '0x10'): string =>
  `memory_region_ops_read cpu 0 mr 0x55 addr ${address} value 0x0 size 4 name '${region}'\n`;
/** QEMU's trace of a line that the guest prints. */
const printed = (line: string): string =>
  Array.from(`${line}\r\n`)
    .map(
      (sign) =>
        `memory_region_ops_write cpu 0 mr 0x55 addr 0x9000000 value 0x${sign.charCodeAt(0).toString(16)} size 4 name 'pl011'\n`,
    )
    .join('');
const interrupt = (number: number, level: number): string =>
  `gic_set_irq irq ${number} level ${level} cpumask 0x1 target 0x1\n`;

function counted(...trace: readonly string[]): ExitCounter {
  const counter = new ExitCounter();
  const filter = new TraceFilter(
    { ids: ['lap'], prefixes: ['lap_'], observer: counter },
    () => {},
    (message) => {
      throw new Error(message.toString());
    },
  );
  const bytes = Buffer.from(trace.join(''));
  // Split in the middle of lines.
  for (let at = 0; at < bytes.length; at += 1000) filter.push(bytes.subarray(at, at + 1000));
  filter.end();
  return counter;
}

test.each([
  ['# bench begin elapsed/update', { kind: 'begin', row: 'elapsed/update' }],
  ['# bench skip laps/ring no such feature', { kind: 'skip', row: 'laps/ring', reason: 'no such feature' }],
  [
    '# bench end random/led/16 ops=4 ns=1000 bytes=16 exits=48/64',
    {
      kind: 'end',
      row: 'random/led/16',
      work: { operations: 4, ns: 1000, bytes: 16, expected: 0.75 },
    },
  ],
  ['# bench end a/b ops=0 ns=1', undefined],
  ['# bench end a/b ns=1', undefined],
  ['# bench end a/b ops=x ns=1', undefined],
  ['bench begin a/b', undefined],
])('%s', (line, mark) => {
  expect(benchMark(line)).toEqual(mark);
});

test('accesses and interrupts are counted between the marks of a row, by region', () => {
  const { found } = counted(
    operation('lap-regs'),
    printed('# bench begin elapsed/register'),
    interrupt(33, 1),
    operation('lap-regs'),
    operation('lap-regs'),
    operation('gic_cpu'),
    operation('virtio-mmio'),
    interrupt(144, 1),
    interrupt(144, 0),
    interrupt(27, 1),
    printed('# bench end elapsed/register ops=2 ns=10 exits=1'),
    operation('lap-regs'),
    printed('# bench begin never/ended'),
    operation('lap-regs'),
    printed('# bench begin elapsed/page'),
    printed('# bench end elapsed/page ops=2 ns=10 exits=0'),
    printed('# bench end never/begun ops=2 ns=10'),
  );
  expect(found.map(({ row, exits, regions }) => ({ row, exits, regions }))).toEqual([
    {
      row: 'elapsed/register',
      exits: { device: 3, controller: 1, interrupts: 1 },
      regions: { 'lap-regs': 2, gic_cpu: 1, 'virtio-mmio': 1 },
    },
    { row: 'elapsed/page', exits: { device: 0, controller: 0, interrupts: 0 }, regions: {} },
  ]);
});

const work = { operations: 10, ns: 1000, bytes: 64, expected: 16 };
const exits = { controller: 0, interrupts: 0 };

test.each([
  [160, true, []],
  [161, true, []],
  [170, false, ['random/led/64: expected 16 device exits per operation, counted 17 (led-regs 17)']],
  [159, true, []],
  [150, false, ['random/led/64: expected 16 device exits per operation, counted 15 (led-regs 15)']],
])('%i accesses in 10 operations that make 16 each: the bound holds: %s', (device, holds, words) => {
  const rows = benchRows(
    [],
    [
      {
        row: 'random/led/64',
        work,
        exits: { ...exits, device },
        regions: { 'led-regs': device },
      },
    ],
  );
  expect(rows[0]?.holds).toBe(holds);
  expect(brokenBounds(rows)).toEqual(words);
});

test('a single access breaks a bound of 0', () => {
  const none = { ...work, expected: 0, operations: 1000 };
  const [row] = benchRows(
    [],
    [{ row: 'elapsed/page', work: none, exits: { ...exits, device: 1 }, regions: {} }],
  );
  expect(row?.holds).toBe(false);
});

test('times of several rounds: their median and spread, and what follows', () => {
  const timed = [3000, 1000, 2000].map((ns) => ({ row: 'random/led/64', work: { ...work, ns } }));
  const rows = benchRows(timed, []);
  expect(rows[0]).toMatchObject({
    ns: { median: 200, low: 100, high: 300 },
    bytes: 64,
    bytesPerSecond: 320e6,
    exits: null,
    holds: null,
  });
  expect(benchTable(rows)[1]).toMatch(/^random\/led\/64 +200 +100 to 300 +320 +16$/);
  expect(benchPlots(rows)).toEqual([
    {
      title: 'random',
      x: { label: 'bytes', values: [64] },
      unit: 'ns per operation',
      series: [{ name: 'led', median: [200], low: [100], high: [300], exits: undefined }],
    },
  ]);
  expect(spread([4, 1])).toEqual({ median: 2.5, low: 1, high: 4 });
});

const answer = (value: number): QmpAnswer => ({
  ok: true,
  // As docs/interop/qmp has it: one entry per processor.
  value: [
    {
      provider: 'kvm',
      'qom-path': '/machine/unattached/device[0]',
      stats: [{ name: 'exits', value }],
    },
    { provider: 'kvm', 'qom-path': '/machine/unattached/device[1]', stats: [{ name: 'exits', value: 5 }] },
  ],
});

test("KVM's counters are read while a bench pauses, and summed over the processors", async () => {
  expect(kvmExits(answer(10))).toEqual({ exits: 15 });
  // TCG provides no statistics.
  expect(kvmExits({ ok: true, value: [] })).toBeUndefined();

  let [count, looks] = [100, 0];
  let onLook: (() => void) | undefined;
  const counter = new KvmCounter(async () => {
    looks += 1;
    onLook?.();
    return kvmExits(answer(count));
  });
  const look = async (): Promise<void> =>
    new Promise((resolve) => {
      onLook = resolve;
    });
  counter.line('# bench begin elapsed/register');
  await look();
  count = 116;
  await look();
  await look();
  // The exits of the console's own line come after the last reading.
  count = 170;
  counter.line('# bench end elapsed/register ops=16 ns=1');
  expect(counter.found).toEqual([{ row: 'elapsed/register', operations: 16, exits: { exits: 16 } }]);
  expect(looks).toBeGreaterThan(2);
});
