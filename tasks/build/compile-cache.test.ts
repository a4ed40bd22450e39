// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { parseStatsLog } from './compile-cache.js';

it('counts compilations by how they ended', () => {
  const log = [
    '# a.c',
    'cache_miss',
    'direct_cache_miss',
    'local_storage_read_miss',
    'remote_storage_read_miss',
    'remote_storage_write',
    'remote_storage_write',
    '# cache_miss',
    'direct_cache_hit',
    'remote_storage_hit',
    'remote_storage_read_hit',
    'remote_storage_read_hit',
    '# c.c',
    'preprocessed_cache_hit',
    'remote_storage_error',
    '# d.o',
    'called_for_link',
    '# e.c',
    'internal_error',
    'remote_storage_timeout',
    '',
  ].join('\n');
  const local = { hits: 2, misses: 1, errors: 1 };
  expect(parseStatsLog(log, null)).toEqual({ ...local, remote: null });
  expect(parseStatsLog(log, 'redis://cache')).toEqual({
    ...local,
    remote: { place: 'redis://cache', hits: 2, misses: 1, errors: 2, written: 2 },
  });
  expect(parseStatsLog('# d.o\ncalled_for_link\n', null)).toBeUndefined();
});
