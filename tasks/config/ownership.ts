// SPDX-License-Identifier: MIT
/**
 * Whose files are executed. A configuration and a device are programs, and the search for them leads upwards, out of what
 * the user may know. So the rule is git's for repositories (safe.directory): only what belongs to the user or to root.
 */
import { lstatSync, statSync } from 'node:fs';
import { StopwatchError } from '../../lib/errors.js';

/** Ours, root's, and for root under sudo those of the user who called it. */
function trustedOwners(): readonly number[] {
  const own = process.geteuid?.() ?? 0;
  const caller = /^\d{1,10}$/.exec(process.env['SUDO_UID'] ?? '')?.[0];
  return own === 0 && caller !== undefined ? [0, Number(caller)] : [own, 0];
}

/** The first user, by number, who is none of these and has this file, this link or what it leads to; undefined: nobody. */
function strangerOf(path: string): number | undefined {
  const owners = trustedOwners();
  const found = [lstatSync(path, { throwIfNoEntry: false }), statSync(path, { throwIfNoEntry: false })];
  return found.flatMap((stat) => stat?.uid ?? []).find((uid) => !owners.includes(uid));
}

/** Whether they belong to the user or to root, as far as they exist. */
export function areTrusted(paths: readonly string[]): boolean {
  return paths.every((path) => strangerOf(path) === undefined);
}

/** Throws 'bad-config' for the first one that belongs to somebody else. */
export function assertTrusted(...paths: readonly string[]): void {
  for (const path of paths) {
    const stranger = strangerOf(path);
    if (stranger === undefined) continue;
    throw new StopwatchError(
      'bad-config',
      `${path} belongs to another user (uid ${stranger}): what is there would run as you (uid ${process.geteuid?.()}), so nothing of it is used`,
      {
        hint: `Only files of your own and of root are executed. If you know what is in it, make it yours: chown, or a copy.`,
      },
    );
  }
}
