// SPDX-License-Identifier: MIT
import { afterEach, expect, test, vi } from 'vitest';
import { runUserModule } from './user-module.js';

afterEach(() => vi.restoreAllMocks());

const state = (): unknown[] => [
  process.exitCode,
  Reflect.get(process, 'exit'),
  Reflect.get(process.stdout, 'write'),
];
const FILE = '/p/stopwatch.config.ts';

test('its value, and the process as it was', async () => {
  const before = state();
  expect(await runUserModule(FILE, async () => 5)).toBe(5);
  expect(state()).toEqual(before);
});

const caught = async () => {
  try {
    return process.exit(0);
  } catch {
    return 5;
  }
};

test('process.exit is refused, even where it is caught', async () => {
  const refusal = { code: 'bad-config', message: `${FILE} calls process.exit(0) while it is loaded` };
  await expect(runUserModule(FILE, async () => process.exit(0))).rejects.toMatchObject(refusal);
  await expect(runUserModule(FILE, caught)).rejects.toMatchObject(refusal);
});

test('what never settles is given up', async () => {
  const never = runUserModule(FILE, async () => new Promise(() => {}), 10);
  await expect(never).rejects.toMatchObject({
    code: 'bad-config',
    message: expect.stringMatching(/did not finish loading/),
  });
});

test('what it prints goes to standard error', async () => {
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await runUserModule(FILE, async () => process.stdout.write('hello\n'));
  expect(out).not.toHaveBeenCalled();
  expect(err).toHaveBeenCalledWith('hello\n');
});

test('what it throws is its own', async () => {
  await expect(runUserModule(FILE, async () => Promise.reject(new Error('mine')))).rejects.toThrow('mine');
});
