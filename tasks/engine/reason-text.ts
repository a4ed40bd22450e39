// SPDX-License-Identifier: MIT
/** Why a task is stale, in words. */
import { relative } from 'node:path';
import { unreachable } from '../../lib/unreachable.js';
import type { Reason } from './events.js';

/** One reason. Paths are shown relative to `base` where they are below it. */
export function reasonText(reason: Reason, base: string): string {
  switch (reason.kind) {
    case 'never-run':
      return 'never run';
    case 'always':
      return `always runs: ${reason.why}`;
    case 'forced':
      return 'asked for with --force';
    case 'unfinished':
      return 'was interrupted or failed the last time';
    case 'value':
      return `${reason.key} was ${reason.was}, is ${reason.is}`;
    case 'file':
      return `${shown(reason.path, base)} ${reason.change}`;
    case 'tree': {
      if (reason.changed.length === 0) return `${shown(reason.path, base)} changed`;
      const names = reason.changed.join(', ');
      const more = reason.more > 0 ? ` and ${reason.more} more` : '';
      return `in ${shown(reason.path, base)} changed: ${names}${more}`;
    }
    case 'tool':
      return `${reason.tool} was '${reason.was}', is '${reason.is}'`;
    case 'dependency':
      return `its dependency ${reason.task} is stale or has a new result`;
    case 'output':
      return `its output ${shown(reason.path, base)} ${reason.change === 'missing' ? 'is missing' : 'has changed since the task finished'}`;
    default:
      return unreachable(reason);
  }
}

function shown(path: string, base: string): string {
  const below = relative(base, path);
  return below === '' || below.startsWith('..') ? path : below;
}
