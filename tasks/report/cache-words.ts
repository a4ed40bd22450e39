// SPDX-License-Identifier: MIT
/** What the compiler cache did, in words. Pure. */
import type { CompileCacheUse } from '../engine/events.js';

/** One line for ccache, one for the shared cache where there is one. */
export function cacheLines({ hits, misses, errors, remote }: CompileCacheUse): string[] {
  const share = hits + misses === 0 ? '' : ` (${((100 * hits) / (hits + misses)).toFixed(1)} % hits)`;
  const lines = [
    `ccache: ${count(hits, 'hit')}, ${count(misses, 'miss', 'misses')}, ${count(errors, 'error')}${share}`,
  ];
  if (remote === null) return lines;
  const read = `${count(remote.hits, 'hit')}, ${count(remote.misses, 'miss', 'misses')}, ${count(remote.errors, 'error')}`;
  return [...lines, `shared cache ${remote.place}: ${read}, ${remote.written} written`];
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
