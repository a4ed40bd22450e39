// SPDX-License-Identifier: MIT
/** Selects, orders and names the tests of a boot. */
import type { GuestTest } from './device.js';
import type { MachineParts } from './qemu/command-line.js';

/** A test of one device of the machine. */
export interface PlannedTest {
  /** Name on the console and in the report: the device's id, plus `/NAME` for its further tests. */
  readonly suite: string;
  /** Id of the device instance under test. */
  readonly id: string;
  /** Name of the device. */
  readonly device: string;
  readonly test: GuestTest;
}

/** The tests that init runs in this boot, device by device. */
export function plannedTests({ devices, options }: Pick<MachineParts, 'devices' | 'options'>): PlannedTest[] {
  const { guest, nodev, tested, only } = options;
  if (guest === 'shell' || guest === 'exec' || nodev) return [];
  const all = devices
    .filter(({ id }) => tested?.includes(id) !== false)
    .flatMap(({ id, device: { description }, files }) => {
      const tests =
        guest === 'stress_and_quit'
          ? [files.stress]
          : guest === 'bench_and_quit'
            ? [files.bench]
            : files.tests;
      return tests.flatMap((test) => (test === undefined ? [] : planned(id, description.name, test)));
    });
  return only === undefined ? all : all.filter((one) => only.some((pattern) => isNamed(one, pattern)));
}

function planned(id: string, device: string, test: GuestTest): PlannedTest {
  return { suite: test.name === device ? id : `${id}/${test.name}`, id, device, test };
}

/** Whether a pattern with `*` and `?` matches the test's suite, name or file, or its device's id or name. */
export function isNamed({ suite, id, device, test }: PlannedTest, pattern: string): boolean {
  const matcher = new RegExp(
    `^${pattern
      .replace(/[^*?\w]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const file = test.path.slice(test.path.lastIndexOf('/') + 1);
  return [suite, test.name, file, id, device].some((name) => matcher.test(name));
}
