// SPDX-License-Identifier: MIT
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_BIT, REGISTERS, REGS_SIZE } from '../contract/contract.js';
import { decode } from './access.js';
import { describe as words, errorNames } from './describe.js';
import { ARRIVED, must, reach, valueAt, writeTo } from '../../../test/support/drive.js';
import type { Stimulus } from './types.js';

const BAD_ACCESS = 1n << BigInt(ERROR_BIT.BAD_ACCESS);
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8];
/** As the specification has it, in words of its own. */
const WRITABLE = new Set(['COMMAND', 'ERROR', 'TIMEOUT_NS', 'DOORBELL']);

function allowed(direction: 'read' | 'write', offset: number, size: number): boolean {
  const isHighHalf = direction === 'read' && size === 4;
  const register = REGISTERS.find(
    (one) => one.offset === offset || (isHighHalf && one.offset + 4 === offset),
  );
  if (register === undefined) return false;
  if (direction === 'write' && !WRITABLE.has(register.name)) return false;
  return size === 8 || size === 4;
}

describe('every offset, width and direction around the registers', () => {
  const offsets = [
    ...Array.from({ length: 0x50 }, (_, offset) => offset),
    0x100,
    REGS_SIZE - 8,
    REGS_SIZE - 1,
  ];
  it.each(['read', 'write'] as const)('%s', (direction) => {
    const before = reach('RUNNING', 'PENDING');
    let refused = 0;
    for (const offset of offsets) {
      for (const size of SIZES) {
        const at = { now: ARRIVED, offset: BigInt(offset), size };
        const stimulus: Stimulus =
          direction === 'read'
            ? { stimulus: 'read', ...at }
            : { stimulus: 'write', ...at, value: 0n, requests: { head: 0n, counters: [] } };
        const { state, effects } = must(before, stimulus);
        const raised = effects.find((effect) => effect.effect === 'error')?.raised;
        expect([offset, size, raised === BAD_ACCESS]).toEqual([
          offset,
          size,
          !allowed(direction, offset, size),
        ]);
        if (raised !== BAD_ACCESS) continue;
        refused += 1;
        expect(state).toEqual({ ...before, error: BAD_ACCESS });
        if (direction === 'read') expect(effects[0]).toEqual({ effect: 'value', value: 0n });
      }
    }
    const good = REGISTERS.filter(({ name }) => direction === 'read' || WRITABLE.has(name));
    const widths = direction === 'read' ? 3 : 2;
    expect(refused).toBe(offsets.length * SIZES.length - good.length * widths);
  });
});

describe('values read', () => {
  it('are whole, or either half', () => {
    const state = reach('PAUSED', 'FIRED');
    expect(valueAt(state, 'COMMAND', ARRIVED)).toBe(0n);
    expect(valueAt(state, 'STATUS', ARRIVED)).toBe(2n);
    expect(valueAt(state, 'STATUS', ARRIVED, 4)).toBe(2n);
    expect(valueAt(state, 'ID', ARRIVED)).toBe(0x5357_4348_0000_0004n);
    expect(valueAt(state, 'ID', ARRIVED, 4)).toBe(4n);
    expect(valueAt(state, 'FEATURES', ARRIVED)).toBe(0x3fn);
    expect(valueAt(state, 'TIMEOUT_COUNT', ARRIVED)).toBe(1n);
    const halves = { ...state, count: 0x1234_5678_9abc_def0n };
    const half = (offset: bigint) =>
      must(halves, { stimulus: 'read', now: ARRIVED, offset, size: 4 }).effects[0];
    expect(half(0x38n)).toEqual({ effect: 'value', value: 0x9abc_def0n });
    expect(half(0x3cn)).toEqual({ effect: 'value', value: 0x1234_5678n });
    expect(half(0x14n)).toEqual({ effect: 'value', value: 0x5357_4348n });
  });
  it('arm a timeout with a 4-byte write as if the high half were 0', () => {
    const { state } = must(reach('RUNNING', 'IDLE'), writeTo('TIMEOUT_NS', ARRIVED, 0xffff_ffffn, 4));
    expect(state.deadline).toBe(ARRIVED + 0xffff_ffffn);
  });
  it('take from a 4-byte write only its low half', () => {
    expect(decode('write', 0n, 4)?.mask).toBe(0xffff_ffffn);
    const { state } = must(reach('RUNNING', 'IDLE'), writeTo('COMMAND', ARRIVED, 0xffff_ffff_0000_0002n, 4));
    expect(state.status).toBe('PAUSED');
  });
});

/** A state with every error bit set. */
function dirty(): ReturnType<typeof reach> {
  const provoke: Stimulus[] = [
    writeTo('COMMAND', ARRIVED, 99n),
    writeTo('COMMAND', ARRIVED, 1n),
    { stimulus: 'write', now: ARRIVED, offset: 0n, value: 4n, size: 8, dataLen: 11n },
    writeTo('TIMEOUT_NS', ARRIVED, 5n),
    writeTo('TIMEOUT_NS', ARRIVED, 5n),
    writeTo('STATUS', ARRIVED, 0n),
  ];
  return provoke.reduce((state, stimulus) => must(state, stimulus).state, reach('RUNNING', 'IDLE'));
}

describe('ERROR', () => {
  const all = Object.values(ERROR_BIT).map((bit) => 1n << BigInt(bit));

  it('keeps every bit until it is cleared', () => {
    expect(valueAt(dirty(), 'ERROR', ARRIVED)).toBe(0x1fn);
    expect(errorNames(dirty().error)).toBe('BAD_COMMAND|BAD_STATE|BAD_TIMEOUT|BUSY|BAD_ACCESS');
  });
  it.each(all)('writing %d clears that bit and no other', (bit) => {
    const before = dirty();
    for (const size of [4, 8]) {
      const { state, effects } = must(before, writeTo('ERROR', ARRIVED, bit | 0xff00n, size));
      expect(state).toEqual({ ...before, error: 0x1fn & ~bit });
      expect(effects.map(({ effect }) => effect)).toEqual(['state']);
    }
    expect(must(before, writeTo('ERROR', ARRIVED, 0n)).state).toEqual(before);
  });
  it('is raised again, sticky or not', () => {
    const { effects } = must(dirty(), writeTo('COMMAND', ARRIVED, 1n));
    expect(effects[0]).toEqual({ effect: 'error', raised: 2n, error: 0x1fn });
  });
});

describe('the model', () => {
  it('imports nothing but the contract', () => {
    const directory = import.meta.dirname;
    for (const file of readdirSync(directory).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
    )) {
      const imports = [...readFileSync(join(directory, file), 'utf8').matchAll(/from '([^']+)'/g)].map(
        ([, path]) => path,
      );
      for (const path of imports)
        expect(path).toMatch(/^(\.\.\/contract\/(contract|names)\.js|\.\/[a-z]+\.js)$/);
    }
  });
  it('says in words what it is in', () => {
    expect(words(reach('RUNNING', 'PENDING'), ARRIVED)).toEqual({
      status: 'RUNNING',
      elapsed: '300 ns',
      timeout: 'PENDING',
      deadline: '1000000500 ns',
      count: '0',
      error: 'none',
    });
    expect(errorNames(0x22n)).toBe('BAD_STATE|unknown 0x20');
  });
});
