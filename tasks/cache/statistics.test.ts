// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { parseStatsLog } from './statistics.js';

it('counts compilations by how they ended', () => {
  const log = [
    '# a.c',
    'cache_miss',
    'direct_cache_miss',
    'local_storage_read_miss',
    '# cache_miss',
    'direct_cache_hit',
    'remote_storage_hit',
    '# c.c',
    'preprocessed_cache_hit',
    '# d.o',
    'called_for_link',
    '# e.c',
    'internal_error',
    '',
  ];
  expect(parseStatsLog(log.join('\n'))).toEqual({ hits: 2, misses: 1, errors: 1 });
  expect(parseStatsLog('')).toEqual({ hits: 0, misses: 0, errors: 0 });
});
