// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import config from '../config.js';
import { anInstance } from '../test/support/machine.js';
import { instanceOf } from './crosscheck/sections.js';
import { isNamed, plannedTests } from './guest-tests.js';
import type { BootOptions } from './types.js';

const untested = anInstance('virtio', 'virtio-rng');
const rng = anInstance('rng', 'rngboi');
const [main] = anInstance('lap').files.tests;
if (main === undefined) throw new Error('no test');
const further = { ...main, name: 'edges', path: '/usr/bin/edges_test.sh' };
const devices = [
  anInstance('lap', 'stopwatch', { files: { ...anInstance().files, tests: [main, further] } }),
  { ...rng, files: { ...rng.files, stress: undefined } },
  { ...untested, files: { ...untested.files, tests: [], stress: undefined } },
];
const options = { nodev: false, rw: false, guest: 'test_and_quit', trace: true, vm: config.vm } as const;
const suites = (different: Partial<BootOptions>): string[] =>
  plannedTests({ devices, options: { ...options, ...different } }).map(({ suite }) => suite);

describe('plannedTests', () => {
  it.each<[string, Partial<BootOptions>, string[]]>([
    ['a test', {}, ['lap', 'lap/edges', 'rng']],
    ['a stress test', { guest: 'stress_and_quit' }, ['lap']],
    ['some devices only', { tested: ['rng', 'virtio'] }, ['rng']],
    ['a shell', { guest: 'shell' }, []],
    ['a command', { guest: 'exec' }, []],
    ['no devices', { guest: 'test', nodev: true }, []],
    ['by a name', { only: ['edges'] }, ['lap/edges']],
    ['by several', { only: ['edges', 'rngboi'] }, ['lap/edges', 'rng']],
    ['by a glob of suites', { only: ['lap/*'] }, ['lap/edges']],
    ['by a device', { only: ['stopwatch'] }, ['lap', 'lap/edges']],
    ['by a file', { only: ['*_test.sh'] }, ['lap', 'lap/edges', 'rng']],
    ['by none', { only: ['lap.'] }, []],
  ])('%s', (_name, different, expected) => {
    expect(suites(different)).toEqual(expected);
  });
});

it('takes a pattern for the whole name', () => {
  const edges = { suite: 'lap/edges', id: 'lap', device: 'stopwatch', test: further };
  expect(['edge', 'edge?', 'e*s', 'dges', 'edges_test.s'].map((pattern) => isNamed(edges, pattern))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});

it('finds the device in the name of a suite', () => {
  expect(['lap', 'lap/edges'].map(instanceOf)).toEqual(['lap', 'lap']);
});
