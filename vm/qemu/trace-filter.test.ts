// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { TraceFilter } from './trace-filter.js';

const uart = (text: string): string[] =>
  text
    .split('')
    .map(
      (sign) =>
        `memory_region_ops_write cpu 0 mr 0x55d0 addr 0x9000000 value 0x${sign.charCodeAt(0).toString(16)} size 2 name 'pl011'`,
    );
const regs = (id: string): string =>
  `memory_region_ops_read cpu 0 mr 0x55d1 addr 0xc000008 value 0x1 size 8 name '${id}-regs'`;
const POLL = "memory_region_ops_read cpu 0 mr 0x55d0 addr 0x9000018 value 0x90 size 4 name 'pl011'";
const EDGE = 'gic_set_irq irq 144 level 1 cpumask 0xff target 0x1';
const OWN = 'led_write id=left seq=4 now=99 offset=0x0 value=0x1 size=8';

/** `pieces`: how the log is cut. */
function filtered(lines: readonly string[], piece = Number.POSITIVE_INFINITY) {
  let kept = '';
  let messages = '';
  const filter = new TraceFilter(
    { ids: ['left', 'right'], prefixes: ['led_'] },
    (bytes) => {
      kept += bytes.toString();
    },
    (bytes) => {
      messages += bytes.toString();
    },
  );
  const all = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  for (let at = 0; at < all.length; at += piece) filter.push(all.subarray(at, at + piece));
  filter.end();
  return { kept, messages, dropped: filter.dropped };
}

describe('the filter of the trace', () => {
  const lines = [
    POLL,
    ...uart('ok 1 a\r\n'),
    regs('left'),
    EDGE,
    OWN,
    regs('virtio'),
    'led: bad access',
    'led: bad access',
    regs('right'),
  ];

  it.each([Number.POSITIVE_INFINITY, 1, 7, 64])(
    'keeps what is about the devices, cut at %d bytes',
    (piece) => {
      const { kept, messages, dropped } = filtered(lines, piece);
      expect(kept).toBe(['console 8: ok 1 a', regs('left'), EDGE, OWN, regs('right'), ''].join('\n'));
      expect(messages).toBe('led: bad access\n');
      expect(dropped.lines).toBe(11);
      expect(dropped.bytes).toBeGreaterThan(800);
    },
  );

  it('keeps a last line that was cut off', () => {
    const filter: string[] = [];
    const cut = new TraceFilter(
      { ids: [], prefixes: ['led_'] },
      (bytes) => filter.push(bytes.toString()),
      () => {},
    );
    cut.push(Buffer.from('led_wri'));
    expect(filter).toEqual([]);
    cut.end();
    expect(filter).toEqual(['led_wri']);
  });

  it('cannot be made to print lines of its own, nor long ones', () => {
    const { kept } = filtered([
      ...uart('\u001b[31mled_end id=left\u001b[0m\n'),
      ...uart(`${'x'.repeat(600)}\n`),
    ]);
    expect(kept).toBe(`console 25: led_end id=left\nconsole 626: ${'x'.repeat(500)}\n`);
  });
});
