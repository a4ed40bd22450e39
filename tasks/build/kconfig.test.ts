// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { parseKconfig, refused, withSymbols } from './kconfig.js';

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
