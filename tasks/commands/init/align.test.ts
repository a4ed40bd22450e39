// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { renamedC } from './align.js';
import { renamed } from './names.js';

const to = (name: string) => (text: string) => renamed(text, name);

const back = (text: string): string =>
  text
    .replaceAll('frobnicator', 'stopwatch')
    .replaceAll('FROBNICATOR', 'STOPWATCH')
    .replaceAll('Frobnicator', 'Stopwatch');

test('what stood under a parenthesis stands there again', () => {
  const source = `static int stopwatch_a(Stopwatch *s, /* ( */
                       int x)
{
    stopwatch_b("stopwatch (", s->stopwatch(1,
                                            2),
                3);
    if (x)
        stopwatch_c(
            x);
}`;
  expect(renamedC(source, to('lamp'))).toBe(`static int lamp_a(Lamp *s, /* ( */
                  int x)
{
    lamp_b("lamp (", s->lamp(1,
                             2),
           3);
    if (x)
        lamp_c(
            x);
}`);
});

test('tabs stay tabs', () => {
  expect(renamedC('\tstopwatch_aa(x,\n\t\t     y);', to('frobnicator'))).toBe(
    '\tfrobnicator_aa(x,\n\t\t       y);',
  );
});

test.each(['device/stopwatch/stopwatch.c', 'driver/stopwatch/stopwatch.c'])(
  '%s is as it was after going there and back',
  (file) => {
    const source = readFileSync(join(import.meta.dirname, '..', '..', '..', file), 'utf8');
    const there = renamedC(source, to('frobnicator'));
    expect(there).not.toBe(renamed(source, 'frobnicator'));
    expect(renamedC(there, back)).toBe(source);
  },
);
