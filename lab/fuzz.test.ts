// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { StopwatchError } from '../lib/errors.js';
import { shardOf } from './fuzz.js';

describe('shardOf', () => {
  it.each([
    [{}, { index: 1, count: 1 }],
    [
      { CI_NODE_INDEX: '2', CI_NODE_TOTAL: '4' },
      { index: 2, count: 4 },
    ],
    [{ JOB_COMPLETION_INDEX: '0' }, { index: 1, count: 65_536 }],
    [
      { JOB_COMPLETION_INDEX: '3', CI_NODE_TOTAL: '4' },
      { index: 4, count: 4 },
    ],
    [{ CI_NODE_TOTAL: '4' }, { index: 1, count: 1 }],
  ])('%j is %j', (environment, shard) => {
    expect(shardOf(environment as Readonly<Record<string, string>>)).toEqual(shard);
  });

  it.each([
    { CI_NODE_INDEX: '0', CI_NODE_TOTAL: '4' },
    { CI_NODE_INDEX: '5', CI_NODE_TOTAL: '4' },
  ])('%j is refused', (environment) => {
    expect(() => shardOf(environment as Readonly<Record<string, string>>)).toThrow(StopwatchError);
  });
});
