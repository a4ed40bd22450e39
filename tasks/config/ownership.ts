// SPDX-License-Identifier: MIT
/**
 * Decides whose files are executed. A configuration and a device are programs, and the search for them leads upwards, into
 * directories that the user may not know. So git's rule for repositories holds: only files of the user or of root, or
 * files in a directory that git trusts (safe.directory).
 */
import { execFileSync } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StopwatchError } from '../../lib/errors.js';
import { isDirectory } from '../../lib/directory.js';

/** This user, root, and for root under sudo the user who called it. */
function trustedOwners(): readonly number[] {
  const own = process.geteuid?.() ?? 0;
  const caller = /^\d{1,10}$/.exec(process.env['SUDO_UID'] ?? '')?.[0];
  return own === 0 && caller !== undefined ? [0, Number(caller)] : [own, 0];
}

/** The uid of another user who owns this file, or this link or its target; undefined if all owners are trusted. */
function untrustedOwner(path: string): number | undefined {
  const owners = trustedOwners();
  const found = [lstatSync(path, { throwIfNoEntry: false }), statSync(path, { throwIfNoEntry: false })];
  const owner = found.flatMap((stat) => stat?.uid ?? []).find((uid) => !owners.includes(uid));
  return owner === undefined || isSafeForGit(path) ? undefined : owner;
}

/** Only what the user and the host's administrator have set counts, as with git: a repository cannot say it of itself. */
function isSafeForGit(path: string): boolean {
  const entries = ['--system', '--global'].flatMap((scope) => safeDirectories(scope));
  return entries.some((entry) => entry === '*' || path === entry || path.startsWith(`${entry}/`));
}

function safeDirectories(scope: string): readonly string[] {
  try {
    const args = ['config', scope, '--null', '--get-all', 'safe.directory'];
    const listed = execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    const entries = listed.split('\0').slice(0, -1);
    // An empty one takes back those before it.
    return entries.slice(entries.lastIndexOf('') + 1).map((entry) => entry.replace(/\/\*?$/, ''));
  } catch {
    // Nothing is set, or there is no git.
    return [];
  }
}

/** True if all that exist belong to the user or to root. */
export function areTrusted(paths: readonly string[]): boolean {
  return paths.every((path) => untrustedOwner(path) === undefined);
}

/** Throws 'bad-config' for the first one that belongs to another user. */
export function assertTrusted(...paths: readonly string[]): void {
  for (const path of paths) {
    const owner = untrustedOwner(path);
    if (owner === undefined) continue;
    throw new StopwatchError(
      'bad-config',
      `${path} belongs to another user (uid ${owner}): what is there would run as you (uid ${process.geteuid?.()}), so nothing of it is used`,
      { hint: `If you trust what is there: ${trustCommand(path)}` },
    );
  }
}

function trustCommand(path: string): string {
  const directory = isDirectory(path) ? path : dirname(path);
  // Its name may be the other user's. What quotes for a shell elsewhere would make every start slower.
  return `git config --global --add safe.directory '${directory.replaceAll("'", String.raw`'\''`)}'`;
}
