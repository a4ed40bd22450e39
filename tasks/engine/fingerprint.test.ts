// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, differences, fingerprintOf, type Parts } from './fingerprint.js';

const NONE: Parts = { values: {}, files: {}, trees: {}, tools: {}, deps: {} };

test('canonical JSON: equal values give equal text, and it is JSON', () => {
  expect(canonicalJson({ b: [1, null, 'x'], a: { d: true, c: 1.5 } })).toBe(
    '{"a":{"c":1.5,"d":true},"b":[1,null,"x"]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const plain = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(canonicalJson(plain))).toEqual(plain);
      const turned =
        typeof plain === 'object' && plain !== null && !Array.isArray(plain)
          ? Object.fromEntries(Object.entries(plain).reverse())
          : plain;
      expect(canonicalJson(turned)).toBe(canonicalJson(plain));
    }),
  );
});

const entries = fc.dictionary(fc.constantFrom('p', 'q', 'r'), fc.constantFrom('1', '2'));
const parts = fc.record({ values: entries, files: entries, trees: entries, tools: entries, deps: entries });

test('two fingerprints are equal exactly when nothing differs', () => {
  fc.assert(
    fc.property(parts, parts, (was, is) => {
      const reasons = differences(was, is, () => undefined);
      expect(reasons.length === 0).toBe(fingerprintOf(was) === fingerprintOf(is));
      expect(differences(was, structuredClone(was), () => undefined)).toEqual([]);
    }),
  );
});

test('each difference is named', () => {
  const was: Parts = {
    values: { a: '1', gone: '"x"' },
    files: { '/f': 'x', '/old': 'x' },
    trees: { '/t': 'x' },
    tools: { gcc: 'gcc 12' },
    deps: { d: 'x' },
  };
  const is: Parts = {
    values: { a: '2', long: 'y'.repeat(300) },
    files: { '/f': 'y', '/new': 'x' },
    trees: { '/t': 'y' },
    tools: { gcc: 'absent' },
    deps: { d: 'y' },
  };
  const paths = Array.from({ length: 12 }, (_, index) => `p${index}`);
  expect(differences(was, is, (root) => (root === '/t' ? paths : undefined))).toEqual([
    { kind: 'value', key: 'a', was: '1', is: '2' },
    { kind: 'value', key: 'gone', was: '"x"', is: 'nothing' },
    { kind: 'value', key: 'long', was: 'nothing', is: `${'y'.repeat(200)}…` },
    { kind: 'file', path: '/f', change: 'changed' },
    { kind: 'file', path: '/new', change: 'added' },
    { kind: 'file', path: '/old', change: 'removed' },
    { kind: 'tree', path: '/t', changed: paths.slice(0, 10), more: 2 },
    { kind: 'tool', tool: 'gcc', was: 'gcc 12', is: 'absent' },
    { kind: 'dependency', task: 'd' },
  ]);
  expect(
    differences({ ...NONE, trees: { '/t': 'x' } }, { ...NONE, trees: { '/t': 'y' } }, () => undefined),
  ).toEqual([{ kind: 'tree', path: '/t', changed: [], more: 0 }]);
});
