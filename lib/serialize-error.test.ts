// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { StopwatchError } from './errors.js';
import { deserializeError, serializeError, serializedErrorSchema } from './serialize-error.js';

test('an error is the same in the other process', () => {
  const error = new StopwatchError('command-failed', 'It failed', {
    hint: 'Mend it',
    log: '/a/log',
    lastLines: ['one', 'two'],
  });
  const there = deserializeError(
    serializedErrorSchema.parse(JSON.parse(JSON.stringify(serializeError(error)))),
  );
  expect(there).toEqual(error);
  expect(there.exitCode).toBe(error.exitCode);
});

test('several are the first; what is no error of ours is an internal one', () => {
  const first = new StopwatchError('offline', 'No network');
  expect(deserializeError(serializeError(new AggregateError([first, new Error('other')])))).toEqual(first);
  expect(serializeError(new TypeError('x is not a function'))).toMatchObject({
    code: 'internal',
    message: 'x is not a function',
  });
  expect(serializedErrorSchema.safeParse({ code: 'no-such-code', message: '', lastLines: [] }).success).toBe(
    false,
  );
});
