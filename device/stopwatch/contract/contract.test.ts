// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import {
  COMMAND,
  ERROR_BIT,
  FEATURES,
  LAPS,
  LAPS_ENTRIES,
  type MemField,
  MEM_SIZE_V1,
  PAGE,
  PAGE_SIZE,
  REGISTERS,
  registerAt,
  REQUEST,
  REQUEST_BYTES,
  REQUESTS,
  REQUESTS_ENTRIES,
  REGS_SIZE_V1,
  STATUS,
} from './contract.js';

/** Fields that follow one another without a hole, each at a multiple of its size. */
const places = (fields: readonly MemField[]) =>
  fields.map(({ offset, bytes }) => [offset % bytes, offset + bytes]);

describe('the contract', () => {
  it.each([
    ['live page', PAGE, PAGE_SIZE],
    ['lap ring', LAPS, LAPS_ENTRIES + 8],
    ['request ring', REQUESTS, REQUESTS_ENTRIES + 8],
    ['request', REQUEST, REQUEST_BYTES],
  ] as const)('has aligned fields without holes in the %s', (_, fields, size) => {
    const ends = places(fields).map(([, end]) => end);
    expect(fields.map(({ offset }) => offset)).toEqual([0, ...ends.slice(0, -1)]);
    expect(places(fields).every(([rest]) => rest === 0)).toBe(true);
    expect(ends.at(-1)).toBe(size);
  });

  it('has the registers that drivers know', () => {
    expect(REGISTERS.map(({ name, offset, access }) => `${offset.toString(16)} ${name} ${access}`)).toEqual([
      '0 COMMAND W',
      '8 STATUS R',
      '10 ID R',
      '18 FEATURES R',
      '20 ERROR R/W1C',
      '28 ELAPSED_NS R',
      '30 TIMEOUT_NS R/W',
      '38 TIMEOUT_COUNT R',
      '40 DOORBELL W',
    ]);
    expect(registerAt(0x20)?.name).toBe('ERROR');
    expect(registerAt(0x24)).toBeUndefined();
  });
  it('keeps version 1 where it was', () => {
    const first = REGISTERS.filter(({ since }) => since === 1);
    expect(first.map(({ name }) => name)).toEqual(['COMMAND', 'STATUS']);
    expect(Math.max(...first.map(({ offset }) => offset + 8))).toBe(REGS_SIZE_V1);
    expect(MEM_SIZE_V1).toBe(136);
    expect(COMMAND).toMatchObject({
      RESET: 0n,
      START: 1n,
      PAUSE: 2n,
      UPDATE: 3n,
      TIMEOUT: 4n,
      TIMEOUT_ACK: 5n,
    });
    expect(STATUS).toEqual({ RUNNING: 0n, RESET: 1n, PAUSED: 2n });
  });
  it('has the bits that drivers know', () => {
    expect(FEATURES).toBe(0x3fn);
    expect(COMMAND.LAP).toBe(6n);
    expect(ERROR_BIT).toEqual({ BAD_COMMAND: 0, BAD_STATE: 1, BAD_TIMEOUT: 2, BUSY: 3, BAD_ACCESS: 4 });
  });
});
