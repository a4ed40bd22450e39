// SPDX-License-Identifier: MIT
/** The C sources by the rules of the trees that they go into, with the trees' own tools. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { laboratory } from './laboratory.js';
import { must, start, tree } from './project.js';

const { project } = laboratory();
beforeAll(() => project.passes(['update']));

const DEVICES = ['stopwatch', 'rngboi'];

/** C files of a folder of the package, with its headers if they are asked for. */
function cFiles(folder: string, endings: RegExp): readonly string[] {
  const names = readdirSync(join(project.package, folder)).filter((name) => endings.test(name));
  return names.map((name) => join(project.package, folder, name));
}

test.each([
  ['qemu', DEVICES.map((name) => join('hw/misc/pv', name, `${name}.c`))],
  ['linux', DEVICES.map((name) => join('driver', name))],
  ['linux', ['guest_fs/base', ...DEVICES.map((name) => join('guest_fs', name))]],
])("%s's checkpatch has nothing to say about %j", async (name, places) => {
  const files = name === 'qemu' ? places : places.flatMap((place) => cFiles(place, /\.[ch]$/));
  expect(files).not.toEqual([]);
  // A program of user space has types of its own, and prints words that are names of functions too.
  const user = ['--ignore', 'NEW_TYPEDEFS,EMBEDDED_FUNCTION_NAME'];
  const linux = places.some((place) => place.startsWith('driver/')) ? ['--strict'] : user;
  const how = name === 'linux' ? linux : [];
  const { code, out, err } = await start(
    'perl',
    ['scripts/checkpatch.pl', '--no-tree', ...how, '-f', ...files],
    { cwd: tree(project, name), env: project.env },
  ).ended;
  expect(err).toBe('');
  expect(out).not.toMatch(/^(ERROR|WARNING|CHECK):/m);
  expect(out.match(/total: 0 errors, 0 warnings/g)?.length).toBe(files.length);
  expect(code).toBe(0);
});

/** A compiler's command as a build used it, made one that writes nothing. */
function checking(command: string, more: readonly string[]): string {
  const writesNothing = command
    .replace(/ -Wp,-MMD,\S+/, '')
    .replace(/ -M(MD|D)\b/, '')
    .replace(/ -M[FQ] \S+/g, '')
    .replace(/ -o \S+/, ' -o /dev/null');
  expect(writesNothing).toContain('-o /dev/null');
  return `${writesNothing} ${more.join(' ')}`;
}

test.each(DEVICES)('the device %s compiles without a warning, however many are asked for', async (name) => {
  const cwd = join(project.work, 'build', 'qemu');
  const object = `libcommon.a.p/hw_misc_pv_${name}_${name}.c.o`;
  const commands = await must('ninja', ['-t', 'commands', object], { cwd, env: project.env });
  const command = commands.trimEnd().split('\n').at(-1) ?? '';
  // What QEMU's own headers do not hold to is left out.
  const more = [
    '-Wall -Wextra -Werror',
    '-Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers',
  ];
  const { code, err } = await start('sh', ['-c', checking(command, more)], { cwd, env: project.env }).ended;
  expect(err).toBe('');
  expect(code).toBe(0);
});

test.each(DEVICES)('the driver of %s compiles without a warning, with those of W=1', async (name) => {
  // W=1 of scripts/Makefile.extrawarn.
  const more = [
    '-Wall -Wextra -Werror -Wunused -Wmissing-declarations -Wmissing-prototypes -Wmissing-include-dirs',
    '-Wold-style-definition -Wunused-but-set-variable -Wunused-const-variable -Wformat-overflow',
    '-Wformat-truncation -Wrestrict -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers',
    '-Wno-type-limits -Wno-shift-negative-value',
  ];
  const { work } = project;
  // A KUnit suite is compiled only for the kernel of `kunit`.
  for (const file of cFiles(join('driver', name), /(?<!_kunit)\.c$/)) {
    const object = `.${basename(file, '.c')}.o.cmd`;
    const record = readFileSync(join(work, 'build', 'drivers', name, object), 'utf8');
    const [, saved = ''] = /^savedcmd_\S+ := ([^\n]*)/.exec(record) ?? [];
    // The kernel's build goes on with objtool and the like behind a semicolon.
    const command = saved.split(' ; ', 1)[0] ?? '';
    const cwd = join(work, 'build', 'linux');
    const { code, err } = await start('sh', ['-c', checking(command, more)], { cwd, env: project.env }).ended;
    expect(err).toBe('');
    expect(code).toBe(0);
  }
});
