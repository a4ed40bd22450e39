// SPDX-License-Identifier: MIT
/** A StopwatchError as JSON, for another process and for --json. */
import { z } from 'zod';
import { withoutCredentials } from './credentials.js';
import { ERROR_CODES, type ErrorCode, messageOf, StopwatchError } from './errors.js';

export const serializedErrorSchema = z.object({
  code: z.custom<ErrorCode>((code) => typeof code === 'string' && code in ERROR_CODES),
  exitCode: z.number(),
  message: z.string(),
  hint: z.string().optional(),
  command: z.string().optional(),
  log: z.string().optional(),
  lastLines: z.array(z.string()),
  /** Messages of what caused it, outermost first. */
  causes: z.array(z.string()),
});
type SerializedError = z.infer<typeof serializedErrorSchema>;

/** Takes the first of several errors; any value that is not a StopwatchError becomes an internal error. */
export function serializeError(thrown: unknown): SerializedError {
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  const error = first instanceof StopwatchError ? first : new StopwatchError('internal', messageOf(first));
  const { code, exitCode, message, hint, command, log, lastLines } = error;
  const causes: string[] = [];
  for (let { cause } = error; cause !== undefined && causes.length < 10; ) {
    causes.push(withoutCredentials(messageOf(cause)));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return { code, exitCode, message, hint, command, log, lastLines: [...lastLines], causes };
}

export function deserializeError({ code, message, ...details }: SerializedError): StopwatchError {
  return new StopwatchError(code, message, details);
}
