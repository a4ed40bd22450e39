// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stopwatchMutationNames } from '../device/stopwatch/search/mutation-names.js';
import { cMutants, definitionAt, maskC } from './mutate.js';

const root = join(import.meta.dirname, '..');
const source = readFileSync(join(root, 'device/stopwatch/stopwatch.c'), 'utf8');
const all = cMutants(source, stopwatchMutationNames.c);

function waived(name: string): string[] {
  const text = readFileSync(join(root, `device/stopwatch/waivers/${name}.json`), 'utf8');
  const waivers: unknown = JSON.parse(text);
  return Object.keys(waivers ?? {});
}

describe('the mutants of the device', () => {
  it('are many, of every kind, all different, each with its own name', () => {
    expect(all.length).toBeGreaterThan(300);
    expect(new Set(all.map((mutant) => mutant.source)).size).toBe(all.length);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect([...new Set(all.map(({ operator }) => operator))]).toEqual(
      expect.arrayContaining([
        'comparison',
        'constant',
        'arithmetic',
        'forgotten statement',
        'register',
        'order',
        'forgotten migration field',
        'timer',
        'error',
      ]),
    );
  });

  it('change code, never a comment or a string', () => {
    const masked = maskC(source);
    expect(masked.length).toBe(source.length);
    for (const mutant of all)
      expect([mutant.id, maskC(mutant.source) === masked]).toEqual([mutant.id, false]);
  });

  it.each([
    [
      'a reset that forgets a field',
      'forgotten statement in stopwatch_reset_hold: s->timeout_count = 0; -> ;',
    ],
    [
      'a field that does not migrate',
      'forgotten migration field in vmstate_stopwatch: VMSTATE_INT64(deadline, StopwatchState), -> ',
    ],
    [
      'a timer that is late',
      'timer in stopwatch_arm: timer_mod_ns(&s->timer, deadline); -> timer_mod_ns(&s->timer, deadline + 1);',
    ],
    [
      'an edge that is lost',
      'forgotten statement in stopwatch_update_irq: qemu_set_irq(s->irq, level); -> ;',
    ],
    [
      'effects in the wrong order',
      'order in stopwatch_command: s->elapsed = stopwatch_elapsed(s, now); s->status = STOPWATCH_STATUS_PAUSED; -> s->status = STOPWATCH_STATUS_PAUSED; s->elapsed = stopwatch_elapsed(s, now);',
    ],
  ])('include %s', (_, id) => {
    expect(all.map((mutant) => mutant.id)).toContain(id);
  });

  it('include every mutant that has a waiver', () => {
    const ids = new Set(all.map(({ id }) => id));
    expect(waived('mutants').filter((id) => !ids.has(id))).toEqual([]);
  });
});

describe('the waivers of unreached lines', () => {
  it('are for lines that exist, in the function that they name', () => {
    const masked = maskC(source);
    const texts = source.split('\n');
    const lines = new Set(
      texts.map((text, index) => {
        const end = texts.slice(0, index + 1).join('\n').length;
        return `${definitionAt(masked, end)}: ${text.trim()}`;
      }),
    );
    expect(waived('unreached').filter((line) => !lines.has(line))).toEqual([]);
  });
});
