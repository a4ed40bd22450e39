// SPDX-License-Identifier: MIT
/** Which tests a boot runs, in which order, and what each is called. */
import type { GuestTest } from './device.js';
import type { MachineParts } from './qemu/command-line.js';

/** A test of one device of the machine. */
export interface PlannedTest {
  /** What the console and the report call it: the device's id, and `/NAME` for a further test of the device. */
  readonly suite: string;
  /** Of the device that it gets. */
  readonly id: string;
  /** Name of that device. */
  readonly device: string;
  readonly test: GuestTest;
}

/** The tests that init runs in such a boot, device by device. */
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

/** A pattern with `*` and `?` names a test by its suite, its own name, its file, or by its device's id or name. */
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
