// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findDevices } from './devicetree.js';

/** From QEMU 10.0.2 with `-machine virt,gic-version=2 -device stopwatch`, without the padding at its end. */
const dtb = fileURLToPath(new URL('../../test/fixtures/devicetree/virt-stopwatch.dtb', import.meta.url));
const dts = execFileSync('dtc', ['-q', '-I', 'dtb', '-O', 'dts', dtb], { encoding: 'utf8' });

describe('findDevices', () => {
  it('finds the device, with its physical addresses and its interrupt as the GIC counts', () => {
    expect(findDevices(dts, 'stopwatch')).toEqual([
      {
        path: '/platform-bus@c000000/stopwatch@0',
        label: undefined,
        regions: [
          { name: 'mem', address: 0xc000000n, size: 0x10000n },
          { name: 'regs', address: 0xc010000n, size: 0x1000n },
        ],
        interrupts: [144],
        dts: expect.stringMatching(/^stopwatch@0 \{\n\tinterrupts = <0x00 0x70 0x04>;\n(\t.*\n)*\};$/),
      },
    ]);
  });

  it('reads addresses of two cells, and interrupts of one processor', () => {
    expect(findDevices(dts, 'arm,pl011')[0]?.regions).toEqual([
      { name: '0', address: 0x9000000n, size: 0x1000n },
    ]);
    expect(findDevices(dts, 'arm,armv8-timer')[0]?.interrupts).toEqual([29, 30, 27, 26]);
  });

  it('reads the label', () => {
    const source = '/ {\n\tdev@0 {\n\t\tcompatible = "dev";\n\t\tlabel = "lap";\n\t};\n};\n';
    expect(findDevices(source, 'dev')[0]?.label).toBe('lap');
  });

  it('finds nothing where there is nothing', () => {
    expect(findDevices(dts, 'stop')).toEqual([]);
  });

  it.each(['"mem", "regs"', String.raw`"mem\0regs"`])('reads a list of strings as %s', (names) => {
    const source = `/ {\n\tdev@0 {\n\t\tcompatible = "a\\"b", "dev";\n\t\treg = <0x01 0x02 0x03 0x01 0x05 0x06>;\n\t\treg-names = ${names};\n\t};\n};\n`;
    expect(findDevices(source, 'dev')[0]?.regions).toEqual([
      { name: 'mem', address: 0x1_0000_0002n, size: 3n },
      { name: 'regs', address: 0x1_0000_0005n, size: 6n },
    ]);
  });

  it('ignores a source that is none', () => {
    expect(findDevices('FATAL ERROR: Blob has incorrect magic number\n', 'dev')).toEqual([]);
  });
});
