// SPDX-License-Identifier: MIT
/** The names in the stopwatch's sources from which `mutants` makes faults. */
import type { MutationNames } from '../../../lab/search/device-kit.js';
import {
  COMMAND,
  ERROR_BIT,
  PAGE,
  REGISTERS,
  STATUS,
  TIMEOUT_STATE,
  TIMEOUT_TABLE,
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
    ],
  },
  model: {
    sources: {
      // Only the decision tables: both sides take the registers' offsets from the contract.
      'device/stopwatch/contract/contract.ts': 'export const COMMAND_TABLE',
      'device/stopwatch/contract/names.ts': '',
      'device/stopwatch/model/access.ts': '',
      'device/stopwatch/model/page.ts': '',
      'device/stopwatch/model/state.ts': '',
      'device/stopwatch/model/step.ts': '',
      'device/stopwatch/model/write.ts': '',
    },
    quoted: [
      Object.keys(STATUS),
      Object.keys(TIMEOUT_STATE),
      Object.keys(ERROR_BIT),
      Object.keys(COMMAND).filter((name) => !(name in STATUS)),
      registers,
      Object.keys(TIMEOUT_TABLE),
      ['nothing', 'text', 'arm', 'cancel', 'acknowledge', 'timeout', 'timeout-ack', 'lap'],
    ],
    fields: [
      ['elapsed', 'since', 'deadline', 'count', 'error', 'pageSeq', 'disruption', 'laps'],
      ['arm', 'cancel', 'acknowledge'],
    ],
    limits: [
      'TIMEOUT_MAX_NS',
      'TIMEOUT_MAX_S',
      'NS_PER_S',
      'NS_PER_HUNDREDTH',
      'LAPS_CAPACITY',
      'MAGIC',
      'VERSION',
      'FEATURES',
    ],
    messages: /\b(?:impossible|fail|\w*Error)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g,
  },
};
