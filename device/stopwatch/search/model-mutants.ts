// SPDX-License-Identifier: MIT
/** The faults that are put into the reference model. */
import { COMMAND, ERROR_BIT, REGISTERS, STATUS, TIMEOUT_STATE, TIMEOUT_TABLE } from '../contract.js';
import { maskTypeScript, modelOperators, type Mutant, mutants } from '../../../lab/search/device-kit.js';

const OUTCOMES = ['nothing', 'text', 'arm', 'cancel', 'acknowledge', 'timeout', 'timeout-ack'];

/** All that decides what the model does: not its words for people. */
export const MODEL_SOURCES = [
  'device/stopwatch/contract.ts',
  'device/stopwatch/model/access.ts',
  'device/stopwatch/model/codes.ts',
  'device/stopwatch/model/state.ts',
  'device/stopwatch/model/step.ts',
  'device/stopwatch/model/write.ts',
];

/** What the model says to people when something is wrong decides nothing. */
const WORDS = /\b(?:impossible|fail|\w*Error)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g;
const mask = (source: string): string =>
  maskTypeScript(source).replace(WORDS, (text) => text.replace(/[^\n]/g, ' '));

export function modelMutants(file: string, source: string): readonly Mutant[] {
  const operators = modelOperators({
    quoted: [
      Object.keys(STATUS),
      Object.keys(TIMEOUT_STATE),
      Object.keys(ERROR_BIT),
      Object.keys(COMMAND).filter((name) => !(name in STATUS)),
      REGISTERS.map(({ name }) => name),
      Object.keys(TIMEOUT_TABLE),
      OUTCOMES,
    ],
    fields: [
      ['elapsed', 'since', 'deadline', 'count', 'error'],
      ['arm', 'cancel', 'acknowledge'],
    ],
    limits: [
      'TIMEOUT_MAX_NS',
      'TIMEOUT_MAX_S',
      'NS_PER_S',
      'NS_PER_HUNDREDTH',
      'MAGIC',
      'VERSION',
      'FEATURES',
    ],
  });
  // Of the contract, the decisions: a register's place is a matter of the header, which both sides have.
  const from = file.endsWith('contract.ts') ? 'export const COMMAND_TABLE' : '';
  const named: Mutant[] = [];
  for (const mutant of mutants(source, operators, from, mask))
    named.push({ ...mutant, id: `${file.replace('device/', '')}: ${mutant.id}` });
  return named;
}
