// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mask } from '../../../lab/search/mutate.js';
import { stopwatchMutants } from './mutants.js';

const source = readFileSync('device/stopwatch/stopwatch.c', 'utf8');
const all = stopwatchMutants(source);

describe('the mutants of the device', () => {
  it('are many, of every kind, each another and each with a name of its own', () => {
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
    const masked = mask(source);
    expect(masked.length).toBe(source.length);
    for (const mutant of all) expect([mutant.id, mask(mutant.source) === masked]).toEqual([mutant.id, false]);
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
  ])('have %s', (_, id) => {
    expect(all.map((mutant) => mutant.id)).toContain(id);
  });

  it.each(['equivalent-mutants.json'])('are there for every argument in %s', (name) => {
    const argued: unknown = JSON.parse(readFileSync(`device/stopwatch/search/${name}`, 'utf8'));
    const ids = new Set(all.map(({ id }) => id));
    expect(Object.keys(argued ?? {}).filter((id) => !ids.has(id))).toEqual([]);
  });
});
