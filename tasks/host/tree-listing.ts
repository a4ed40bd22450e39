// SPDX-License-Identifier: MIT
/** Lists a source tree with the stat data of its files, by GNU find. */
import { statSync } from 'node:fs';
import { StopwatchError } from '../core/errors.js';
import { baseEnvironment } from './environment.js';
import { IGNORED_NAMES } from './ignored.js';
import type { Processes } from './process.js';
import { which } from './which.js';

/** One entry; strings are latin1, that is one character per byte, because a name need not be UTF-8. */
export interface Entry {
  /** Below the tree's root; '' for the root itself. */
  readonly path: string;
  /** find's %y: 'f', 'd', 'l', … */
  readonly type: string;
  /** Permissions, octal. */
  readonly mode: string;
  /** All of the stat data; equal means untouched. Without times for directories: they change with every dropping. */
  readonly stat: string;
  /** Seconds since 1970, 0 for directories. */
  readonly ctime: number;
  readonly link: string;
}

const PRUNE = ['(', ...IGNORED_NAMES.flatMap((name) => ['-name', name, '-o']), '-false', ')', '-prune'];
const FORMAT_DIRECTORY = ['-o', '-type', 'd', '-printf', 'd %m\\0%P\\0\\0'];
const FORMAT_OTHER = ['-o', '-printf', '%y %m %s %T@ %C@\\0%P\\0%l\\0'];

/** The raw listing, for `parseListing`; undefined when `root` is no directory. Throws 'file-unreadable'. */
export async function listTree(
  root: string,
  processes: Processes,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  const env = baseEnvironment();
  const file = process.platform === 'darwin' && which('gfind', env['PATH']).found ? 'gfind' : 'find';
  const args = ['-H', root, ...PRUNE, ...FORMAT_DIRECTORY, ...FORMAT_OTHER];
  const child = await processes.spawn({ file, args, env }, { signal });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  const { exitCode } = await child.exited;
  if (signal.aborted) throw new StopwatchError('interrupted', `Interrupted while ${root} was being listed.`);
  const complaints = Buffer.concat(err).toString('utf8').split('\n').filter(Boolean);
  // A file that goes while we look is a change, not a failure.
  const serious = complaints.filter((line) => !line.includes('No such file or directory'));
  if (exitCode !== 0 && (serious.length > 0 || complaints.length === 0)) {
    throw new StopwatchError(
      'file-unreadable',
      `Cannot list the tree ${root}: ${serious[0] ?? 'find failed'}.`,
      {
        hint: 'Make all of it readable for you. (GNU find is needed: on macOS, brew install findutils.)',
        lastLines: serious.slice(-20),
      },
    );
  }
  return Buffer.concat(out);
}

export function parseListing(listing: Buffer): Entry[] {
  const fields = listing.toString('latin1').split('\0');
  const entries: Entry[] = [];
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [stat = '', path = '', link = ''] = fields.slice(index, index + 3);
    const type = stat.charAt(0);
    const words = stat.split(' ');
    entries.push({ path, type, mode: words[1] ?? '', stat, ctime: Number(words[4] ?? 0), link });
  }
  return entries;
}
