// SPDX-License-Identifier: MIT
/** The faults that are put into the stopwatch's C source. */
import { COMMAND, ERROR_BIT, REGISTERS, STATUS, TIMEOUT_STATE } from '../contract.js';
import { type Mutant, mutants, operators } from '../../../lab/search/device-kit.js';

const prefixed = (prefix: string, names: readonly string[]): string[] =>
  names.map((name) => `${prefix}${name}`);

/** All mutants of `device/stopwatch/stopwatch.c`. */
export function stopwatchMutants(source: string): readonly Mutant[] {
  const list = operators({
    registers: prefixed(
      'STOPWATCH_',
      REGISTERS.map(({ name }) => name),
    ),
    statuses: prefixed('STOPWATCH_STATUS_', Object.keys(STATUS)),
    errors: prefixed('STOPWATCH_ERR_', Object.keys(ERROR_BIT)),
    commands: prefixed('STOPWATCH_CMD_', Object.keys(COMMAND)),
    timeouts: prefixed('TIMEOUT_', Object.keys(TIMEOUT_STATE)),
    fields: ['status', 'elapsed', 'started', 'deadline', 'timeout_count', 'error', 'timeout'],
  });
  return mutants(source, list, '} stopwatch_access[]');
}
