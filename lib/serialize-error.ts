// SPDX-License-Identifier: MIT
/** A StopwatchError that is told to another process of ours, as JSON. */
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode, StopwatchError } from './errors.js';

export const toldErrorSchema = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && code in ERROR_CODES),
  message: z.string(),
  hint: z.string().optional(),
  command: z.string().optional(),
  log: z.string().optional(),
  lastLines: z.array(z.string()),
});
export type ToldError = z.infer<typeof toldErrorSchema>;

/** Of several at once, the first; of any other value, an internal error. */
export function tellError(thrown: unknown): ToldError {
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  if (!(first instanceof StopwatchError)) {
    return {
      code: 'internal',
      message: first instanceof Error ? first.message : String(first),
      lastLines: [],
    };
  }
  const { code, message, hint, command, log, lastLines } = first;
  return { code, message, hint, command, log, lastLines: [...lastLines] };
}

export function errorFrom({ code, message, hint, command, log, lastLines }: ToldError): StopwatchError {
  return new StopwatchError(code, message, {
    lastLines,
    ...(hint === undefined ? {} : { hint }),
    ...(command === undefined ? {} : { command }),
    ...(log === undefined ? {} : { log }),
  });
}
