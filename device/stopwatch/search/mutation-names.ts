// SPDX-License-Identifier: MIT
/** The names in the stopwatch's sources from which `mutants` makes faults. */
import type { MutationNames } from '../../../lab/search/device-kit.js';
import {
  COMMAND,
  ERROR_BIT,
  PAGE,
  REGISTERS,
  REQUEST,
  REQUESTS,
  STATUS,
  TIMEOUT_STATE,
} from '../contract/contract.js';

const prefixed = (prefix: string, names: readonly string[]): string[] =>
  names.map((name) => `${prefix}${name}`);
const registers = REGISTERS.map(({ name }) => name);

export const stopwatchMutationNames: MutationNames = {
  c: {
    from: '} stopwatch_access[]',
    names: {
      register: prefixed('STOPWATCH_', registers),
      field: prefixed(
        'STOPWATCH_PAGE_',
        PAGE.map(({ name }) => name),
      ),
      'ring field': prefixed(
        'STOPWATCH_REQUESTS_',
        REQUESTS.map(({ name }) => name),
      ),
      'request field': prefixed(
        'STOPWATCH_REQUEST_',
        REQUEST.map(({ name }) => name),
      ),
      status: prefixed('STOPWATCH_STATUS_', Object.keys(STATUS)),
      error: prefixed('STOPWATCH_ERR_', Object.keys(ERROR_BIT)),
      command: prefixed('STOPWATCH_CMD_', Object.keys(COMMAND)),
      'timeout state': prefixed('TIMEOUT_', Object.keys(TIMEOUT_STATE)),
    },
    fields: [
      'status',
      'elapsed',
      'started',
      'deadline',
      'timeout_count',
      'error',
      'timeout',
      'page_seq',
      'disruption',
      'laps',
      'taken',
    ],
  },
};
