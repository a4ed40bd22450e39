// SPDX-License-Identifier: MIT
/** Lists a source tree with the stat data of its files, by GNU find. */
import { readdirSync } from 'node:fs';
import { errnoOf } from '../errno.js';
import { StopwatchError } from '../errors.js';
import { baseEnvironment } from '../environment.js';
import { IGNORED_NAMES, isIgnored } from './ignored.js';
import type { Processes } from '../process/process.js';

/** One entry; strings are latin1, that is one character per byte, because a name need not be UTF-8. */
export interface Entry {
  /** Below the tree's root. */
  readonly path: string;
  /**
   * Type as of find's %y ('f', 'd', 'l', …), permissions in octal, then size and times. Equal means untouched.
   * Without size and times for directories: they change with every dropping.
   */
  readonly stat: string;
  /** What a link leads to. */
  readonly link: string;
}

/** Type and permissions. */
export function kindOf({ stat }: Entry): { readonly type: string; readonly mode: string } {
  const end = stat.indexOf(' ', 2);
  return { type: stat.charAt(0), mode: stat.slice(2, end < 0 ? undefined : end) };
}

/** When the entry itself was last changed, seconds since 1970; 0 for directories. */
export function changeTime({ stat }: Entry): number {
  return stat.charAt(0) === 'd' ? 0 : Number(stat.slice(stat.lastIndexOf(' ') + 1));
}

const PRUNE = ['(', ...IGNORED_NAMES.flatMap((name) => ['-name', name, '-o']), '-false', ')', '-prune'];
const FORMAT_DIRECTORY = ['-o', '-type', 'd', '-printf', 'd %m\\0%p\\0\\0'];
const FORMAT_OTHER = ['-o', '-printf', '%y %m %s %T@ %C@\\0%p\\0%l\\0'];

/**
 * The raw listing, for `parseListing`; undefined when `root` is no directory. `apart`: names at the top that are
 * listed side by side with the others, to make use of a second processor. Throws 'file-unreadable', 'interrupted'.
 */
export async function listTree(
  root: string,
  apart: readonly string[],
  processes: Processes,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  let names: string[];
  try {
    names = readdirSync(root).filter((name) => !isIgnored(name));
  } catch (cause) {
    const { code, message } = errnoOf(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new StopwatchError('file-unreadable', `Cannot list the tree ${root}: ${message}.`, { cause });
  }
  const all = new Set(names);
  const first = apart.filter((name) => all.has(name));
  for (const name of first) all.delete(name);
  const parts = [first, [...all]].filter((part) => part.length > 0);
  return Buffer.concat(await Promise.all(parts.map((part) => find(root, part, processes, signal))));
}

async function find(
  root: string,
  names: readonly string[],
  processes: Processes,
  signal: AbortSignal,
): Promise<Buffer> {
  const args = [...names.map((name) => `./${name}`), ...PRUNE, ...FORMAT_DIRECTORY, ...FORMAT_OTHER];
  const child = await processes.spawn({ file: 'find', args, cwd: root, env: baseEnvironment() }, { signal });
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
        hint: 'Make all of it readable for you.',
        lastLines: serious.slice(-20),
      },
    );
  }
  return Buffer.concat(out);
}

export function* parseListing(listing: Buffer): Generator<Entry> {
  const text = listing.toString('latin1');
  const next = (from: number) => text.indexOf('\0', from);
  for (let at = 0; at < text.length; ) {
    const path = next(at) + 1;
    const link = next(path) + 1;
    const end = next(link);
    if (path === 0 || link === 0 || end < 0) return;
    // Each path begins with './'.
    yield {
      stat: text.slice(at, path - 1),
      path: text.slice(path + 2, link - 1),
      link: text.slice(link, end),
    };
    at = end + 1;
  }
}

/** Names at the top that have together about half of all entries. */
export function halfOf(entries: readonly Entry[]): string[] {
  const counts = new Map<string, number>();
  for (const { path } of entries) {
    const slash = path.indexOf('/');
    const top = Buffer.from(slash < 0 ? path : path.slice(0, slash), 'latin1').toString('utf8');
    counts.set(top, (counts.get(top) ?? 0) + 1);
  }
  const half: string[] = [];
  let size = 0;
  for (const [name, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (size + count > entries.length / 2) continue;
    half.push(name);
    size += count;
  }
  return half;
}
