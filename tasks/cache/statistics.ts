// SPDX-License-Identifier: MIT
/** What ccache says of itself: the log that CCACHE_STATSLOG names, one counter per line and event. Pure. */

export interface CcacheUse {
  /** Compilations that were not done, because the result was there, in the local cache or the shared one. */
  readonly hits: number;
  readonly misses: number;
  /** Trouble of ccache's own: compiled all the same. */
  readonly errors: number;
}

/** ccache's names (`ccache --print-stats`) of what is none of the compiler's doing. */
const ERRORS = new Set([
  'bad_output_file',
  'compiler_check_failed',
  'error_hashing_extra_file',
  'internal_error',
  'missing_cache_file',
]);

/** Links, preprocessing and compilations that failed are neither hit nor miss. */
export function parseStatsLog(text: string): CcacheUse {
  let hits = 0;
  let misses = 0;
  let errors = 0;
  for (const line of text.split('\n')) {
    if (line === 'direct_cache_hit' || line === 'preprocessed_cache_hit') hits++;
    else if (line === 'cache_miss') misses++;
    else if (ERRORS.has(line)) errors++;
  }
  return { hits, misses, errors };
}
