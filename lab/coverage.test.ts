// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { coverageOf, type GcovFile, missedOf } from './coverage.js';

const source = ['int f(int x)', '{', '    if (x)', '        return 1;', '    return 0;', '}', ''].join('\n');
const line = (line_number: number, count: number, ...branches: number[]) => ({
  line_number,
  count,
  branches: branches.map((ways) => ({ count: ways })),
});
const gcov = (...lines: GcovFile['files'][number]['lines'][number][]): GcovFile => ({
  files: [
    { file: '../src/f.c', lines },
    { file: '/usr/include/other.h', lines: [line(1, 0)] },
  ],
});

describe('coverageOf', () => {
  it('names lines and branches that were never reached, and their function', () => {
    const coverage = coverageOf(
      gcov(line(1, 2), line(3, 2, 0, 2), line(4, 0), line(5, 2)),
      'f.c',
      source,
      {},
    );
    expect(coverage.lines).toEqual({ total: 4, reached: 3 });
    expect(coverage.branches).toEqual({ total: 2, reached: 1 });
    expect(coverage.unreached.map(({ line: at, what }) => [at, what])).toEqual([
      [3, 'branch 1 of 2'],
      [4, 'line'],
    ]);
    expect(missedOf(coverage)).toHaveLength(2);
  });

  it('waives the line of one function, and not of another', () => {
    const counted = gcov(line(4, 0));
    const waived = coverageOf(counted, 'f.c', source, { 'f: return 1;': 'why' });
    expect(waived.unreached).toMatchObject([{ waiver: 'why' }]);
    expect(missedOf(waived)).toEqual([]);
    const other = coverageOf(counted, 'f.c', source, { 'g: return 1;': 'why' });
    expect(missedOf(other)).toHaveLength(1);
  });
});
