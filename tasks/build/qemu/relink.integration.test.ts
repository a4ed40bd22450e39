// SPDX-License-Identifier: MIT
import { expect } from 'vitest';
import { test } from '../../../test/support/sandbox.js';
import { compilations, relink } from './relink.js';

test('the commands come from ninja; if ninja fails, that is an error', async ({ sandbox }) => {
  const { processes, env, signal } = sandbox;
  const ports = { processes, env, signal };
  sandbox.write('build.ninja', 'rule cc\n  command = cc -c $in -o $out\nbuild a.o: cc a.c\n');
  expect(await compilations(sandbox.dir, ports)).toEqual([
    expect.objectContaining({ command: 'cc -c a.c -o a.o', file: 'a.c', output: 'a.o' }),
  ]);
  sandbox.write('build.ninja', 'rule\n');
  await expect(compilations(sandbox.dir, ports)).rejects.toMatchObject({
    code: 'command-failed',
    lastLines: expect.arrayContaining([expect.stringContaining('build.ninja:1')]),
  });
});

test('what compiler and linker print is passed on as it comes', async ({ sandbox }) => {
  const { processes, env, signal } = sandbox;
  const seen: string[] = [];
  const rules = [{ command: 'echo compiling', file: 'a.c', output: 'a.o' }];
  const commands = {
    directory: sandbox.dir,
    compilations: rules,
    link: 'echo linking; false',
    program: 'program',
  };
  const objects = [{ source: 'b.c', object: 'b.o' }];
  const ports = { processes, env, signal, onLine: (line: string) => seen.push(line) };
  const { failed } = await relink(commands, { objects, program: 'other' }, ports);
  expect(failed).toEqual(['compiling', 'linking']);
  expect(seen).toEqual(failed);
});
