// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { dependencies, ownFragments, parseKconfig, refused, withSymbols } from './kconfig.js';

const fragment = '# a comment\nCONFIG_A=y\nCONFIG_B=m\nCONFIG_NAME="x y"\n# CONFIG_OFF is not set\n';

test('a fragment is read, comments are not', () => {
  expect([...parseKconfig(fragment)]).toEqual([
    ['CONFIG_A', 'y'],
    ['CONFIG_B', 'm'],
    ['CONFIG_NAME', '"x y"'],
    ['CONFIG_OFF', 'n'],
  ]);
});

test('symbols are replaced and added', () => {
  expect(withSymbols(fragment, { CONFIG_B: 'y', CONFIG_NEW: 'n' })).toBe(
    'CONFIG_A=y\nCONFIG_B=y\nCONFIG_NAME="x y"\n# CONFIG_OFF is not set\n# CONFIG_NEW is not set\n',
  );
});

test('what Kconfig dropped or changed is found; what is off and absent is as wanted', () => {
  expect(refused(fragment, 'CONFIG_A=y\nCONFIG_B=y\n')).toEqual([
    { symbol: 'CONFIG_B', wanted: 'm', got: 'y' },
    { symbol: 'CONFIG_NAME', wanted: '"x y"', got: 'n' },
  ]);
});

test('what a symbol depends on: its own lines, and the conditions around it', () => {
  const kconfig = [
    'if NET',
    'config FIRST',
    '\tbool "first"',
    '\tdepends on PCI',
    'menuconfig SECOND',
    '\tdepends on OF && HAS_IOMEM',
    '\tdepends on !S390',
    'endif',
    'config THIRD',
    '\tbool',
  ].join('\n');
  expect(dependencies(kconfig, 'SECOND')).toEqual(['NET', 'OF && HAS_IOMEM', '!S390']);
  expect(dependencies(kconfig, 'THIRD')).toEqual([]);
  expect(dependencies('//config:config CAL\n//config:\tdepends on X\n', 'CAL')).toEqual(['X']);
});

test('the user’s own options: lines, and files relative to the project', () => {
  expect(ownFragments(['CONFIG_A=y', 'my.config', '# CONFIG_B is not set', '/etc/other'], '/p')).toEqual({
    files: ['/p/my.config', '/etc/other'],
    lines: ['CONFIG_A=y', '# CONFIG_B is not set'],
  });
});
