// SPDX-License-Identifier: MIT
/** One JSON object per line and event, for other programs. */
import type { Event } from '../engine/events.js';
import { serializeError } from '../../lib/serialize-error.js';
import { jsonText, type Output } from './format.js';
import { RunModel } from './progress-model.js';
import type { Reporter } from './reporter.js';

/** An event as one line of JSON, with its error as data. */
function eventLine(event: Event): string {
  const plain = event.type === 'task-failed' ? { ...event, error: serializeError(event.error) } : event;
  return `${jsonText(plain)}\n`;
}

export function createJsonReporter(output: Output): Reporter {
  const model = new RunModel();
  return {
    model,
    emit: (event) => {
      model.apply(event, performance.now());
      output.write(eventLine(event));
    },
    finish: async () => {},
  };
}
