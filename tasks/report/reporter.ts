// SPDX-License-Identifier: MIT
/** Which reporter a run gets. */
import { unreachable } from '../engine/events.js';
import type { CiOptions } from './ci.js';
import { ciSystem, type CiSystem } from './ci-system.js';
import type { Output } from './format.js';
import type { Look, Reporter } from './types.js';

/** Columns below which rows say too little to be worth moving. */
const NARROWEST = 20;

export interface LookRequest {
  readonly json: boolean;
  readonly verbose: boolean;
  /** --ci; absent: as the environment says. */
  readonly ci?: CiSystem | 'none' | undefined;
  /** --no-color was given. */
  readonly noColour: boolean;
  /** The output is a terminal. */
  readonly isTerminal: boolean;
  /** Its columns; 0 where the terminal does not say. */
  readonly columns: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Rows that move need a terminal that can; colour also needs nobody who minds (NO_COLOR, see no-color.org). */
export function chooseLook(request: LookRequest): Look {
  const { json, verbose, noColour, isTerminal, columns, environment } = request;
  const able = isTerminal && environment['TERM'] !== 'dumb';
  const colour = able && !noColour && !json && (environment['NO_COLOR'] ?? '') === '';
  const isCi = (environment['CI'] ?? '') !== '' && environment['CI'] !== 'false';
  if (json) return { kind: 'json', colour: false, verbose };
  const system = ciSystem(request.ci, environment);
  if (system !== undefined) return { kind: 'ci', system, colour: false, verbose };
  return { kind: able && columns >= NARROWEST && !verbose && !isCi ? 'terminal' : 'plain', colour, verbose };
}

/** Loads and makes the reporter. */
export async function createReporter(
  look: Look,
  output: Output,
  places: Omit<CiOptions, 'system'> = { workspace: '.', directories: [] },
): Promise<Reporter> {
  switch (look.kind) {
    case 'json':
      return (await import('./json.js')).createJsonReporter(output);
    case 'terminal':
      return (await import('./terminal.js')).createTerminalReporter(output, look.colour);
    case 'ci':
      return (await import('./ci.js')).createCiReporter(output, {
        system: look.system ?? 'github',
        ...places,
      });
    case 'plain':
      return (await import('./plain.js')).createPlainReporter(output, look);
    default:
      return unreachable(look.kind);
  }
}
