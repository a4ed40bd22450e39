// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { Exchange, Plan } from '../../../lab/search/plan.js';
import { COMMAND, NS_PER_S, REGISTERS } from '../contract/contract.js';
import { step } from '../model/index.js';
import { makeScript } from './generate.js';
import type { Operation, Script } from './script.js';
import { type Moment, observedRegisters, planOf } from './plan.js';

const SECOND = Number(NS_PER_S);
const base = 1000n;
const plan = (...operations: Operation[]): Plan => planOf({ startAtBoot: true, operations }, { base });
const exchanges = ({ steps }: Plan): Exchange[] => steps.filter((one) => one.kind === 'exchange');
/** What stands in the answers to one operation, interrupts included. */
const answers = (from: Plan, operation: number): string[] =>
  exchanges(from).flatMap(({ expect: text, ends, operations }) =>
    ends.flatMap((end, index) =>
      operations[index] === operation
        ? text
            .slice(ends[index - 1] ?? 0, end)
            .trimEnd()
            .split('\n')
        : [],
    ),
  );
const registers = (from: Plan, operation: number): Readonly<Record<string, bigint>> =>
  answers(from, operation)
    .map(observedRegisters)
    .findLast((found) => found !== undefined) ?? {};

const arm = (at: number, ns: bigint): Operation => ({
  at,
  op: 'write',
  region: 'regs',
  offset: 0x30,
  width: 8,
  value: ns,
});

const command = (at: number, value: bigint): Operation => ({
  at,
  op: 'write',
  region: 'regs',
  offset: 0,
  width: 8,
  value,
});
/** Of the last answers to so many operations. */
const lengths = (from: Plan, count: number): number[] =>
  Array.from(
    { length: count },
    (_, operation) => Buffer.from(answers(from, operation).at(-1) ?? '', 'base64').length,
  );

/** Runs out of `mem` by half, or ends with it. */
const over = (at: number, width: 4 | 8, value: bigint): Operation => ({
  at,
  op: 'write',
  region: 'mem',
  width,
  value,
  offset: 0x10000 - 4,
});

/** Two thirds of them eventful; the others are cut short. */
const some = (count: number): Script[] =>
  Array.from({ length: count }, (_, index) => {
    const { startAtBoot, operations } = makeScript(5, index, index % 3 !== 0);
    return { startAtBoot, operations: operations.slice(0, 200) };
  });

describe('a plan', () => {
  it('observes after each operation what the model reads in every register', () => {
    for (const script of some(6)) {
      const moments: [number, Moment][] = [];
      const made = planOf(script, { base, each: (index, moment) => moments.push([index, moment]) });
      expect(moments.length).toBe(script.operations.length + 2);
      for (const [index, { now, state }] of moments) {
        const seen = registers(made, index);
        // COMMAND and DOORBELL read 0, which says nothing.
        for (const { name, offset } of REGISTERS.filter(({ access }) => access !== 'W')) {
          const result = step(state, { stimulus: 'read', now, offset: BigInt(offset), size: 8 });
          const value =
            result.ok && result.effects[0]?.effect === 'value' ? result.effects[0].value : undefined;
          expect([name, seen[name]]).toEqual([name, value]);
        }
      }
    }
  });

  it('has one answer for each command, and the same bytes every time', () => {
    for (const script of some(20)) {
      const made = planOf(script, { base });
      for (const { send, expect: text, ends } of exchanges(made)) {
        expect(send.split('\n').length - 1).toBe(ends.length);
        const lines = text.split('\n').slice(0, -1);
        expect(lines.filter((line) => !line.startsWith('IRQ ')).length).toBe(ends.length);
        expect(text.length).toBe(ends.at(-1) ?? 0);
      }
      expect(planOf(script, { base })).toEqual(made);
    }
  });

  it('has the expiry at its deadline while the clock is stepped over it', () => {
    const made = plan(arm(0, 5n), { at: 20, op: 'tick' });
    // An early timer would raise the line before the first answer, a late one after the second.
    const stops = ['OK 1004', 'IRQ raise 0', 'OK 1005', 'OK 1020'];
    expect(answers(made, 1).slice(0, 4)).toEqual(stops);
    expect(registers(made, 1)).toMatchObject({ TIMEOUT_COUNT: 1n, TIMEOUT_NS: 0n, ELAPSED_NS: 20n });
  });

  it('has it at the next access when the VM is stopped, and at the latest when it goes on', () => {
    const access = plan(arm(0, 5n), { at: 1, op: 'stop' }, { at: 20, op: 'tick' });
    expect(answers(access, 2).slice(0, 2)).toEqual(['OK 1020', 'IRQ raise 0']);
    const on = plan(arm(0, 5n), { at: 1, op: 'stop' }, { at: 20, op: 'cont' });
    expect(answers(on, 2)[0]).toBe('OK 1020');
    expect(answers(on, 2)[1]).toBe('IRQ raise 0');
  });

  it('has a high line rise in the process that it is loaded into', () => {
    const made = plan(arm(0, 5n), { at: 20, op: 'tick' }, { at: 30, op: 'reload' });
    expect(made.steps).toContainEqual({ kind: 'reload', operation: 2, now: 1030n });
    expect(answers(made, 2)[0]).toBe('IRQ raise 0');
    expect(registers(made, 2)).toMatchObject({ TIMEOUT_COUNT: 1n, ELAPSED_NS: 30n });
  });

  it('goes from mem into the registers with the part of an access that runs over', () => {
    // The upper half is a 4-byte write of PAUSE to COMMAND.
    const paused = plan(over(0, 8, 2n << 32n), { at: SECOND, op: 'tick' });
    expect(registers(paused, 1)).toMatchObject({ STATUS: 2n, ELAPSED_NS: 0n });
    expect(registers(plan(over(0, 4, 2n)), 0)).toMatchObject({ STATUS: 0n, ERROR: 0n });
  });

  it('splits what runs over the end of the registers into powers of two', () => {
    const made = plan({ at: 0, op: 'read', region: 'regs', offset: 0xffd, width: 8 });
    expect(answers(made, 0)[0]).toBe('OK 0x0000000000000000');
    expect(registers(made, 0)).toMatchObject({ ERROR: 16n });
  });

  it('compares what an operation changes in mem, and its neighbours in turn', () => {
    const made = plan(command(32, COMMAND.PAUSE), command(33, COMMAND.LAP), command(34, COMMAND.UPDATE));
    const seen = (operation: number): Buffer =>
      Buffer.from(answers(made, operation).at(-1)?.slice(3) ?? '', 'base64');
    // 1032 ns are 64 ticks, 1000 ns are 62.
    expect([
      seen(0).readUInt32LE(0x0c),
      seen(0).readBigUInt64LE(0x28),
      seen(0).readBigUInt64LE(0x30),
    ]).toEqual([4, 32n, 64n]);
    expect([seen(1).readBigUInt64LE(0), seen(1).readBigUInt64LE(8), seen(1).readBigUInt64LE(0x10)]).toEqual([
      1n,
      64n,
      32n,
    ]);
    expect(seen(2).toString('latin1', 8, 20)).toBe('0.00 seconds');
    // The two rings have the same length.
    const ticks = [1, 2, 3, 4].map((at): Operation => ({ at, op: 'tick' }));
    expect(new Set(lengths(plan(...ticks), ticks.length)).size).toBe(3);
  });

  it('ends with all of mem and a machine reset that corruptts everything', () => {
    const made = plan({ at: 0, op: 'fill', region: 'mem', offset: 100, length: 50, byte: 7 }, arm(0, 5n), {
      at: 9,
      op: 'tick',
    });
    const end = answers(made, 3);
    expect(Buffer.from(end[0]?.slice(3) ?? '', 'base64').subarray(99, 151)).toEqual(
      Buffer.from([0, ...Array.from({ length: 50 }, () => 7), 0]),
    );
    expect(made.steps.at(-2)).toEqual({ kind: 'reset', operation: 3 });
    expect(end[2]).toBe('IRQ lower 0');
    expect(registers(made, 3)).toMatchObject({ STATUS: 0n, TIMEOUT_COUNT: 0n, ERROR: 0n, ELAPSED_NS: 0n });
    expect(made.end).toBe(1009n);
  });
});
