// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { hostClock } from '../../vm/clock.js';
import { createProcesses } from '../../lib/process/process.js';
import type { SearchMachine } from './machine.js';
import type { Plan } from './plan.js';
import { PlanRunner } from './runner.js';

const { signal } = new AbortController();
const ports = { processes: createProcesses(), env: {}, signal, clock: hostClock };
const request = { qemu: 'qemu', directory: '/tmp', device: 'd', silenceMs: 1000 };

/** A machine that agrees with every plan. */
const agreeing: typeof SearchMachine.start = async () => {
  const machine = { end: async () => {}, stderr: [], qtest: { exchange: async () => ({ result: 'same' }) } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has all that a runner uses
  return machine as unknown as SearchMachine;
};
const planAt = (base: bigint): Plan => ({ steps: [], base, end: base + 100n, operations: 0, commands: 0 });

test('a machine that is ended while a plan is made for it: the plan is made again, for a new one', async () => {
  const runner = new PlanRunner(request, ports, agreeing);
  await runner.run(async (base) => planAt(base));
  const bases: bigint[] = [];
  const { outcome, plan } = await runner.run(async (base) => {
    bases.push(base);
    if (bases.length === 1) await runner.end();
    return planAt(base);
  });
  expect(outcome).toEqual({ result: 'agree' });
  expect([bases, plan.base]).toEqual([[100n, 0n], 0n]);
});
