// SPDX-License-Identifier: MIT
/** Remarks as the Code Quality report that GitLab shows at the lines of a merge request. Pure. */
import { createHash } from 'node:crypto';
import type { Annotation } from './ci-system.js';

/**
 * The report's text: a list with one entry for each remark that has a file; GitLab takes no others.
 * Source: docs.gitlab.com, "Code Quality report format".
 */
export function codeQuality(annotations: readonly Annotation[]): string {
  const entries = annotations.flatMap(({ severity, title, message, file, line = 1 }) =>
    file === undefined
      ? []
      : [
          {
            description: message,
            check_name: title,
            // Without the line: a remark that has only moved is not a new one.
            fingerprint: createHash('sha256')
              .update(JSON.stringify([title, file, message]))
              .digest('hex'),
            severity: severity === 'error' ? 'critical' : 'minor',
            location: { path: file, lines: { begin: line } },
          },
        ],
  );
  return `${JSON.stringify(entries, null, 2)}\n`;
}
