// SPDX-License-Identifier: MIT
/**
 * The cross-check of the stopwatch on streams in test/fixtures/crosscheck:
 * qemu-* were recorded from the C device under qtest, linux-run in a booted
 * Linux with the guest's test (other regions' lines left out), both before version
 * 4 of the contract, whose events and fields were added; good was written by TraceWriter, and the others are good, falsified by hand.
 */
import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Crosscheck, formatVerdict, type CheckOptions, type Verdict } from '../../../vm/crosscheck/index.js';
import { stopwatchChecker } from './checker.js';

const directory = join(import.meta.dirname, '../../../test/fixtures/crosscheck');
const MONITOR = { accesses: {}, interrupt: 144 } as const;

async function verdictOf(
  name: string,
  { console, ...options }: CheckOptions & { readonly console?: string } = { monitor: MONITOR },
  slackNs = 0n,
): Promise<Verdict> {
  const guest = console !== undefined;
  const crosscheck = new Crosscheck(stopwatchChecker({ slackNs }), { ...options, guest });
  const lines = guest ? (await readFile(console, 'utf8')).split(/\r?\n/) : [];
  lines.forEach((line) => crosscheck.consoleLine(line));
  for await (const chunk of createReadStream(join(directory, `${name}.trace`))) crosscheck.feed(chunk);
  return crosscheck.end();
}

/** Streams whose device does not do what the model does, with the access at which it shows. */
const DIFFER = {
  'wrong-status': {
    kind: 'field',
    seq: '20',
    register: 'STATUS',
    field: 'read.value',
    expected: '0',
    actual: '1',
  },
  'pause-forgets': {
    kind: 'field',
    seq: '22',
    register: 'COMMAND',
    field: 'state.elapsed',
    expected: '1501000000',
    actual: '0',
  },
  'busy-rearms': {
    kind: 'field',
    seq: '39',
    register: 'COMMAND',
    field: 'state.deadline',
    expected: '4860000000',
    actual: '5870000000',
  },
  'text-rounded': {
    kind: 'field',
    seq: '25',
    field: 'text.text',
    expected: '1.50 seconds',
    actual: '1.51 seconds',
  },
  'irq-low-forgotten': { kind: 'event', seq: '46', field: 'event', expected: 'irq', actual: 'state' },
  'early-by-1ms': {
    kind: 'early',
    seq: '41',
    field: 'timer.now',
    expected: 'not before 4860000000',
    actual: '4859000000',
  },
  'late-by-20us': { kind: 'late', seq: '41', field: 'timer.now', actual: '4860020000' },
  'expiry-missing': {
    kind: 'missing',
    seq: '41',
    register: 'TIMEOUT_COUNT',
    expected: 'the expiry due at 4860000000',
  },
  'monitor-value': { kind: 'monitor', seq: '4', register: 'ID', field: 'monitor.read' },
  'monitor-hidden-write': { kind: 'monitor', field: 'monitor.write', actual: 'nothing' },
  'monitor-unseen-read': { kind: 'monitor', field: 'monitor.read', expected: 'nothing' },
  'monitor-irq-stuck': {
    kind: 'monitor',
    field: 'monitor.interrupt',
    expected: 'nothing',
    actual: 'low at seq 46',
  },
} as const;

/** Streams that prove nothing. */
const INVALID = {
  gap: { reason: 'gap', expected: '21', got: '22' },
  'events-swapped': { reason: 'gap', expected: '18', got: '22' },
  'no-end': { reason: 'no-end', lastSeq: '62' },
  'after-end': { reason: 'after-end' },
  truncated: { reason: 'truncated', line: 'stopwatch_end id=stopwatch seq=63 no' },
  unparsable: { reason: 'unparsable', lineNumber: 28 },
  'starts-late': { reason: 'no-start' },
  'monitor-silent': { reason: 'monitor-silent', monitor: 'accesses', unseen: 26 },
} as const;

const AGREE = ['good', 'qemu-gicv2', 'qemu-gicv3', 'linux-run'] as const;

describe('streams that agree', () => {
  it.each(AGREE)('%s', async (name) => {
    const verdict = await verdictOf(name);
    expect(verdict).toMatchObject({ result: 'agree', invalid: [] });
    expect(verdict).not.toHaveProperty('divergence');
    const { reads = 0, writes = 0, irqs = 0 } = verdict.counts;
    expect(verdict.confirmed).toBe(reads + writes + irqs);
    expect(verdict.checked).toBeGreaterThan(verdict.supplied);
  });

  it('counts what it has checked', async () => {
    expect(await verdictOf('good')).toMatchObject({
      events: 64,
      kinds: {
        reset: 1,
        read: 11,
        write: 15,
        mem: 1,
        text: 2,
        timer: 2,
        irq: 4,
        error: 3,
        state: 18,
        page: 5,
        ring: 1,
        end: 1,
      },
      counts: {
        resets: 1,
        pages: 5,
        reads: 11,
        writes: 15,
        commands: 12,
        texts: 2,
        interrupts: 2,
        irqs: 4,
        rejected: 3,
      },
      confirmed: 30,
    });
  });

  it('agrees three ways on a run of Linux with icount: device, QEMU, guest, to the nanosecond', async () => {
    const console = join(directory, 'linux-run.console');
    expect(await verdictOf('linux-run', { monitor: MONITOR, console })).toMatchObject({
      result: 'agree',
      events: 1051,
      confirmed: 560,
      observed: 68,
      counts: { commands: 144, texts: 26, interrupts: 2, rejected: 85 },
    });
  });

  it('may be late within the slack, and no further', async () => {
    expect((await verdictOf('late-by-20us', {}, 20_000n)).result).toBe('agree');
    expect((await verdictOf('late-by-20us', {}, 19_999n)).divergence).toMatchObject(DIFFER['late-by-20us']);
    expect((await verdictOf('qemu-late-by-15ns', {}, 15n)).result).toBe('agree');
    expect((await verdictOf('qemu-late-by-15ns', {}, 14n)).divergence?.kind).toBe('late');
  });
});

describe('streams that differ', () => {
  it.each(Object.entries(DIFFER))('%s', async (name, divergence) => {
    const verdict = await verdictOf(name, { monitor: MONITOR, replay: 'npx stopwatch crosscheck x' });
    expect(verdict).toMatchObject({ result: 'differ', divergence, invalid: [] });
    const { last = [], replay, states } = verdict.divergence ?? {};
    expect(replay).toBe('npx stopwatch crosscheck x');
    expect(last.length).toBeLessThanOrEqual(32);
    expect(last.at(-1)).toContain(` seq=${verdict.divergence?.seq} `);
    expect(Object.keys(states?.model ?? {})).toEqual([
      'status',
      'elapsed',
      'timeout',
      'deadline',
      'count',
      'error',
    ]);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  });

  it('shows the state as the device reports it after the access', async () => {
    const pause = (await verdictOf('pause-forgets')).divergence?.states;
    expect(pause?.device).toEqual({ ...pause?.model, elapsed: '0 ns' });
    // The expiry itself is refused: the state that the device reports comes later in the stream.
    const early = (await verdictOf('early-by-1ms')).divergence?.states;
    expect([early?.model['timeout'], early?.device?.['timeout']]).toEqual(['PENDING', 'FIRED']);
  });

  it('keeps counting events after the first difference', async () => {
    const [whole, stopped] = [await verdictOf('good'), await verdictOf('monitor-value')];
    expect([stopped.events, stopped.kinds]).toEqual([whole.events, whole.kinds]);
    expect(stopped.checked).toBeLessThan(whole.checked);
  });
});

describe('streams that are no evidence', () => {
  it.each(Object.entries(INVALID))('%s', async (name, reason) => {
    const verdict = await verdictOf(name);
    expect(verdict.result).toBe('invalid');
    expect(verdict.invalid[0]).toMatchObject(reason);
    expect(verdict).not.toHaveProperty('divergence');
  });

  it('an empty stream', () => {
    const verdict = new Crosscheck(stopwatchChecker({ slackNs: 0n })).end();
    expect(verdict).toMatchObject({
      result: 'invalid',
      events: 0,
      invalid: [{ reason: 'no-end', lastSeq: 'none' }],
    });
  });

  it('too few events of a kind', async () => {
    expect((await verdictOf('good', { atLeast: { commands: 12, interrupts: 2 } })).result).toBe('agree');
    expect(await verdictOf('good', { atLeast: { commands: 13, loads: 1 } })).toMatchObject({
      result: 'invalid',
      invalid: [
        { reason: 'too-few', what: 'commands', needed: 13, got: 12 },
        { reason: 'too-few', what: 'loads', needed: 1, got: 0 },
      ],
    });
  });

  it('an interrupt that the controller should have seen', async () => {
    const verdict = await verdictOf('good', { monitor: { interrupt: 145 } });
    expect(verdict.invalid).toEqual([{ reason: 'monitor-silent', monitor: 'interrupts', unseen: 4 }]);
  });

  it('has a test for every fixture', () => {
    const names = readdirSync(directory).flatMap((name) =>
      name.endsWith('.trace') ? [name.replace('.trace', '')] : [],
    );
    const tested = [...AGREE, ...Object.keys(DIFFER), ...Object.keys(INVALID), 'qemu-late-by-15ns'];
    expect(names.sort()).toEqual(tested.sort());
  });
});

describe('the guest’s console', () => {
  const console = join(directory, 'good.console');
  const text = readFileSync(console, 'utf8');

  function withConsole(edit: (text: string) => string): Verdict {
    const crosscheck = new Crosscheck(stopwatchChecker({ slackNs: 0n }), { guest: true });
    crosscheck.feed(readFileSync(join(directory, 'good.trace')));
    for (const line of edit(text).split('\r\n')) crosscheck.consoleLine(line);
    return crosscheck.end();
  }

  it('agrees', async () => {
    expect(await verdictOf('good', { monitor: MONITOR, console })).toMatchObject({
      result: 'agree',
      observed: 8,
    });
    expect(withConsole((all) => all)).toMatchObject({ result: 'agree', observed: 8 });
  });

  it.each([
    [
      'a text that was never written',
      'text=1.75',
      'text=1.76',
      'guest.text',
      '1.76 seconds (number 2 printed)',
    ],
    ['texts in another order', 'text=1.50', 'text=1.75', 'guest.text', '1.75 seconds (number 2 printed)'],
    ['a status that was never read', 'status=2', 'status=7', 'guest.status', '7 (number 3 printed)'],
    [
      'a count of interrupts that goes back',
      'interrupts=2',
      'interrupts=0',
      'guest.interrupts',
      '0 (number 3 printed)',
    ],
    ['fewer interrupts at the end', 'interrupts=2', 'interrupts=1', 'guest.interrupts', '1 at the end'],
  ])('differs: %s', (_, from, to, field, actual) => {
    const verdict = withConsole((all) => all.replace(from, to));
    expect(verdict).toMatchObject({ result: 'differ', divergence: { kind: 'guest', field, actual } });
  });

  it.each([
    ['says nothing', (all: string) => all.replaceAll('# ', ''), { reason: 'guest-silent' }],
    [
      'caused more than was seen',
      (all: string) => all.replace('texts=2', 'texts=3'),
      { reason: 'too-few', what: 'texts', needed: 3, got: 2 },
    ],
    [
      'cannot be read',
      (all: string) => all.replace('interrupts=1\r', 'interrupts=1[  1.0] oops\r'),
      { reason: 'guest-unreadable' },
    ],
    [
      'has an unknown channel',
      (all: string) => all.replace('text=1.50', 'colour=1.50'),
      { reason: 'guest-unreadable' },
    ],
  ])('is no evidence: %s', (_, edit, reason) => {
    const verdict = withConsole(edit);
    expect(verdict).toMatchObject({ result: 'invalid', invalid: [reason] });
  });
});

describe('the words', () => {
  it('say which access, what was expected, both states, the last events, and how to judge again', async () => {
    const lines = formatVerdict(
      await verdictOf('pause-forgets', { replay: 'npx stopwatch crosscheck saved.trace' }),
    );
    const all = lines.join('\n');
    expect(lines[0]).toMatch(
      /^The device and the model differ at seq 22, write COMMAND = 2 \(PAUSE\), 8 bytes/,
    );
    expect(all).toContain('  compared  state.elapsed\n  expected  1501000000\n  actual    0\n');
    expect(all).toMatch(/^! elapsed +1501000000 ns +1501000000 ns +0 ns$/m);
    expect(all).toMatch(/^> .* seq 21 .* write COMMAND = 2 \(PAUSE\), 8 bytes → PAUSED$/m);
    expect(lines.at(-1)).toBe('Recheck this stream without a VM: npx stopwatch crosscheck saved.trace');
  });
  it.each(Object.keys(INVALID))('say why a stream is no evidence: %s', async (name) => {
    const [first, ...rest] = formatVerdict(await verdictOf(name));
    expect(first).toMatch(/^The evidence is invalid: \S/);
    expect(rest.join('\n')).not.toContain('undefined');
  });
});
