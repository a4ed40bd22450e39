// SPDX-License-Identifier: MIT
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { withConsoleOutput } from './console-output.js';

async function shown(
  chunks: readonly string[],
  { isTTY = false, environment = {} }: { isTTY?: boolean; environment?: Record<string, string> } = {},
): Promise<string> {
  const output = Object.assign(new PassThrough(), { isTTY });
  await withConsoleOutput(
    { json: false, environment },
    async (stream) => {
      for (const chunk of chunks) stream.write(Buffer.from(chunk, 'latin1'));
    },
    output,
  );
  return String(output.read() ?? '');
}

test('a terminal gets the bytes of the guest as they are', async () => {
  expect(await shown(['\u001B[31mred\r\n'], { isTTY: true })).toBe('\u001B[31mred\r\n');
});

test('without a terminal it is text, a prompt too, however the bytes come', async () => {
  expect(await shown(['a\r\n\u001B[1;3', '1mred\u001B]0;title\u0007\u001B', '[0m\b\n# '])).toBe('a\nred\n# ');
  expect(await shown(['\u00c3', '\u00a4\u001B[6n'])).toBe('ä');
});

test('on GitHub no command of the guest is obeyed, and later ones are', async () => {
  const text = await shown(['no end\n::add-mask::x\n##[add-path]y\n# '], {
    environment: { GITHUB_ACTIONS: 'true' },
  });
  expect(text).toMatch(
    /^::stop-commands::([\w-]{36})\nno end\n::add-mask::x\n##\[add-path\]y\n# \n::\1::\n$/,
  );
});

test('who shows the console is told that nobody reads it', async () => {
  const output = new PassThrough();
  await withConsoleOutput(
    { json: false, environment: {} },
    async (stream) => {
      const told = new Promise((resolve) => stream.on('error', resolve));
      output.emit('error', new Error('EPIPE'));
      expect(await told).toMatchObject({ message: 'EPIPE' });
    },
    output,
  );
});
