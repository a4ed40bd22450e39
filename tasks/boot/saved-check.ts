// SPDX-License-Identifier: MIT
/** How a run was checked, saved beside its events so that `crosscheck FILE` checks them alike. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { StopwatchError } from '../../lib/errors.js';
import type { CheckOptions } from '../../vm/crosscheck/index.js';

const schema = z.object({
  how: z.object({
    slackNs: z.number(),
    properties: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])),
  }),
  /** What the guest printed was checked, too. */
  guest: z.boolean(),
  atLeast: z.record(z.string(), z.number()),
  /** The region's guest-physical address, and the interrupt's id; null: not checked. */
  monitor: z.object({ base: z.string().nullable(), interrupt: z.number().nullable() }).nullable(),
});
export type SavedCheck = z.infer<typeof schema>;

/** The checker's options. */
export function checkOptionsOf({ guest, atLeast, monitor }: SavedCheck): CheckOptions {
  if (monitor === null) return { guest, atLeast };
  const { base, interrupt } = monitor;
  return {
    guest,
    atLeast,
    monitor: {
      accesses: base === null ? {} : { base: BigInt(base) },
      ...(interrupt === null ? {} : { interrupt }),
    },
  };
}

/** Undefined when there is no such file. Throws 'file-unreadable' for one that is not what a run writes. */
export async function readSavedCheck(file: string): Promise<SavedCheck | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StopwatchError(
      'file-unreadable',
      `${file} is not what a run writes, so how to judge its events is not known`,
      {
        hint: 'Move the events to another directory to have them judged by the configuration in force.',
        cause,
      },
    );
  }
}
