// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guestCommand } from './guest-command.js';

/** What a shell makes of the file; `printf` stands in front of the words. */
async function asRun(words: readonly string[]): Promise<readonly string[]> {
  const { command } = await guestCommand(
    { command: ['printf', '%s\\0', ...words], script: undefined },
    '/unused',
  );
  const out = execFileSync('sh', [], { input: command, encoding: 'utf8' });
  return out.split('\0').slice(0, -1);
}

describe('guestCommand', () => {
  it.each([
    [['a b', "it's", '$HOME', '`date`', '*', '"', '\\', '\n', '-n', '#', '~', '!x']],
    [['']],
    [["'''", "'", "\\'"]],
  ])('a shell sees %j as it was typed', async (words) => {
    expect(await asRun(words)).toEqual(words);
  });

  it('a shell sees any words as they were typed', async () => {
    // No program gets a NUL in an argument.
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 5 }), async (words) => {
        expect(await asRun(words)).toEqual(words);
      }),
      { numRuns: 50 },
    );
  });

  it('with a script, runs that with the words as its arguments', async () => {
    const made = await guestCommand({ command: ["it's"], script: import.meta.filename }, '/run/script');
    expect(made.command).toBe("#!/bin/sh\nexec '/run/script' 'it'\\''s'\n");
    expect(Buffer.from(made.script ?? '').toString()).toContain('SPDX-License-Identifier');
  });

  it('says which script cannot be read', async () => {
    const missing = guestCommand({ command: [], script: '/nowhere/try.sh' }, '/run/script');
    await expect(missing).rejects.toMatchObject({
      code: 'bad-usage',
      message: /--script: .*\/nowhere\/try\.sh/,
    });
  });
});
