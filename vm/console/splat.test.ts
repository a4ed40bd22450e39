// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConsoleObserver } from './observer.js';
import { driverFunctions, isFatal } from './splat.js';

function observed(lines: readonly string[]) {
  const observer = new ConsoleObserver(
    () => 0,
    () => {},
  );
  observer.push(Buffer.from(lines.map((line) => `${line}\n`).join('')));
  return { fatal: observer.fatal, ...observer.end() };
}
const fixture = (name: string): string[] =>
  readFileSync(new URL(`../../test/fixtures/console/${name}.log`, import.meta.url), 'utf8').split('\n');
const kernel = (lines: readonly string[]): string[] => lines.map((line) => `[    1.000000] ${line}`);

const atomic = kernel([
  'BUG: scheduling while atomic: swapper/0/0/0x00010002',
  'Modules linked in: led(O)',
  'CPU: 0 UID: 0 PID: 0 Comm: swapper/0 Tainted: G O 6.12.94 #1',
  'Call trace:',
  ' dump_backtrace+0x94/0xec',
  ' __schedule+0x700/0x780',
  ' msleep+0x2c/0x40',
  ' led_interrupt+0x24/0xb0 [led]',
  ' __handle_irq_event_percpu+0x48/0x130',
]);

describe('splats', () => {
  it('are kept with their call trace, and with the test in which they came', () => {
    const { splats, fatal } = observed([
      'stopwatch: test: lap',
      'KTAP version 1',
      '1..3',
      'ok 1 a',
      ...atomic,
      'a line of user space',
      ...atomic,
      'ok 2 b',
    ]);
    expect(splats).toHaveLength(2);
    const [first] = splats;
    expect(first).toMatchObject({
      text: 'BUG: scheduling while atomic: swapper/0/0/0x00010002',
      test: { id: 'lap', results: 1 },
    });
    expect(first?.lines).toHaveLength(9);
    expect(first && driverFunctions(first)).toEqual(['led_interrupt+0x24/0xb0 [led]']);
    expect(fatal).toEqual({ text: first?.text, results: 1 });
  });

  it('are one, where the kernel says several things about one fault', () => {
    const { splats } = observed(fixture('oops'));
    expect(splats).toHaveLength(1);
    expect(splats[0]?.lines.some((line) => line.startsWith('Internal error: Oops'))).toBe(true);
    expect(splats[0]?.trace.length).toBeGreaterThan(2);
  });

  it('are also the processes that wait, as the kernel lists them', () => {
    const { splats } = observed(
      kernel([
        'sysrq: Show Blocked State',
        'task:led_test.sh     state:D stack:0     pid:63    tgid:63    ppid:60     flags:0x00000000',
        'Call trace:',
        ' __switch_to+0xb8/0xdc',
        ' led_show+0x24/0xcc [led]',
        'task:other           state:D stack:0     pid:64    tgid:64    ppid:60     flags:0x00000000',
        'Call trace:',
        ' __switch_to+0xb8/0xdc',
      ]),
    );
    expect(splats.map(({ text }) => text)).toEqual([
      'The process led_test.sh waits in the kernel, and is not woken',
      'The process other waits in the kernel, and is not woken',
    ]);
    expect(splats[0]?.trace).toEqual(['__switch_to+0xb8/0xdc', 'led_show+0x24/0xcc [led]']);
  });

  it('end after 40 lines, and their number is limited', () => {
    const endless = kernel([
      'WARNING: possible circular locking dependency detected',
      ...Array.from({ length: 90 }, (_, at) => `x${at}`),
    ]);
    expect(observed(endless).splats[0]?.lines).toHaveLength(40);
    expect(observed(Array.from({ length: 50 }, () => atomic).flat()).splats).toHaveLength(20);
  });

  it.each([
    ['[    1.0] no', false],
    ['[    1.000000] BUG: sleeping function called from invalid context', true],
    ['[    1.000000] Internal error: Oops: 0000000096000006 [#1] SMP', true],
    ['[    1.000000] WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2', false],
    ['[    1.000000] Kernel panic - not syncing: Oops', true],
  ])('%s', (line, fatal) => {
    expect(isFatal(line)).toBe(fatal);
  });
});
