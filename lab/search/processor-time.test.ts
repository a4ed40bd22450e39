// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { processorSeconds } from './processor-time.js';

describe('processorSeconds', () => {
  it.runIf(existsSync('/proc/self/stat'))('is what this process says of itself', () => {
    const { user, system } = process.cpuUsage();
    expect(Math.abs(processorSeconds(process.pid) - (user + system) / 1e6)).toBeLessThan(0.5);
  });
  it('is 0 for a process that is not there', () => {
    expect(processorSeconds(2 ** 30)).toBe(0);
  });
});
