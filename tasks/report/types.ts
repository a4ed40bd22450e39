// SPDX-License-Identifier: MIT
/** What every reporter is, and how one is told to look. */
import type { Emit } from '../engine/events.js';
import type { CiSystem } from './ci-system.js';
import type { RunModel } from './progress-model.js';

export interface Reporter {
  /** Never throws, never waits. */
  readonly emit: Emit;
  /** Everything seen so far; the summary is made of it. */
  readonly model: RunModel;
  /** Shows what is left to show and gives the terminal back. May be called again; more events may follow. */
  finish(): Promise<void>;
}

/** How to show a run. */
export interface Look {
  readonly kind: 'terminal' | 'plain' | 'json' | 'ci';
  /** Set for 'ci'. */
  readonly system?: CiSystem;
  readonly colour: boolean;
  readonly verbose: boolean;
}
