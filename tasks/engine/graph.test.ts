// SPDX-License-Identifier: MIT
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildGraph, criticalChain, criticalPaths, isWithin, selectTargets } from './graph.js';
import type { Task } from './task.js';

function task(name: string, deps: readonly string[] = [], more: Partial<Task> = {}): Task {
  return { name, title: name, deps, inputs: {}, outputs: [], jobs: 'one', run: async () => {}, ...more };
}

const names = (tasks: readonly Task[]) => tasks.map(({ name }) => name);

test('an unknown dependency, a name or output used twice, and names that share a file are refused', () => {
  expect(() => buildGraph([task('a', ['b'])])).toThrow(
    expect.objectContaining({ code: 'unknown-task', message: expect.stringMatching(/'a'.*'b'/) }),
  );
  expect(() => buildGraph([task('a'), task('a')])).toThrow(/Two tasks are named 'a'/);
  expect(() => buildGraph([task('a:b'), task('a.b')])).toThrow(/'a:b' and 'a\.b' would share/);
  const twice = [task('a', [], { outputs: ['/x'] }), task('b', ['a'], { outputs: ['/x'] })];
  expect(() => buildGraph(twice)).toThrow(
    expect.objectContaining({
      code: 'bad-config',
      message: expect.stringMatching(/'a' and 'b' both make \/x/),
    }),
  );
});

test('a task that runs every time is no dependency', () => {
  const tasks = [task('test', [], { always: 'tests run every time' }), task('after', ['test'])];
  expect(() => buildGraph(tasks)).toThrow(/'after' depends on 'test', which runs every time/);
});

test('a cycle is shown', () => {
  const tasks = [task('start', ['a']), task('a', ['b']), task('b', ['c']), task('c', ['a'])];
  expect(() => buildGraph(tasks)).toThrow(
    expect.objectContaining({ code: 'task-cycle', message: expect.stringContaining('a → b → c → a') }),
  );
  expect(() => buildGraph([task('a', ['a'])])).toThrow(/a → a/);
});

test('an input that another task makes needs that task as a dependency, near or far', () => {
  const make = task('make', [], { outputs: ['/tree'] });
  const patch = task('patch', ['make'], { outputs: ['/tree/sub/patched'] });
  const use = (deps: string[], inputs: Task['inputs']) =>
    buildGraph([make, patch, task('use', deps, { inputs })]);
  expect(() => use([], { files: ['/tree/file'] })).toThrow(
    /'use' reads \/tree\/file, and 'make' makes \/tree/,
  );
  expect(() => use(['make'], { trees: ['/tree'] })).toThrow(/'patch' makes \/tree\/sub\/patched/);
  expect(names(use(['patch'], { trees: ['/tree'] }).tasks)).toEqual(['make', 'patch', 'use']);
  expect(names(use([], { files: ['/trees'] }).tasks)).toContain('use');
  expect(() => buildGraph([task('a', [], { inputs: { trees: ['/t'] }, outputs: ['/t/x'] })])).toThrow(
    /its own input/,
  );
});

test('targets bring what they need and nothing else', () => {
  const graph = buildGraph([task('a'), task('b', ['a']), task('c', ['a']), task('d', ['b'])]);
  expect(names(selectTargets(graph, ['d']).tasks)).toEqual(['a', 'b', 'd']);
  expect(names(selectTargets(graph, []).tasks)).toEqual(['a', 'b', 'c', 'd']);
  expect(() => selectTargets(graph, ['e'])).toThrow(
    expect.objectContaining({ code: 'unknown-task', hint: expect.stringContaining('a, b, c, d') }),
  );
});

test('the critical path is the longest chain', () => {
  const graph = buildGraph([task('a'), task('b', ['a']), task('c', ['a']), task('d', ['b', 'c'])]);
  const durations: Record<string, number> = { a: 1, b: 10, c: 2, d: 5 };
  const paths = criticalPaths(graph, ({ name }) => durations[name] ?? 0);
  expect(Object.fromEntries(paths)).toEqual({ a: 16, b: 15, c: 7, d: 5 });
});

test('the critical chain is the longest one, wherever it begins and ends', () => {
  const graph = buildGraph([task('a'), task('b', ['a']), task('c', ['a']), task('d', ['b', 'c']), task('e')]);
  const chain = (durations: Readonly<Record<string, number>>) =>
    criticalChain(graph, ({ name }) => durations[name] ?? 0);
  expect(chain({ a: 1, b: 2, c: 3, d: 1, e: 4 })).toEqual(['a', 'c', 'd']);
  expect(chain({ a: 1, b: 2, c: 3, d: 1, e: 6 })).toEqual(['e']);
  expect(criticalChain(buildGraph([]), () => 1)).toEqual([]);
});

test('any graph without a cycle comes out dependencies first, whatever the order it is given in', () => {
  const graphs = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (deps, random) => {
      const tasks = deps.map((of, index) =>
        task(`t${index}`, [...new Set(of.filter((dep) => dep < index).map((dep) => `t${dep}`))]),
      );
      const shuffled = tasks
        .map((each) => ({ each, key: random.next().value }))
        .sort((a, b) => a.key - b.key)
        .map(({ each }) => each);
      const graph = buildGraph(shuffled);
      const done = new Set<string>();
      for (const each of graph.tasks) {
        for (const dep of each.deps) expect(done.has(dep)).toBe(true);
        done.add(each.name);
      }
      expect(done.size).toBe(tasks.length);
    }),
  );
});

test('within means whole names of directories', () => {
  expect(isWithin('/a/b', '/a')).toBe(true);
  expect(isWithin('/a', '/a')).toBe(true);
  expect(isWithin('/a', '/')).toBe(true);
  expect(isWithin('/ab', '/a')).toBe(false);
});
