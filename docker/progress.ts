// SPDX-License-Identifier: MIT
/** The messages of a build, a pull or an import, as the Engine API streams them, made into lines. */

import { stripVTControlCharacters } from 'node:util';
import { textField } from './field.js';

export interface ProgressLines {
  /**
   * Takes one message: of a build (`stream`), of a pull (`status`, for the layer `id`), or a failure (`error`),
   * for which an Error with the daemon's words is thrown.
   */
  message(message: unknown): void;
  /** Hands on what has no newline at its end. */
  end(): void;
}

/** A pull repeats a layer's status for every few kilobytes: only its changes become lines. */
export function progressLines(onLine: (line: string) => void): ProgressLines {
  let partial = '';
  const statuses = new Map<string, string>();
  const hand = (line: string): void => {
    // A build's standard error comes in red.
    const plain = stripVTControlCharacters(line).trimEnd();
    if (plain !== '') onLine(plain);
  };
  const flush = (): void => {
    hand(partial);
    partial = '';
  };
  return {
    message(message) {
      const [stream, status, id, error] = ['stream', 'status', 'id', 'error'].map((key) =>
        textField(message, key),
      );
      if (error !== undefined) {
        flush();
        throw new Error(error);
      }
      if (stream !== undefined) {
        const lines = (partial + stream).split(/\r?\n|\r/);
        partial = lines.pop() ?? '';
        for (const line of lines) hand(line);
      }
      if (status !== undefined && statuses.get(id ?? '') !== status) {
        statuses.set(id ?? '', status);
        onLine(id === undefined ? status : `${id}: ${status}`);
      }
    },
    end: flush,
  };
}
