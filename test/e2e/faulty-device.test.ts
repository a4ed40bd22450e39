// SPDX-License-Identifier: MIT
/** A device that breaks its contract is found out, at the access where it does so. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Divergence } from '../../vm/crosscheck/types.js';
import { edit, restore, undoEdits } from './edit.js';
import { laboratory } from './laboratory.js';
import { start } from './project.js';

undoEdits();

const { project } = laboratory();

const DEVICE = 'device/stopwatch/stopwatch.c';

interface Fault {
  readonly what: string;
  /** Text of the C source, and what it is replaced by. */
  readonly edits: readonly (readonly [string, string])[];
  readonly divergence: Partial<Divergence>;
}

const faults: readonly Fault[] = [
  {
    what: 'PAUSE forgets to add the elapsed time',
    edits: [
      [
        '        s->elapsed = stopwatch_elapsed(s, now);\n        s->status = STOPWATCH_STATUS_PAUSED;',
        '        s->status = STOPWATCH_STATUS_PAUSED;',
      ],
    ],
    divergence: {
      kind: 'field',
      access: expect.stringMatching(/write.*PAUSE/),
      register: 'COMMAND',
      field: 'state.elapsed',
    },
  },
  {
    what: 'the interrupt comes 1 ms early',
    edits: [
      [
        's->timeout != TIMEOUT_PENDING || now < deadline',
        's->timeout != TIMEOUT_PENDING || now < deadline - 1000000',
      ],
      ['timer_mod_ns(&s->timer, deadline);', 'timer_mod_ns(&s->timer, deadline - 1000000);'],
    ],
    divergence: { kind: 'early' },
  },
  {
    what: 'BUSY is answered, but the first timeout not kept',
    edits: [
      [
        '    if (s->timeout != TIMEOUT_IDLE) {\n        return STOPWATCH_ERR_BUSY;\n    }\n\n    /* Another vCPU',
        '    if (s->timeout != TIMEOUT_IDLE) {\n        stopwatch_disarm(s);\n        return STOPWATCH_ERR_BUSY;\n    }\n\n    /* Another vCPU',
      ],
    ],
    divergence: {
      kind: 'field',
      access: expect.stringMatching(/write.*TIMEOUT/),
      register: 'COMMAND',
      field: expect.stringMatching(/^state\./),
    },
  },
  {
    what: 'what it says of a read is not what the guest gets',
    edits: [
      [
        'trace_stopwatch_read(s->id, s->seq++, now, offset, value, size);\n    return value;',
        'trace_stopwatch_read(s->id, s->seq++, now, offset, value, size);\n    return offset == STOPWATCH_STATUS && value ? value ^ 3 : value;',
      ],
    ],
    divergence: { kind: 'monitor' },
  },
  {
    what: 'the sequence number of the live page stays odd',
    edits: [['s->page_seq += 2;', 's->page_seq += 1;']],
    divergence: { kind: 'field', access: 'machine reset', field: 'page.pageSeq' },
  },
  {
    what: 'the live page forgets the time at a PAUSE',
    edits: [
      [
        'uint64_t elapsed = stopwatch_elapsed(s, now);',
        'uint64_t elapsed = s->status == STOPWATCH_STATUS_PAUSED ? 0 : stopwatch_elapsed(s, now);',
      ],
    ],
    divergence: {
      kind: 'field',
      access: expect.stringMatching(/PAUSE/),
      register: 'COMMAND',
      field: 'page.accumulated',
    },
  },
  {
    what: 'a lap goes to the place after its own',
    edits: [['s->laps % STOPWATCH_LAPS_CAPACITY_VALUE', '(s->laps + 1) % STOPWATCH_LAPS_CAPACITY_VALUE']],
    divergence: {
      kind: 'field',
      access: expect.stringMatching(/LAP/),
      register: 'COMMAND',
      field: 'lap.index',
    },
  },
  {
    what: 'a request of before START counts as taken then',
    edits: [['return MAX((int64_t)(counter * tick), s->started);', 'return counter * tick;']],
    divergence: {
      kind: 'field',
      access: expect.stringMatching(/write DOORBELL/),
      register: 'DOORBELL',
      field: 'lap.split',
    },
  },
];

test.each(faults)('$what: exit code 3, and the access is named', async ({ edits, divergence }) => {
  for (const [old, replacement] of edits) edit(project.package, DEVICE, old, replacement);
  const { out, err } = await project.exits(3, ['all']);

  const { result, host } = project.lastReport();
  expect(result.exitCode).toBe(3);
  const { verdict } = project.lastDevice();
  expect(verdict?.result).toBe('differ');
  const found = verdict?.divergence;
  expect(found).toMatchObject(divergence);
  if (found === undefined) return;
  expect(found.expected).not.toBe(found.actual);
  // The same on the terminal: where, what, both values, and how to see it again.
  const said = out + err;
  expect(said).toContain(`at seq ${found.seq}, ${found.access}`);
  if (found.register !== undefined) expect(said).toContain(found.register);
  const [expected, actual] = found.kind === 'monitor' ? ['QEMU saw', 'device  '] : ['expected', 'actual  '];
  expect(said).toContain(`${expected}  ${found.expected}`);
  expect(said).toContain(`${actual}  ${found.actual}`);
  expect(said).toContain(`Next: ${host.next}`);
  expect(host.next).toBe('npx stopwatch run --gdb-qemu');
  expect(readFileSync(project.lastRun('junit.xml'), 'utf8')).toMatch(/<failure[^]*seq \d+/);

  // The replay command, as it stands there; without a VM, and without the device's source.
  restore();
  const replay = await start('sh', ['-c', found.replay ?? ''], { cwd: project.directory, env: project.env })
    .ended;
  expect(replay.code, replay.out + replay.err).toBe(3);
  expect(replay.out).toContain(`at seq ${found.seq}, ${found.access}`);
  expect(replay.out).toContain(`${actual}  ${found.actual}`);
});

test('the device as it was: passes again', async () => {
  await project.passes(['all']);
  expect(project.lastDevice().verdict?.result).toBe('agree');
});
