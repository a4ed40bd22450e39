// SPDX-License-Identifier: MIT
/** The interface between rngboi and `fuzz` and `mutants`. */
import {
  type DeviceSearch,
  type Failed,
  type FailureReport,
  SEARCH_ID,
  type TraceVerdict,
} from '../../../lab/search/device-kit.js';
import { Crosscheck, reasonWords } from '../../../vm/device-kit.js';
import { rngboiChecker } from '../checker.js';
import type { ModelState } from '../model.js';
import { TRACE } from '../trace.js';
import { planInSlices, REGS, statesOf } from './plan.js';
import { formatScript, makeScript, type Operation, parseScript, type Script } from './script.js';

export const rngboiSearch: DeviceSearch<Operation, Script> = {
  sample: makeScript,
  qemuDevice: ({ seed }) => `rngboi,seed=${seed}`,
  plan: (script, base) => planInSlices(script, { base }),
  simpler,
  parseScript,
  formatScript,
  describeOperation,
  describeFailure,
  trace: { patterns: [`${TRACE.prefix}*`, 'memory_region_ops_*'], check: checkTrace },
  extraChecks: [],
  mutationNames: {
    c: { from: 'static uint32_t rngboi_next_word', names: {}, fields: ['seed', 'state'] },
  },
  waivers: { unreached: {}, mutants: {} },
};

/** With a smaller value or offset. */
function simpler(operation: Operation): readonly Operation[] {
  const forms: Operation[] = [];
  if ('value' in operation && operation.value > 0n)
    forms.push({ ...operation, value: 0n }, { ...operation, value: operation.value / 2n });
  if ('offset' in operation && operation.offset > 0)
    forms.push({ ...operation, offset: 0 }, { ...operation, offset: Math.floor(operation.offset / 2) });
  return forms;
}

function describeOperation(operation: Operation): string {
  switch (operation.op) {
    case 'read':
      return `read ${place(operation.offset)}, ${operation.width} bytes`;
    case 'write':
      return `write ${place(operation.offset)} = ${hex(operation.value)}, ${operation.width} bytes`;
    case 'reset':
      return 'machine reset';
    case 'reload':
      return 'save the VM, and load it into a new process';
    case 'corrupt':
      return `save the VM, change its ${operation.field} to ${hex(operation.value)}, and load that into a new process`;
    default:
      return operation satisfies never;
  }
}

function describeFailure(script: Script, failed: Failed): FailureReport {
  const states = statesOf(script);
  // No register shows the device's own state.
  const around = {
    before: inWords(states[failed.operation]),
    model: inWords(states[failed.operation + 1]),
    device: {},
  };
  if (failed.result !== 'differs')
    return { compared: failed.result, expected: 'an answer', actual: failed.what, states: around };
  const { part, expected, actual } = failed;
  return { compared: part, expected, actual, states: around };
}

/** Checks the trace of one QEMU, and that each refused access was logged as a guest error just before. */
function checkTrace(text: string): TraceVerdict {
  const crosscheck = new Crosscheck(rngboiChecker({}), {
    id: SEARCH_ID,
    monitor: { accesses: { base: BigInt(REGS) } },
  });
  crosscheck.feed(text);
  const verdict = crosscheck.end();
  const { events, confirmed, divergence, invalid } = verdict;
  const lines = text.split('\n');
  const refused = lines.flatMap((line, index) =>
    line.startsWith(`${TRACE.prefix}refused `) ? [lines[index - 1] ?? ''] : [],
  );
  const logged = lines.filter((line) => line.startsWith(`${SEARCH_ID}: refused: `)).length;
  const silent = refused.find((line) => !line.startsWith(`${SEARCH_ID}: refused: `));
  let wrong: string | undefined;
  if (divergence !== undefined)
    wrong = `${divergence.kind}: ${divergence.field} at ${divergence.access}: expected ${divergence.expected}, got ${divergence.actual}`;
  else if (invalid.length > 0) wrong = invalid.map((reason) => reasonWords(reason)).join('; ');
  else if (silent !== undefined || logged !== refused.length)
    wrong = `guest error log: expected ${refused.length} lines, got ${logged}`;
  return { events, confirmed, logged, wrong, verdict };
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const place = (offset: number): string => (offset === 0 ? 'RNG0' : `regs+0x${offset.toString(16)}`);
const inWords = (state: ModelState | undefined): Readonly<Record<string, string>> =>
  state === undefined ? {} : { seed: hex(state.seed), state: hex(state.state) };
