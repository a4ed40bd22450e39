// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { progressLines } from './progress.js';

function linesOf(messages: readonly unknown[]): string[] {
  const lines: string[] = [];
  const progress = progressLines((line) => lines.push(line));
  for (const message of messages) progress.message(message);
  progress.end();
  return lines;
}

test('a build’s text is cut at newlines, wherever the messages end', () => {
  const messages = [{ stream: 'Step 1/2' }, { stream: ' : FROM x\n\n ---> 1' }, { stream: '23\r\ntail' }];
  expect(linesOf(messages)).toEqual(['Step 1/2 : FROM x', ' ---> 123', 'tail']);
});

test('colours are taken off', () => {
  expect(linesOf([{ stream: '\u001b[91mE: no\n\u001b[0m' }])).toEqual(['E: no']);
});

function layer(id: string, status: string): object {
  return { id, status, progress: '[=>  ]' };
}

test('of a pull only changes are told', () => {
  const messages: object[] = [{ status: 'Pulling' }, layer('a', 'Downloading'), layer('a', 'Downloading')];
  messages.push(layer('b', 'Downloading'), layer('a', 'Pull complete'));
  expect(linesOf(messages)).toEqual(['Pulling', 'a: Downloading', 'b: Downloading', 'a: Pull complete']);
});

test('a failure is thrown after what came before it', () => {
  const lines: string[] = [];
  const progress = progressLines((line) => lines.push(line));
  progress.message({ stream: 'half a line' });
  expect(() => progress.message({ error: 'pull access denied' })).toThrow('pull access denied');
  expect(lines).toEqual(['half a line']);
});
