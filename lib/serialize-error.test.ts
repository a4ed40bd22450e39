// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { StopwatchError } from './errors.js';
import { errorFrom, tellError, toldErrorSchema } from './serialize-error.js';

test('an error is the same in the other process', () => {
  const error = new StopwatchError('command-failed', 'It failed', {
    hint: 'Mend it',
    log: '/a/log',
    lastLines: ['one', 'two'],
  });
  const there = errorFrom(toldErrorSchema.parse(JSON.parse(JSON.stringify(tellError(error)))));
  expect(there).toEqual(error);
  expect(there.exitCode).toBe(error.exitCode);
});

test('several are the first; what is no error of ours is an internal one', () => {
  const first = new StopwatchError('offline', 'No network');
  expect(errorFrom(tellError(new AggregateError([first, new Error('other')])))).toEqual(first);
  expect(tellError(new TypeError('x is not a function'))).toMatchObject({
    code: 'internal',
    message: 'x is not a function',
  });
  expect(toldErrorSchema.safeParse({ code: 'no-such-code', message: '', lastLines: [] }).success).toBe(false);
});
