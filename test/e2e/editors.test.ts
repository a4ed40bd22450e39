// SPDX-License-Identifier: MIT
/** compile_commands.json: every file of the device and the driver compiles where it is edited, by the recorded command. */
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { CompileCommand } from '../../tasks/build/compile-commands.js';
import { append, restore, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { start } from './project.js';

undoEdits();

const { project } = laboratory();
beforeAll(() => project.passes(['update']));

function commands(): readonly CompileCommand[] {
  const found: CompileCommand[] = JSON.parse(
    readFileSync(join(project.directory, 'compile_commands.json'), 'utf8'),
  );
  return found;
}

async function check({ command, directory }: CompileCommand) {
  const { env } = project;
  return start('sh', ['-c', `${command} -fsyntax-only`], { cwd: directory, env }).ended;
}

test('has the C files of the device and the driver, as they are edited', () => {
  const home = realpathSync(project.package);
  expect(commands().map(({ file }) => file)).toEqual(
    expect.arrayContaining([
      join(home, 'device/stopwatch/stopwatch.c'),
      join(home, 'driver/stopwatch/stopwatch_main.c'),
    ]),
  );
});

test('each compiles, and finds every header', async () => {
  for (const command of commands()) expect(await check(command)).toMatchObject({ code: 0, err: '' });
});

test('it is the edited file that is compiled, and nothing is made of it', async () => {
  for (const command of commands()) {
    append(project.package, command.file.slice(realpathSync(project.package).length + 1), '#error edited\n');
    const { code, err } = await check(command);
    expect(code).not.toBe(0);
    expect(err).toContain(`${command.file}:`);
  }
  restore();
  expect((await project.events(['update'])).done).toEqual([]);
});

test("an edit of the driver updates its command, without the device's", async () => {
  append(project.package, 'driver/stopwatch/Kbuild', 'ccflags-y += -DEDITED\n');
  const { code, done } = await project.events(['update']);
  expect(code).toBe(0);
  expect(done).toContain('editor:commands');
  expect(done).not.toContain('editor:device');
  expect(
    commands().find(({ file }) => file.endsWith('driver/stopwatch/stopwatch_main.c'))?.command,
  ).toContain(' -DEDITED ');
});
