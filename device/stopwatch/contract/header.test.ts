// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_BIT, REGISTERS } from './contract.js';
import { header } from './header.js';

const file = join(import.meta.dirname, '../../../driver/stopwatch/stopwatch_hw-sw.h');

describe('driver/stopwatch/stopwatch_hw-sw.h', () => {
  it('is what the contract generates (if not: npm run build && npm run generate)', () => {
    expect(readFileSync(file, 'utf8')).toBe(header());
  });
  it('has every register and every error bit once', () => {
    const lines = [...header().matchAll(/^#define (\w+) +(\S+)$/gm)];
    const values = new Map(lines.map(([, name, value = '']) => [name, Number(value.replace('ULL', ''))]));
    expect(values.size).toBe(lines.length);
    for (const { name, offset } of REGISTERS) expect(values.get(`STOPWATCH_${name}`)).toBe(offset);
    for (const [name, bit] of Object.entries(ERROR_BIT))
      expect(values.get(`STOPWATCH_ERR_${name}`)).toBe(2 ** bit);
  });
});
