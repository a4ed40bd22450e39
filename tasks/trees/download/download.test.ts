// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { backOff } from './download.js';
import { hasChanged, parseContentRange, resumeHeaders } from './part-record.js';

it('waits twice as long each time, up to a limit, spread over half of it', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((tried) => backOff(tried, 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
  expect(backOff(3, 0)).toBe(1000);
  expect(backOff(1, 0, 20_000)).toBe(20_000);
  expect(backOff(1, 0, 3_600_000)).toBe(30_000);
});

it('reads Content-Range', () => {
  expect(parseContentRange('bytes 5-9/10')).toEqual({ start: 5, total: 10 });
  expect(parseContentRange('bytes 5-9/*')).toEqual({ start: 5, total: undefined });
  expect(parseContentRange('bytes */10')).toBeUndefined();
  expect(parseContentRange(undefined)).toBeUndefined();
});

it('asks for the rest only of the same file', () => {
  const record = { address: 'a', etag: '"x"', lastModified: 'then' };
  expect(resumeHeaders(record, 0)).toEqual({});
  expect(resumeHeaders(record, 5)).toEqual({ range: 'bytes=5-', 'if-range': '"x"' });
  expect(resumeHeaders({ ...record, etag: 'W/"x"' }, 5)).toEqual({ range: 'bytes=5-', 'if-range': 'then' });
  expect(resumeHeaders({ address: 'a' }, 5)).toEqual({ range: 'bytes=5-' });
});

it('sees that an answer does not belong to the part', () => {
  const record = { address: 'a', etag: '"x"', total: 10 };
  const answer = { start: 5, total: 10 };
  expect(hasChanged(record, 5, { etag: '"x"' }, answer)).toBe(false);
  expect(hasChanged(record, 5, {}, { start: 5, total: undefined })).toBe(false);
  expect(hasChanged(record, 5, { etag: '"y"' }, answer)).toBe(true);
  expect(hasChanged(record, 4, { etag: '"x"' }, answer)).toBe(true);
  expect(hasChanged(record, 5, { etag: '"x"' }, { start: 5, total: 11 })).toBe(true);
  expect(hasChanged(record, 5, { etag: '"x"' }, undefined)).toBe(true);
});
