// SPDX-License-Identifier: MIT
/** rngboi's reference model. Pure, and imports nothing but the contract. */
import { nextWord, RNG0, WORD_SIZE } from './contract.js';

export interface ModelState {
  /** The device's property; 0: the words come from the host, so the model cannot know them. */
  readonly seed: bigint;
  /** The generator's state; 0 without a seed. */
  readonly state: bigint;
}

export const initialState: ModelState = { seed: 0n, state: 0n };

export type Stimulus =
  | { readonly stimulus: 'reset'; readonly seed: bigint }
  | { readonly stimulus: 'read' | 'write'; readonly offset: bigint; readonly size: number }
  | { readonly stimulus: 'load'; readonly state: bigint };

export interface StepResult {
  readonly state: ModelState;
  /** The value that a read returns; undefined if it comes from the host. */
  readonly value?: bigint | undefined;
  readonly refused?: boolean | undefined;
  /** Why the device cannot reach this state. */
  readonly impossible?: string | undefined;
}

export function step(before: ModelState, stimulus: Stimulus): StepResult {
  switch (stimulus.stimulus) {
    case 'reset':
      return { state: { seed: stimulus.seed, state: stimulus.seed } };
    case 'load': {
      const impossible =
        before.seed === 0n && stimulus.state !== 0n ? 'state 0 of a device without a seed' : undefined;
      return { state: { ...before, state: stimulus.state }, impossible };
    }
    case 'write':
      return { state: before, refused: true };
    case 'read': {
      if (stimulus.offset !== BigInt(RNG0) || stimulus.size !== WORD_SIZE)
        return { state: before, value: 0n, refused: true };
      if (before.seed === 0n) return { state: before };
      const { state, word } = nextWord(before.state);
      return { state: { ...before, state }, value: word };
    }
    default:
      return stimulus satisfies never;
  }
}
