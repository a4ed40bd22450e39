// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import config from '../../config.js';
import { anInstance } from '../../test/support/machine.js';
import { type Choice, chosen, chosenTests, type Pushable, testsOf } from './pushable.js';

function pushable(name: string, device: string | undefined): Pushable {
  const path = `/usr/bin/${name}.sh`;
  const from = `/p${path}`;
  return { name, device, from, sources: [from], path, mode: 0o755, module: undefined, targets: [] };
}
const all = [
  pushable('testing', undefined),
  pushable('stopwatch_test', 'stopwatch'),
  pushable('stopwatch_module', 'stopwatch'),
  pushable('rngboi_test', 'rngboi'),
];
const untested = anInstance('virtio', 'virtio-rng');
const machine = [
  anInstance('lap'),
  anInstance('stopwatch'),
  anInstance('rng', 'rngboi'),
  { ...untested, files: { ...untested.files, tests: [] } },
];
const tests = testsOf(machine, config);

describe('what is pushed, and which tests run then', () => {
  it.each<[string, Choice, string[], string[]]>([
    ['all', { names: [] }, all.map(({ name }) => name), ['lap', 'stopwatch', 'rng']],
    ['one script, by its file', { names: ['rngboi_test.sh'] }, ['rngboi_test'], ['rng']],
    ['one script', { names: ['rngboi_test'] }, ['rngboi_test'], ['rng']],
    [
      'a device',
      { names: [], device: 'stopwatch' },
      ['stopwatch_test', 'stopwatch_module'],
      ['lap', 'stopwatch'],
    ],
    [
      'one script of a device',
      { names: ['stopwatch_module'], device: 'stopwatch' },
      ['stopwatch_module'],
      ['lap', 'stopwatch'],
    ],
    [
      'what all devices use',
      { names: ['testing', 'rngboi_test'] },
      ['testing', 'rngboi_test'],
      ['lap', 'stopwatch', 'rng'],
    ],
  ])('%s', (_name, choice, names, ids) => {
    const what = chosen(all, choice);
    expect(what.map(({ name }) => name)).toEqual(names);
    expect(chosenTests(tests, what, choice).map(({ id }) => id)).toEqual(ids);
  });

  it('tells a program from the script of the same name', () => {
    const script = pushable('led', 'led');
    const both = [script, { ...script, path: '/usr/bin/led' }];
    expect(chosen(both, { names: ['led'] })).toEqual([both[1]]);
    expect(chosen(both, { names: ['led.sh'] })).toEqual([script]);
  });

  it.each<[Choice, string]>([
    [{ names: ['rngboi_tset'] }, "Cannot push 'rngboi_tset': expected one of testing, "],
    [{ names: ['rngboi_test'], device: 'stopwatch' }, 'expected one of stopwatch_test, stopwatch_module'],
    [{ names: [], device: 'rng' }, "Cannot push files of 'rng': expected one of stopwatch, rngboi"],
  ])('refuses %o', (choice, message) => {
    expect(() => chosen(all, choice)).toThrow(message);
  });
});
