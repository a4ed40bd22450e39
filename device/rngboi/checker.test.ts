// SPDX-License-Identifier: MIT
/** rngboi's checker and model: trace lines in, verdict out. */
import { describe, expect, it } from 'vitest';
import { Crosscheck, type Verdict } from '../../vm/device-kit.js';
import { rngboiChecker } from './checker.js';
import { nextWord } from './contract.js';
import { device } from './device.js';
import { TRACE, type TraceEvent } from './trace.js';

type Event<E = TraceEvent> = E extends unknown ? Omit<E, 'id' | 'seq' | 'now'> : never;
const lines = (events: readonly Event[], first = 0n): string[] =>
  events.map((event, index) => TRACE.format({ ...event, id: 'boi', seq: first + BigInt(index), now: 7n }));

const reset = (seed: bigint): Event => ({ event: 'reset', seed });
const read = (value: bigint, offset = 0n, size = 4): Event => ({ event: 'read', offset, value, size });
const write = (offset: bigint, size: number): Event => ({ event: 'write', offset, value: 3n, size });
const load = (state: bigint): Event => ({ event: 'load', state });
const REFUSED: Event = { event: 'refused' };
const END: Event = { event: 'end' };

const SEED = 1337n;
const FIRST = nextWord(SEED);
const SECOND = nextWord(FIRST.state);
const [A, B] = [FIRST.word, SECOND.word];

function verdictOf(
  stream: readonly string[],
  seed: bigint | undefined,
  console: readonly string[] = [],
): Verdict {
  const guest = console.length > 0;
  const crosscheck = new Crosscheck(rngboiChecker({ seed }), { id: 'boi', guest });
  for (const line of stream) crosscheck.feed(`${line}\n`);
  for (const line of console) crosscheck.consoleLine(line);
  return crosscheck.end();
}

describe('with a seed', () => {
  it('checks every word', () => {
    const verdict = verdictOf(lines([reset(SEED), read(A), read(B), END]), SEED);
    expect(verdict).toMatchObject({ result: 'agree', checked: 3, counts: { resets: 1, reads: 2 } });
  });

  it('finds a wrong word, and says which', () => {
    const verdict = verdictOf(lines([reset(SEED), read(A), read(B ^ 1n), END]), SEED);
    expect(verdict.divergence).toMatchObject({
      kind: 'field',
      seq: '2',
      register: 'RNG0',
      access: 'read RNG0, 4 bytes',
      field: 'read.value',
      expected: `0x${B.toString(16)}`,
      actual: `0x${(B ^ 1n).toString(16)}`,
      states: { before: { state: `0x${FIRST.state.toString(16)}` } },
    });
  });

  it('finds another seed than the one it was given, and takes it from the trace if it was given none', () => {
    const stream = lines([reset(SEED), read(A), END]);
    expect(verdictOf(stream, 5n).divergence).toMatchObject({ field: 'reset.seed', expected: '0x5' });
    expect(verdictOf(stream, undefined)).toMatchObject({ result: 'agree', checked: 1 });
  });

  it('starts again from the seed at a machine reset', () => {
    expect(verdictOf(lines([reset(SEED), read(A), reset(SEED), read(A), END]), SEED).result).toBe('agree');
    expect(verdictOf(lines([reset(SEED), read(A), reset(SEED), read(B), END]), SEED).result).toBe('differ');
  });
});

describe('without a seed', () => {
  it('takes the words as they are', () => {
    const verdict = verdictOf(lines([reset(0n), read(0x1234n), read(0xffff_ffffn), END]), 0n);
    expect(verdict).toMatchObject({ result: 'agree', checked: 1, supplied: 10, counts: { reads: 2 } });
  });

  it('has no state to be loaded', () => {
    const verdict = verdictOf(lines([reset(0n), load(1n), END]), 0n);
    expect(verdict.divergence).toMatchObject({ field: 'load.state' });
  });
});

describe('a refused access', () => {
  it.each([
    ['a write', write(0n, 4)],
    ['a read of 8 bytes', read(0n, 0n, 8)],
    ['a read of 2 bytes', read(0n, 0n, 2)],
    ['a read elsewhere', read(0n, 4n)],
    ['an unaligned read', read(0n, 1n)],
  ])('%s: reads 0, and takes no word', (_what, access) => {
    const verdict = verdictOf(lines([reset(SEED), access, REFUSED, read(A), END]), SEED);
    expect(verdict).toMatchObject({ result: 'agree', counts: { refused: 1, reads: 1 } });
    // The device does not say that it refused it.
    expect(verdictOf(lines([reset(SEED), access, read(A), END]), SEED).divergence).toMatchObject({
      kind: 'event',
      expected: 'refused',
    });
  });

  it('must read 0', () => {
    const stream = lines([reset(SEED), read(A, 0n, 8), REFUSED, END]);
    expect(verdictOf(stream, SEED).divergence).toMatchObject({ field: 'read.value', expected: '0x0' });
  });

  it('must be one', () => {
    const stream = lines([reset(SEED), read(A), REFUSED, END]);
    expect(verdictOf(stream, SEED).divergence).toMatchObject({ kind: 'event', actual: 'refused' });
  });
});

describe('a saved and loaded device', () => {
  const before = lines([reset(SEED), read(A), load(FIRST.state), read(B), END]);
  it('goes on with the next word', () => {
    expect(verdictOf(before, SEED)).toMatchObject({ result: 'agree', counts: { loads: 1 } });
  });
  it('may be another one, whose state is taken from the trace', () => {
    const stream = [...lines([reset(SEED)]), ...lines([load(FIRST.state), read(B), END], 40n)];
    expect(verdictOf(stream, SEED).result).toBe('agree');
  });
});

describe('what the guest printed', () => {
  const stream = lines([reset(SEED), read(A), read(B), END]);
  const words = [A, B].map((word) => `0x${word.toString(16).padStart(8, '0')}`);
  it('is some of the words, in order', () => {
    const verdict = verdictOf(stream, SEED, [`# observe word=${words[1]}`, '# caused reads=1']);
    expect(verdict).toMatchObject({ result: 'agree', observed: 1 });
  });
  it.each([
    ['a word that nobody read', ['# observe word=0x00000000', '# caused reads=1'], 'guest.word'],
    ['the wrong order', words.toReversed().map((word) => `# observe word=${word}`), 'guest.word'],
  ])('is not %s', (_what, console, field) => {
    const verdict = verdictOf(stream, SEED, [...console, '# caused reads=1']);
    expect(verdict.divergence).toMatchObject({ kind: 'guest', field });
  });
  it('cannot be more than there was', () => {
    expect(verdictOf(stream, SEED, ['# caused reads=3']).invalid).toEqual([
      { reason: 'too-few', what: 'reads', needed: 3, got: 2 },
    ]);
  });
});

describe('the device', () => {
  it('has its checker know the seed that QEMU was given', () => {
    const checker = device.checker?.({ slackNs: 0, properties: device.description.properties });
    if (checker === undefined) throw new Error('no checker');
    const crosscheck = new Crosscheck(checker, { id: 'boi' });
    crosscheck.feed(`${lines([reset(5n), END]).join('\n')}\n`);
    expect(crosscheck.end().divergence).toMatchObject({ field: 'reset.seed', expected: '0x539' });
  });
});
