// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import type { TaskStatus } from '../engine/events.js';
import { painter } from './format.js';
import { graphDot, graphMermaid, graphText } from './graph.js';

const task = (name: string, deps: string[], fresh: boolean, lastDurationMs?: number): TaskStatus => ({
  name,
  title: name,
  deps,
  fresh,
  reasons: [],
  lastDurationMs,
});
const report = {
  tasks: [
    task('a:get', [], true, 4000),
    task('b:get', [], true, 500),
    task('a:make', ['a:get'], false, 100_000),
    task('vm:test', ['a:make', 'b:get'], false),
  ],
  critical: ['a:get', 'a:make', 'vm:test'],
};

test('as text', () => {
  expect(graphText(report, painter(false))).toBe(
    [
      '* a:get    fresh      4.00 s',
      '  b:get    fresh      0.50 s',
      '* a:make   stale  1 min 40 s  after a:get',
      '* vm:test  stale   never ran  after a:make, b:get',
      '',
      'Critical path (*), 1 min 44 s of 1 min 45 s: a:get → a:make → vm:test',
      '',
    ].join('\n'),
  );
});

test('as DOT', () => {
  expect(graphDot(report)).toBe(`digraph stopwatch {
  rankdir=LR;
  node [shape=box, style=filled];
  "a:get" [label="a:get\\n4.00 s", fillcolor=palegreen, penwidth=3];
  "b:get" [label="b:get\\n0.50 s", fillcolor=palegreen, penwidth=1];
  "a:make" [label="a:make\\n1 min 40 s", fillcolor=khaki, penwidth=3];
  "vm:test" [label="vm:test\\nnever ran", fillcolor=khaki, penwidth=3];
  "a:get" -> "a:make" [penwidth=3];
  "a:make" -> "vm:test" [penwidth=3];
  "b:get" -> "vm:test";
}
`);
});

test('as Mermaid', () => {
  expect(graphMermaid(report)).toBe(`flowchart LR
    a_get["a:get<br/>4.00 s"]:::fresh
    b_get["b:get<br/>0.50 s"]:::fresh
    a_make["a:make<br/>1 min 40 s"]:::stale
    vm_test["vm:test<br/>never ran"]:::stale
    a_get ==> a_make
    a_make ==> vm_test
    b_get --> vm_test
    classDef fresh fill:#c8f0c8,color:#000
    classDef stale fill:#f0e0a0,color:#000
`);
});
