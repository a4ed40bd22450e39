// SPDX-License-Identifier: MIT
/** The parts of --help that commander does not make: exit codes and examples. */
import type { Command } from 'commander';
import { EXIT } from '../../lib/errors.js';

const EXIT_CODES: readonly (readonly [number, string])[] = [
  [EXIT.passed, 'passed'],
  [EXIT.testFailed, "the guest's test failed"],
  [EXIT.usage, 'usage or configuration'],
  [EXIT.differs, 'the device and the model differ'],
  [EXIT.guest, 'the guest or QEMU crashed, hung or never spoke'],
  [EXIT.host, 'host, download or build'],
  [EXIT.interrupted, 'interrupted'],
];

/** Adds the exit codes a command can end with, and examples as [command line, what it does]. */
export function addHelp(
  command: Command,
  exits: readonly (keyof typeof EXIT)[],
  examples: readonly (readonly [string, string])[],
): void {
  const codes = new Set<number>(exits.map((name) => EXIT[name]));
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = [
    '',
    'Exit codes:',
    ...EXIT_CODES.filter(([code]) => codes.has(code)).map(
      ([code, text]) => `  ${String(code).padEnd(4)}${text}`,
    ),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map(([line, text]) => `  ${line.padEnd(width)}  # ${text}`),
  ];
  command.addHelpText('after', lines.join('\n'));
}

/** Every exit code but those of the guest's test. */
export const BUILD_EXITS = [
  'passed',
  'usage',
  'host',
  'interrupted',
] as const satisfies (keyof typeof EXIT)[];
export const ALL_EXITS = [
  'passed',
  'testFailed',
  'usage',
  'differs',
  'guest',
  'host',
  'interrupted',
] as const satisfies (keyof typeof EXIT)[];
