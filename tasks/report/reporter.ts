// SPDX-License-Identifier: MIT
/** Defines a reporter, and chooses one for a run. */
import type { Emit } from '../engine/events.js';
import { unreachable } from '../../lib/unreachable.js';
import type { CiOptions } from './ci.js';
import type { Output } from './format.js';
import type { RunModel } from './progress-model.js';

export interface Reporter {
  /** Never throws, never waits. */
  readonly emit: Emit;
  /** Everything seen so far, for the summary. */
  readonly model: RunModel;
  /** Shows what is left to show and gives the terminal back. May be called again; more events may follow. */
  finish(): Promise<void>;
}

export type CiSystem = 'github' | 'gitlab';

/** How to show a run. */
export interface Look {
  readonly kind: 'terminal' | 'plain' | 'json' | 'ci';
  /** Set for 'ci'. */
  readonly system?: CiSystem | undefined;
  readonly colour: boolean;
  readonly verbose: boolean;
}

/** Below this many columns, rows have no space for anything useful. */
const NARROWEST = 20;

interface LookRequest {
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

/** Rows that move need a capable terminal; for NO_COLOR see no-color.org. */
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

/** `--ci`, or else the variables that the runners set. */
function ciSystem(asked: LookRequest['ci'], environment: LookRequest['environment']): CiSystem | undefined {
  if (asked !== undefined) return asked === 'none' ? undefined : asked;
  if (environment['GITHUB_ACTIONS'] === 'true') return 'github';
  if (environment['GITLAB_CI'] === 'true') return 'gitlab';
  return undefined;
}

/** Loads and makes the reporter. */
export async function createReporter(
  look: Look,
  output: Output,
  { workspace, directories }: Omit<CiOptions, 'system'> = { workspace: '.', directories: [] },
): Promise<Reporter> {
  switch (look.kind) {
    case 'json':
      return (await import('./json.js')).createJsonReporter(output);
    case 'terminal':
      return (await import('./terminal.js')).createTerminalReporter(output, look.colour);
    case 'ci': {
      const { system = 'github' } = look;
      return (await import('./ci.js')).createCiReporter(output, { system, workspace, directories });
    }
    case 'plain':
      return (await import('./plain.js')).createPlainReporter(output, look);
    default:
      return unreachable(look.kind);
  }
}
