// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { KtapParser } from './ktap.js';
import type { KtapResult } from '../types.js';

function parse(text: string): KtapResult {
  const parser = new KtapParser();
  for (const line of text.split('\n')) parser.line(line);
  return parser.end();
}
const names = (result: KtapResult): string[] => result.tests.map((test) => `${test.status}: ${test.name}`);

describe('KtapParser', () => {
  it('reads plan, results, numbers, directives and diagnostics', () => {
    const result = parse(
      ['KTAP version 1', '1..3', '# elapsed 1.00', 'ok 1 - starts', 'ok 2 debugfs # SKIP not mounted']
        .concat(['# expected 2', '# got 3', 'not ok 3 counts'])
        .join('\n'),
    );
    expect(result).toEqual({
      planned: 3,
      problems: [],
      tests: [
        { name: 'starts', status: 'ok', comment: '', diagnostics: ['elapsed 1.00'] },
        { name: 'debugfs', status: 'skip', comment: 'SKIP not mounted', diagnostics: [] },
        { name: 'counts', status: 'not ok', comment: '', diagnostics: ['expected 2', 'got 3'] },
      ],
    });
  });

  it('ignores what comes before the version line, and noise', () => {
    const result = parse('ok 1 not yet\nKTAP version 1\n1..1\nstarting…\n[    0.1] foo\nok 1 a\nokay then\n');
    expect(names(result)).toEqual(['ok: a']);
    expect(result.problems).toEqual([]);
  });

  it('takes a document that the kernel printed', () => {
    expect(
      names(parse('[    0.100000] KTAP version 1\n[    0.100001] 1..1\n[    0.100002][    T1] ok 1 a')),
    ).toEqual(['ok: a']);
  });

  it('does not take a "#" of the kernel for a diagnostic', () => {
    expect(parse('KTAP version 1\n1..1\n[    0.100000] #3 online\nok 1 a').tests[0]?.diagnostics).toEqual([]);
  });

  it('flattens nested tests with their parents’ names', () => {
    const result = parse(
      [
        'KTAP version 1',
        '1..2',
        '  KTAP version 1',
        '  # Subtest: timer',
        '  1..2',
        '    KTAP version 1',
        '    1..1',
      ]
        .concat(['    ok 1 arm', '  ok 1 one-shot', '  not ok 2 cancel', 'not ok 1 timer', 'ok 2 text'])
        .join('\n'),
    );
    expect(result.problems).toEqual([]);
    expect(names(result)).toEqual([
      'ok: timer / one-shot / arm',
      'ok: timer / one-shot',
      'not ok: timer / cancel',
      'not ok: timer',
      'ok: text',
    ]);
  });

  it('counts results that kselftest passes on, below the test that ran them', () => {
    const result = parse(
      ['TAP version 13', '1..2', '# selftests: net: udp', '# TAP version 13', '# 1..3', '# ok 1 binds']
        .concat(['# # got 3', '# not ok 2 sends', '# # Totals: pass:1 fail:1', 'ok 1 selftests: net: udp'])
        .concat(['# ok, no result', '# ok 1 reads # SKIP no route', 'ok 2 selftests: net: tcp'])
        .join('\n'),
    );
    expect(result.problems).toEqual([]);
    expect(result.tests).toMatchObject([
      { name: 'selftests: net: udp / binds', status: 'ok', diagnostics: ['selftests: net: udp'] },
      { name: 'selftests: net: udp / sends', status: 'not ok', diagnostics: ['# got 3'] },
      { name: 'selftests: net: udp', status: 'not ok', comment: 'a nested test failed' },
      { name: 'selftests: net: tcp / reads', status: 'skip' },
      { name: 'selftests: net: tcp', status: 'ok' },
    ]);
  });

  it('counts them at any depth, and an end before the plan was met as a failure', () => {
    const result = parse(
      [
        'TAP version 13',
        '1..1',
        '# # ok 1 inner',
        '# # not ok 2 other',
        '# ok 1 outer',
        '# Bail out! gone',
        'ok 1 all',
      ].join('\n'),
    );
    expect(names(result)).toEqual([
      'ok: all / outer / inner',
      'not ok: all / outer / other',
      'not ok: all / outer',
      'not ok: all / Bail out! gone',
      'not ok: all',
    ]);
    expect(result.problems).toEqual([]);
  });

  it('a failing nested test fails its parent, whatever that says', () => {
    const lines = ['KTAP version 1', '1..1', '  KTAP version 1', '  1..1', '  not ok 1 inner', 'ok 1 outer'];
    expect(names(parse(lines.join('\n')))).toEqual(['not ok: outer / inner', 'not ok: outer']);
    const expected = lines.with(4, '  not ok 1 inner # XFAIL known');
    expect(names(parse(expected.join('\n')))).toEqual(['skip: outer / inner', 'ok: outer']);
  });

  it('keeps the diagnostics of a document that the kernel prints, such as KUnit’s', () => {
    const lines = [
      '[    0.1] KTAP version 1',
      '[    0.1] 1..1',
      '[    0.1] # expected 3',
      '[    0.1] not ok 1 a',
    ];
    const { tests } = parse(lines.map((line) => line.replace('0.1', '0.100000')).join('\n'));
    expect(tests).toMatchObject([{ name: 'a', diagnostics: ['expected 3'] }]);
  });

  it('names a nested test by its Subtest line when the result of the parent never comes', () => {
    const result = parse('KTAP version 1\n1..1\n  KTAP version 1\n  # Subtest: timer\n  1..2\n  ok 1 arm');
    expect(names(result)).toEqual(['ok: timer / arm']);
    expect(result.problems).toEqual([
      'timer: planned 2 tests, got 1',
      "the result of 'timer' itself is missing",
      'planned 1 tests, got 0',
    ]);
  });

  it.each([
    ['no version line', 'ok 1 a', 'no KTAP version line'],
    ['no plan', 'KTAP version 1\nok 1 a', 'no plan (1..N)'],
    ['too few', 'KTAP version 1\n1..2\nok 1 a', 'planned 2 tests, got 1'],
    ['too many', 'KTAP version 1\n1..1\nok 1 a\nok 2 b', 'planned 1 tests, got 2'],
    ['out of order', 'KTAP version 1\n1..2\nok 2 b\nok 1 a', "'b' has number 2 where 1 was expected"],
    ['no number', 'KTAP version 1\n1..1\nok a', "'a' has no number"],
    ['two plans', 'KTAP version 1\n1..1\n1..2\nok 1 a', 'a second plan, 1..2'],
    [
      'started again',
      'KTAP version 1\n1..1\nok 1 a\nKTAP version 1',
      'a second KTAP version line at indentation 0',
    ],
    ['bail out', 'KTAP version 1\n1..2\nBail out! no device\nok 1 a', 'the test bailed out: no device'],
  ])('says what is wrong with the document: %s', (_name, text, problem) => {
    expect(parse(text).problems).toContain(problem);
  });

  it.each([
    ['ok 1 a # SKIP', 'skip'],
    ['ok 1 a # skip because', 'skip'],
    ['not ok 1 a # SKIP', 'not ok'],
    ['not ok 1 a # XFAIL known', 'skip'],
    ['not ok 1 a # TODO', 'skip'],
    ['not ok 1 a # TIMEOUT', 'not ok'],
    ['ok 1 a # ERROR', 'ok'],
    ['ok 1 a \\# SKIP', 'ok'],
  ])('%s is %s', (line, status) => {
    expect(parse(`KTAP version 1\n1..1\n${line}`).tests[0]?.status).toBe(status);
  });

  it('knows when the document is complete', () => {
    const parser = new KtapParser();
    const states = ['KTAP version 1', '1..1', 'ok 1 a'].map((line) => {
      parser.line(line);
      return [parser.started, parser.complete];
    });
    expect(states).toEqual([
      [true, false],
      [true, false],
      [true, true],
    ]);
  });
});
