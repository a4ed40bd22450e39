// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDevices } from './devicetree.js';
import { readFdt, strings, toDts } from './fdt.js';

/** What QEMU 10.0.2 makes for `-machine virt,gic-version=2 -device stopwatch`, without the padding at its end. */
const dtb = readFileSync(new URL('../../test/fixtures/devicetree/virt-stopwatch.dtb', import.meta.url));

describe('findDevices', () => {
  it('finds the device, with its physical addresses and its interrupt as the GIC counts', () => {
    expect(findDevices(dtb, 'stopwatch')).toEqual([
      {
        path: '/platform-bus@c000000/stopwatch@0',
        regions: [
          { name: 'mem', address: 0xc000000n, size: 0x10000n },
          { name: 'regs', address: 0xc010000n, size: 0x1000n },
        ],
        interrupts: [144],
        dts: [
          'stopwatch@0 {',
          '\tinterrupts = <0x0 0x70 0x4>;',
          '\treg-names = "mem", "regs";',
          '\treg = <0x0 0x10000 0x10000 0x1000>;',
          '\tcompatible = "stopwatch";',
          '};',
        ].join('\n'),
      },
    ]);
  });

  it('reads addresses of two cells, and interrupts of one processor', () => {
    expect(findDevices(dtb, 'arm,pl011')[0]?.regions).toEqual([
      { name: '0', address: 0x9000000n, size: 0x1000n },
    ]);
    expect(findDevices(dtb, 'arm,armv8-timer')[0]?.interrupts).toEqual([29, 30, 27, 26]);
  });

  it('finds nothing where there is nothing', () => {
    expect(findDevices(dtb, 'stop')).toEqual([]);
  });
});

describe('readFdt', () => {
  it('reads the whole tree', () => {
    const root = readFdt(dtb);
    expect(root.name).toBe('');
    expect(strings(root, 'compatible')).toEqual(['linux,dummy-virt']);
    expect(root.children.map(({ name }) => name)).toContain('platform-bus@c000000');
  });

  it('says what is no device tree', () => {
    expect(() => readFdt(Buffer.from('\x7fELF and so on'))).toThrow(
      'Not a flattened device tree: it begins with 0x7f454c46, expected 0xd00dfeed',
    );
    expect(() => readFdt(Buffer.alloc(0))).toThrow('The device tree is cut off at byte 0');
    expect(() => readFdt(dtb.subarray(0, 1000))).toThrow(
      `The device tree is cut off: it says ${dtb.length} bytes, and has 1000`,
    );
  });

  it('ends with a tree or an Error, whatever is in the file', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(dtb.length - 1), fc.nat(255)), { minLength: 1 }), (changes) => {
        const broken = Buffer.from(dtb);
        for (const [at, value] of changes) broken[at] = value;
        try {
          toDts(readFdt(broken));
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(RangeError);
          expect(error).not.toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});

describe('toDts', () => {
  it('writes strings, cells, bytes and empty properties', () => {
    const properties = new Map<string, Uint8Array>([
      ['text', Buffer.from('a"b\\\0c\0')],
      ['cells', Buffer.from([0, 0, 0, 0, 0xff, 0, 0, 1])],
      ['bytes', Buffer.from([0, 1, 2])],
      ['empty', Buffer.alloc(0)],
    ]);
    const child = { name: 'child@1', properties: new Map<string, Uint8Array>(), children: [] };
    expect(toDts({ name: '', properties, children: [child] })).toBe(
      [
        '/ {',
        '\ttext = "a\\"b\\\\", "c";',
        '\tcells = <0x0 0xff000001>;',
        '\tbytes = [00 01 02];',
        '\tempty;',
        '\tchild@1 {',
        '\t};',
        '};',
      ].join('\n'),
    );
  });
});
