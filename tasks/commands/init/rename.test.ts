// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { checkName, magicOf, nameOf, renamed, withoutBareName } from './rename.js';

const root = join(import.meta.dirname, '..', '..', '..');
const sources = [
  'device/stopwatch/stopwatch.c',
  'driver/stopwatch/stopwatch_main.c',
  'guest_fs/stopwatch/stopwatch_test.sh',
].map((file) => readFileSync(join(root, file), 'utf8'));

describe('a name', () => {
  it.each([
    'frobnicator',
    'my_device',
    'x2',
    'stopwatch',
    'a_23456789_123456789_123',
    // Macros and a type: harmless, because C code has nothing that is called just so.
    'current',
    'noinline',
    'fallthrough',
    'inode',
    'abs',
  ])('may be %s', (name) => {
    expect(() => checkName(name, 'stopwatch', sources)).not.toThrow();
  });

  it.each([
    ['', /expected 2 to 24 lower-case letters/],
    ['Frob', /expected 2 to 24/],
    ['2x', /expected 2 to 24/],
    ['my-device', /expected 2 to 24/],
    ['a__b', /expected 2 to 24/],
    ['trailing_', /expected 2 to 24/],
    ['a'.repeat(25), /expected 2 to 24/],
    ['größe', /expected 2 to 24/],
    ['../x', /expected 2 to 24/],
    ['timer', /its sources use `timer(_del)?` for something else/],
    ['memory', /its sources use `memory_\w+` for something else/],
    ['deadline', /its sources use `deadline` for something else/],
  ])('cannot be %j', (name, why) => {
    expect(() => checkName(name, 'stopwatch', sources)).toThrow(why);
  });

  it('is suggested by a directory', () => {
    expect(nameOf('My-new device')).toBe('my_new_device');
  });
});

test('a word of a comment is free', () => {
  expect(() => checkName('lamp', 'stopwatch', ['/* a lamp */\nint x;\n# lamp\n'])).not.toThrow();
  expect(() => checkName('lamp', 'stopwatch', ['int lamp_on;'])).toThrow(/`lamp_on`/);
});

test('no C code uses the bare name', () => {
  const code = [
    '#include "current_hw-sw.h"',
    'struct current { int x; }; /* current */ // current',
    'static struct current *current; current_attrs[]; ATTRIBUTE_GROUPS(current);',
    'current_read("current", current->x, trace_current_read, CURRENT(s), TYPE_CURRENT, CURRENT_ID);',
  ];
  expect(withoutBareName(code.join('\n'), 'current').split('\n')).toEqual([
    code[0],
    'struct current_dev { int x; }; /* current */ // current',
    'static struct current_dev *current_dev; current_dev_attrs[]; ATTRIBUTE_GROUPS(current_dev);',
    'current_read("current", current_dev->x, trace_current_read, CURRENT_DEV(s), TYPE_CURRENT_DEV, CURRENT_ID);',
  ]);
});

test('every spelling is renamed', () => {
  expect(
    renamed(
      'stopwatch_now STOPWATCH_ID StopwatchState stopwatchChecker TYPE_STOPWATCH a/stopwatch_hw-sw.h "SWCH" 0x53574348n',
      'stopwatch',
      'my_device',
    ),
  ).toBe(
    'my_device_now MY_DEVICE_ID MyDeviceState myDeviceChecker TYPE_MY_DEVICE a/my_device_hw-sw.h "MYDE" 0x4d594445n',
  );
  expect(renamed('gadget GADGET_VALUE gadgetChecker', 'gadget', 'led')).toBe('led LED_VALUE ledChecker');
  expect(renamed('/usr/lib/stopwatch/testing.sh /usr/bin/stopwatch.sh', 'stopwatch', 'led')).toBe(
    '/usr/lib/stopwatch/testing.sh /usr/bin/led.sh',
  );
  expect(magicOf('x2')).toBe('X2XX');
  expect(renamed('the Stopwatch, a STOPWATCH', 'stopwatch', 'stopwatch')).toBe('the Stopwatch, a STOPWATCH');
});
