// SPDX-License-Identifier: MIT
import { describe, expect, test } from 'vitest';
import { edit, savedCommand } from './compile-commands.js';

describe('savedCommand', () => {
  test('takes the compiler out of what kbuild wrote down', () => {
    const text = `savedcmd_drivers/x/x.o := gcc -Wp,-MMD,drivers/x/.x.o.d -DNAME='"x"' -c -o drivers/x/x.o /t/drivers/x/x.c  ; ./tools/check x.o

source_drivers/x/x.o := /t/drivers/x/x.c
`;
    expect(savedCommand(text)).toBe(
      `gcc -Wp,-MMD,drivers/x/.x.o.d -DNAME='"x"' -c -o drivers/x/x.o /t/drivers/x/x.c`,
    );
  });

  test('undoes what is written for make, and knows older kernels', () => {
    expect(savedCommand('cmd_a.o := gcc -DA="$(pound)1" -DB=$$x -c a.c\n')).toBe(
      'gcc -DA="#1" -DB=$x -c a.c',
    );
  });

  test('there may be none', () => {
    expect(savedCommand('')).toBeUndefined();
  });
});

describe('edit', () => {
  const entry = {
    directory: '/b',
    file: '../t/hw/x.c',
    command: 'ccache gcc -O2 -MD -MQ x.o -MF x.d -c ../t/hw/x.c',
    output: 'x.o',
  };

  test('is about the file that is edited, and finds headers beside the linked one', () => {
    expect(edit(entry, '/p/device/x.c', '/t/hw/x.c')).toEqual({
      ...entry,
      file: '/p/device/x.c',
      command: 'gcc -O2 -c -iquote /t/hw /p/device/x.c',
    });
  });

  test('leaves alone what a build keeps of headers', () => {
    const command = 'gcc -Wp,-MMD,drivers/x/.x.o.d -nostdinc -c ../t/hw/x.c';
    expect(edit({ ...entry, command }, '/x.c', '/t/hw/x.c').command).toBe(
      'gcc -nostdinc -c -iquote /t/hw /x.c',
    );
  });

  test('quotes what a shell would take apart', () => {
    expect(edit(entry, '/my p/x.c', '/t/hw/x.c').command).toMatch(/ \$?'\/my p\/x\.c'$/);
  });

  test('does not guess', () => {
    expect(() => edit({ ...entry, command: 'gcc -c y.c' }, '/p/x.c', '/t/hw/x.c')).toThrow(/once/);
  });
});
