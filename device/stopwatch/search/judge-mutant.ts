// SPDX-License-Identifier: MIT
/** Would the tool know? One faulty QEMU, judged as a right one is. */
import {
  campaign,
  FuzzMachine,
  type FuzzRequest,
  MachineError,
  type MachinePorts,
  type MutantBudget,
  type MutantVerdict,
} from '../../../lab/search/device-kit.js';
import { formatScript } from './script.js';
import { stopCheck } from './stop-check.js';
import { stopwatchTarget } from './target.js';
import { traceCheck } from './trace-check.js';

/** The trace and the RAM of the device have one name: a second device must be refused, with a message. */
async function twoStart(request: FuzzRequest, ports: MachinePorts): Promise<boolean> {
  try {
    const machine = await FuzzMachine.start(
      { ...request, device: 'stopwatch', more: ['-device', 'stopwatch'] },
      ports,
    );
    await machine.end();
    return true;
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    return !error.message.includes('at most one stopwatch device');
  }
}

/** Saving and loading must come soon: the faults in it are not to be found by anything else. */
const EVENTFUL_EVERY = 2;
/** Each try is a process of its own. */
const TRACE_SHRINK = { tries: 120, seconds: 10 };
const SHRINK = { tries: 400, seconds: 15 };

export async function judgeMutant(
  request: FuzzRequest,
  budget: MutantBudget,
  ports: MachinePorts,
): Promise<MutantVerdict> {
  const nothing = { shortest: undefined, script: undefined };
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  try {
    const searched = await campaign(
      stopwatchTarget,
      {
        ...request,
        ...budget,
        shard: { index: 1, count: 1 },
        eventfulEvery: EVENTFUL_EVERY,
        lanes: 1,
        shrink: SHRINK,
      },
      ports,
    );
    const { finding } = searched;
    if (finding !== undefined) {
      const { outcome, script, after, afterSeconds } = finding;
      const killer = { differs: 'search', crashed: 'crash', hung: 'hang' } as const;
      return {
        killer: killer[outcome.result],
        operations: after,
        seconds: afterSeconds,
        shortest: script.operations.length,
        script: formatScript(script),
        what: outcome.result === 'differs' ? `${outcome.part} differs` : outcome.what,
      };
    }
    const traced = await traceCheck(
      request,
      { seed: budget.seed, operations: Math.ceil(budget.operations / 20), shrink: TRACE_SHRINK },
      ports,
    );
    const operations = searched.operations + traced.search.operations;
    const wrong = traced.wrong ?? (traced.search.finding && 'a difference with the trace switched on');
    if (wrong !== undefined) {
      const short = traced.script ?? traced.search.finding?.script;
      return {
        shortest: short?.operations.length,
        script: short && formatScript(short),
        killer: 'trace',
        operations,
        seconds: seconds(),
        what: wrong,
      };
    }
    if (await twoStart(request, ports))
      return { ...nothing, killer: 'start', operations, seconds: seconds(), what: 'two devices can be made' };
    const stopped = await stopCheck(request, ports);
    return {
      ...nothing,
      killer: stopped.wrong === undefined ? undefined : 'clock',
      operations,
      seconds: seconds(),
      what: stopped.wrong ?? 'nothing differs',
    };
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    // A device that cannot even be made.
    return { ...nothing, killer: 'start', operations: 0, seconds: seconds(), what: error.message };
  }
}
