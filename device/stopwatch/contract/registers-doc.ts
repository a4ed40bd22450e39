// SPDX-License-Identifier: MIT
/** The tables and state diagrams of docs/registers.md: pure functions of the contract. */
import {
  COMMAND,
  COMMAND_TABLE,
  type CommandName,
  DATA_SIZE,
  ERROR_BIT,
  type ErrorName,
  FEATURE_BIT,
  FEATURES,
  LAPS,
  LAPS_CAPACITY,
  MAGIC,
  MEM_DATA,
  MEM_DATA_LEN,
  MEM_LAPS,
  MEM_LAPS_END,
  MEM_PAGE,
  MEM_REQUESTS,
  MEM_REQUESTS_END,
  MEM_SIZE,
  MEM_SIZE_V1,
  type MemField,
  type Outcome,
  PAGE,
  type Register,
  REGISTERS,
  REGS_SIZE,
  REGS_SIZE_V1,
  REQUEST,
  REQUESTS,
  REQUEST_BYTES,
  REQUESTS_CAPACITY,
  STATUS,
  type StatusName,
  TIMEOUT_MAX_NS,
  TIMEOUT_MAX_S,
  TIMEOUT_STATE,
  TIMEOUT_TABLE,
  type TimeoutOutcome,
  type TimeoutStateName,
  VERSION,
} from './contract.js';
import { DECISIONS, type Effects, OPERATIONS as DECIDED } from './decisions.js';
import { markdownTable } from '../../../lib/markdown.js';
import { keys } from './names.js';

const hex = (value: number | bigint, digits = 2): string => `0x${value.toString(16).padStart(digits, '0')}`;
const code = (text: string): string => `\`${text}\``;

/** The columns of the decision table, from the state at power-on without `start_at_boot` onwards. */
const STATES = ['RESET', 'RUNNING', 'PAUSED'] as const satisfies readonly StatusName[];
const TIMEOUTS = keys(TIMEOUT_STATE);

const ERROR_MEANING: Readonly<Record<ErrorName, string>> = {
  BAD_COMMAND: 'a value was written to COMMAND that is no command',
  BAD_STATE:
    'the command, or cancelling, is not possible in this state; HEAD of the request ring is too far ahead',
  BAD_TIMEOUT: 'the length of the timeout is out of range',
  BUSY: 'a timeout is pending, or has fired and is not acknowledged',
  BAD_ACCESS: 'no register takes an access of this width, alignment, offset and direction',
};

const STATUS_MEANING: Readonly<Record<StatusName, string>> = {
  RUNNING: 'counting',
  RESET: 'not counting, elapsed time 0',
  PAUSED: 'not counting, elapsed time kept',
};

const FEATURE_MEANING: Readonly<Record<keyof typeof FEATURE_BIT, string>> = {
  ERROR: '`ERROR`',
  ELAPSED_NS: '`ELAPSED_NS`',
  TIMEOUT: '`TIMEOUT_NS`, `TIMEOUT_COUNT`',
  LIVE_PAGE: '[the live page](#the-live-page) in `mem`',
  LAPS: 'the command LAP, and [the lap ring](#laps) in `mem`',
  REQUESTS: '`DOORBELL`, and [the request ring](#the-request-ring) in `mem`; never without bits 3 and 4',
};

const DOES = {
  nothing: 'nothing, no error',
  text: 'writes the text',
  timeout: '*arm*, see below',
  'timeout-ack': '*acknowledge*, see below',
  lap: 'appends to the laps',
  arm: '→ PENDING',
  cancel: '→ IDLE',
  acknowledge: '→ IDLE, line low',
} as const;

function outcomeText(outcome: Outcome | TimeoutOutcome): string {
  if ('error' in outcome) return `refused: ${outcome.error}`;
  if ('to' in outcome) return `→ ${outcome.to}${outcome.elapsed === 'zero' ? ', elapsed 0' : ''}`;
  return DOES[outcome.does];
}

const OPERATIONS: Readonly<Record<keyof typeof TIMEOUT_TABLE, string>> = {
  arm: '*arm*: the command TIMEOUT, or a write to TIMEOUT_NS of anything but 0',
  cancel: '*cancel*: a write of 0 to TIMEOUT_NS',
  acknowledge: '*acknowledge*: the command TIMEOUT_ACK',
};

/** Everything that one decision does. */
function effectsText(effects: Effects): string {
  const { error, status, zero, text, lap, answers, consumes, timeout, lowers } = effects;
  const words = [
    consumes ? 'reads `data_len`' : '',
    error === undefined ? '' : `refused: ${error}`,
    status === undefined ? '' : `→ ${status}`,
    zero ? 'elapsed 0' : '',
    text ? 'writes the text' : '',
    answers ? 'answers the requests' : '',
    lap ? 'appends to the laps' : '',
    timeout === undefined ? '' : `timeout → ${timeout}`,
    lowers ? 'line low' : '',
  ].filter((word) => word !== '');
  return words.join(', ') || 'nothing';
}

/** One row for each operation and state; states with the same effects share a row. */
function decisionRows(): string[][] {
  return DECIDED.flatMap((operation) => {
    const rows = new Map<string, { states: StatusName[]; cells: string[] }>();
    for (const state of STATES) {
      const cells = TIMEOUTS.map((timeout) => {
        const found = DECISIONS.find(
          (one) => one.operation === operation && one.status === state && one.timeout === timeout,
        );
        return found === undefined ? '' : effectsText(found.effects);
      });
      const row = rows.get(cells.join('|')) ?? { states: [], cells };
      row.states.push(state);
      rows.set(cells.join('|'), row);
    }
    return [...rows.values()].map(({ states, cells }) =>
      [operation, states.length === STATES.length ? 'any' : states.join(', ')].concat(cells),
    );
  });
}

function registerRows(): string[][] {
  const all: readonly Register[] = REGISTERS;
  return all.map(({ offset, name, access, since, meaning }) => [
    code(hex(offset)),
    code(name),
    access,
    String(since),
    meaning,
  ]);
}

/** Mermaid's `stateDiagram-v2` of the changes of STATUS. */
function statusDiagram(): string {
  const arrows = keys(COMMAND).flatMap((command) =>
    STATES.flatMap((state) => {
      const outcome = COMMAND_TABLE[command][state];
      return 'to' in outcome ? [`${state} --> ${outcome.to}: ${command}`] : [];
    }),
  );
  return mermaid([
    '[*] --> RUNNING: machine reset, start_at_boot=true',
    '[*] --> RESET: machine reset, start_at_boot=false',
    ...arrows,
  ]);
}

/** The same of the timeout. */
function timeoutDiagram(): string {
  const to = { arm: 'PENDING', cancel: 'IDLE', acknowledge: 'IDLE' } as const;
  const arrows = keys(TIMEOUT_TABLE).flatMap((operation) =>
    TIMEOUTS.flatMap((state) => {
      const outcome: TimeoutOutcome = TIMEOUT_TABLE[operation][state];
      if (!('does' in outcome) || outcome.does === 'nothing') return [];
      const low = operation === 'acknowledge' ? ', line low' : '';
      return [`${state} --> ${to[outcome.does]}: ${operation}${low}`];
    }),
  );
  return mermaid([
    '[*] --> IDLE: machine reset',
    ...arrows,
    'PENDING --> FIRED: deadline, line high, count + 1',
  ]);
}

function mermaid(lines: readonly string[]): string {
  return ['```mermaid', 'stateDiagram-v2', ...lines.map((line) => `    ${line}`), '```'].join('\n');
}

const FREE = 'free for the guest; the device neither reads nor writes it, but a machine reset clears it';

/** `entries`: type of the field ENTRIES. */
function fieldTable(base: number, fields: readonly MemField[], entries = ''): string {
  return markdownTable(
    ['offset', 'in `mem`', 'type', 'name', 'meaning'],
    fields.map(({ name, offset, bytes, meaning }) => [
      code(hex(offset)),
      code(hex(base + offset)),
      code(name === 'ENTRIES' ? entries : `u${bytes * 8}`),
      code(name),
      meaning,
    ]),
  );
}

/** Sections of docs/registers.md by the names of their markers. */
export function registersDoc(): Readonly<Record<string, string>> {
  const command = (name: CommandName): string[] => [
    String(COMMAND[name]),
    code(name),
    ...STATES.map((state) => outcomeText(COMMAND_TABLE[name][state])),
  ];
  const timeout = (name: keyof typeof TIMEOUT_TABLE): string[] => [
    OPERATIONS[name],
    ...TIMEOUTS.map((state: TimeoutStateName) => outcomeText(TIMEOUT_TABLE[name][state])),
  ];
  return {
    regions: markdownTable(
      ['index', 'name', 'kind', 'bytes', 'bytes in version 1'],
      [
        ['0', code('mem'), 'pass-through: RAM of the host', code(hex(MEM_SIZE)), String(MEM_SIZE_V1)],
        [
          '1',
          code('regs'),
          'trapping: each access is a call into QEMU',
          code(hex(REGS_SIZE)),
          String(REGS_SIZE_V1),
        ],
      ],
    ),
    mem: markdownTable(
      ['offset', 'type', 'name', 'meaning'],
      [
        [
          code(hex(MEM_DATA_LEN)),
          code('u64'),
          code('data_len'),
          `length of the text with its NUL, written by UPDATE; seconds of a timeout, read by TIMEOUT`,
        ],
        [code(hex(MEM_DATA)), code(`char[${DATA_SIZE}]`), code('data'), 'the text, written by UPDATE'],
        [code(hex(MEM_DATA + DATA_SIZE)), '', '', FREE],
        [
          code(hex(MEM_PAGE)),
          code(`u8[${hex(MEM_LAPS - MEM_PAGE)}]`),
          '',
          'with bit 3 of FEATURES: the live page',
        ],
        [
          code(hex(MEM_LAPS)),
          code(`u8[${hex(MEM_LAPS_END - MEM_LAPS)}]`),
          '',
          'with bit 4 of FEATURES: the lap ring',
        ],
        [
          code(hex(MEM_REQUESTS)),
          code(`u8[${hex(MEM_REQUESTS_END - MEM_REQUESTS)}]`),
          '',
          'with bit 5 of FEATURES: the request ring',
        ],
        [code(hex(MEM_REQUESTS_END)), '', '', `${FREE}, up to ${code(hex(MEM_SIZE))}`],
      ],
    ),
    registers: markdownTable(['offset', 'name', 'access', 'since', 'meaning'], registerRows()),
    status: markdownTable(
      ['value', 'name', 'meaning'],
      keys(STATUS).map((name) => [String(STATUS[name]), code(name), STATUS_MEANING[name]]),
    ),
    identity: markdownTable(
      ['bits', 'value', 'meaning'],
      [
        ['63…32', code(hex(MAGIC)), `"${ascii(MAGIC)}"`],
        ['31…0', String(VERSION), 'version of the contract'],
      ],
    ),
    features: `${markdownTable(
      ['bit', 'what is there'],
      keys(FEATURE_BIT).map((name) => [String(FEATURE_BIT[name]), FEATURE_MEANING[name]]),
    )}\n\nThis device reads ${code(hex(FEATURES, 1))}. Higher bits are for what comes later, and read 0.`,
    'live-page': fieldTable(MEM_PAGE, PAGE),
    laps: fieldTable(MEM_LAPS, LAPS, `u64[${LAPS_CAPACITY}]`),
    requests: fieldTable(MEM_REQUESTS, REQUESTS, `u8[${REQUESTS_CAPACITY}][${REQUEST_BYTES}]`),
    request: markdownTable(
      ['offset', 'type', 'name', 'meaning'],
      REQUEST.map(({ name, offset, meaning }) => [code(hex(offset)), code('u64'), code(name), meaning]),
    ),
    errors: markdownTable(
      ['bit', 'mask', 'name', 'raised when'],
      keys(ERROR_BIT).map((name) => [
        String(ERROR_BIT[name]),
        code(hex(1 << ERROR_BIT[name])),
        code(name),
        ERROR_MEANING[name],
      ]),
    ),
    commands: markdownTable(
      ['value', 'command', ...STATES.map((state) => `in ${state}`)],
      [...keys(COMMAND).map(command), ['other', '', ...STATES.map(() => 'refused: BAD_COMMAND')]],
    ),
    timeouts: `${markdownTable(['operation', ...TIMEOUTS], keys(TIMEOUT_TABLE).map(timeout))}\n\nLimits: the command takes 1 to ${TIMEOUT_MAX_S} seconds, TIMEOUT_NS 1 to ${TIMEOUT_MAX_NS} nanoseconds.`,
    decisions: markdownTable(['write', 'in', ...TIMEOUTS.map((state) => `timeout ${state}`)], decisionRows()),
    'status-diagram': statusDiagram(),
    'timeout-diagram': timeoutDiagram(),
  };
}

/** The bytes of the magic as letters. */
function ascii(magic: bigint): string {
  return Buffer.from(magic.toString(16), 'hex').toString('ascii');
}
