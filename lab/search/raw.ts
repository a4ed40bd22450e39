// SPDX-License-Identifier: MIT
/** How fast QEMU answers the commands of a search when nobody works them out or looks at the answers: the limit of what a search on one QEMU can reach. */
import { type FuzzRequest, type FuzzTarget, planned } from './campaign.js';
import { FuzzMachine, MachineError, type MachinePorts } from './machine.js';
import { processorSeconds } from './processor-time.js';

export interface RawSpeed {
  readonly operations: number;
  readonly commands: number;
  readonly seconds: number;
  /** Seconds of QEMU's processor time. */
  readonly processor: number;
}

/** Operations that are sent again and again. */
const SAMPLE = 4000;

/** Without what is not done through qtest: resets, stops, saves. Rejects with MachineError. */
export async function rawSpeed<O, S extends { readonly operations: readonly O[] }>(
  target: FuzzTarget<O, S>,
  { seed, operations, ...request }: FuzzRequest & { readonly seed: number; readonly operations: number },
  ports: MachinePorts,
): Promise<RawSpeed> {
  const sample = { send: '', commands: 0, operations: 0 };
  let device = '';
  for (let index = 0; sample.operations < SAMPLE; index++) {
    const script = target.sample(seed, index, false);
    device = target.device(script);
    const plan = await planned(target.plan(script, 0n));
    sample.operations += plan.operations;
    for (const step of plan.steps) {
      if (step.kind !== 'exchange') continue;
      sample.send += step.send;
      sample.commands += step.ends.length;
    }
  }
  const machine = await FuzzMachine.start({ ...request, device }, ports);
  try {
    const before = processorSeconds(machine.pid);
    const started = performance.now();
    let done = 0;
    while (done < operations && !ports.signal.aborted) {
      const answered = await machine.tape.drain(sample.send, sample.commands);
      if (!answered) throw new MachineError('QEMU does not answer', false);
      done += sample.operations;
    }
    return {
      operations: done,
      commands: (done / sample.operations) * sample.commands,
      seconds: (performance.now() - started) / 1000,
      processor: processorSeconds(machine.pid) - before,
    };
  } finally {
    await machine.end();
  }
}
