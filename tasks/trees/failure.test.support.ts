// SPDX-License-Identifier: MIT
import { expect } from 'vitest';
import { StopwatchError } from '../../lib/errors.js';

/** The StopwatchError that a promise fails with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<StopwatchError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StopwatchError) return error;
    throw error;
  }
  return expect.fail('expected a failure');
}
