// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { BuildLog } from './build-log.js';

const status = (name: string, fresh: boolean, deps: string[] = []) => ({
  name,
  title: name.toUpperCase(),
  deps,
  fresh,
  reasons: fresh ? [] : [{ kind: 'file', path: '/p/x.c', change: 'changed' } as const],
  lastDurationMs: undefined,
});

it('says which tasks ran, when, and why', () => {
  const log = new BuildLog('/p');
  log.apply(
    { type: 'plan', tasks: [status('a', true), status('b', false, ['a']), status('test', false)] },
    0,
  );
  log.apply({ type: 'task-start', task: 'b', logFile: '' }, 5);
  log.apply({ type: 'task-done', task: 'b', durationMs: 7 }, 12);
  log.apply({ type: 'task-start', task: 'test', logFile: '' }, 12);
  const built = {
    name: 'b',
    title: 'B',
    deps: ['a'],
    state: 'done',
    reasons: ['x.c changed'],
    startMs: 5,
    durationMs: 7,
  };
  const fresh = {
    name: 'a',
    title: 'A',
    deps: [],
    state: 'fresh',
    reasons: [],
    startMs: null,
    durationMs: null,
  };
  // The test has not ended yet.
  expect(log.tasks).toEqual([fresh, built]);
  // In the next graph of the same command it is fresh, because it was built.
  log.apply({ type: 'plan', tasks: [status('b', true, ['a'])] }, 13);
  expect(log.tasks).toEqual([fresh, built]);
});
