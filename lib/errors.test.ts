// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { StopwatchError } from './errors.js';
import { commandFailure } from './failure.js';
import { serializeError } from './serialize-error.js';

test('no text of an error has the password of an address', () => {
  const secret = 'http://ann:s@cret@proxy:1';
  const error = new StopwatchError('install-failed', `through ${secret}`, {
    hint: `try ${secret}`,
    command: `sudo env http_proxy=${secret} apt-get`,
    lastLines: ['first', `E: ${secret}`],
  });
  expect(error).toMatchObject({
    message: 'through http://…@proxy:1',
    hint: 'try http://…@proxy:1',
    command: 'sudo env http_proxy=http://…@proxy:1 apt-get',
    lastLines: ['first', 'E: http://…@proxy:1'],
  });
});

test('nor has what caused it, nor a command that is cut', async () => {
  const cause = new Error('connect http://ann:secret@proxy:1');
  const { causes } = serializeError(new StopwatchError('offline', 'no network', { cause }));
  expect(causes).toEqual(['connect http://…@proxy:1']);
  const command = {
    file: 'env',
    args: [`x=${'y'.repeat(120)}`, `http_proxy=http://ann:${'p'.repeat(80)}@proxy:1`],
  };
  const exit = { exitCode: 1, signal: undefined, durationMs: 1 };
  const { message } = await commandFailure(command, exit, [], { task: 't', directory: '/tmp' });
  expect(message).not.toContain('ppp');
});
