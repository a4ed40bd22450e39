// SPDX-License-Identifier: MIT
/** How a run was checked, saved beside its events so that `crosscheck FILE` checks them alike. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { StopwatchError } from '../../lib/errors.js';
import type { CheckedInstance } from '../../vm/crosscheck/index.js';
import type { ProjectDevice } from '../../vm/device.js';

const instanceSchema = z.object({
  id: z.string(),
  /** Which of the project's devices. */
  device: z.string(),
  how: z.object({
    slackNs: z.number(),
    properties: z.record(z.string(), z.union([z.string(), z.boolean(), z.number()])),
  }),
  /** What the guest printed was checked, too. */
  guest: z.boolean(),
  guestMayBeSilent: z.boolean(),
  atLeast: z.record(z.string(), z.number()),
  /** The region's guest-physical address, and the interrupt's id; null: not checked. */
  monitor: z.object({ base: z.string().nullable(), interrupt: z.number().nullable() }).nullable(),
});
/** Those that have a checker, in the order of the machine. */
const schema = z.object({ instances: z.array(instanceSchema) });
type SavedInstance = z.infer<typeof instanceSchema>;
export type SavedCheck = z.infer<typeof schema>;

/** The checkers and their options. `replay`: the command that repeats the check. Throws 'bad-config' for a device that has no checker now. */
export function checkedInstances(
  { instances }: SavedCheck,
  devices: readonly ProjectDevice[],
  replay?: string,
): readonly CheckedInstance[] {
  return instances.map((saved) => {
    const found = devices.find(({ device }) => device.description.name === saved.device);
    const checker = found?.device.checker?.(saved.how);
    if (checker === undefined) {
      throw new StopwatchError('bad-config', `${saved.id} was checked as a ${saved.device}`, {
        hint: `The project has ${found === undefined ? 'no such device' : 'no checker for that device'} now.`,
      });
    }
    return { id: saved.id, checker, options: { ...optionsOf(saved), ...(replay && { replay }) } };
  });
}

function optionsOf({
  guest,
  guestMayBeSilent,
  atLeast,
  monitor,
}: SavedInstance): NonNullable<CheckedInstance['options']> {
  if (monitor === null) return { guest, guestMayBeSilent, atLeast, coverage: true };
  const { base, interrupt } = monitor;
  return {
    guest,
    guestMayBeSilent,
    atLeast,
    coverage: true,
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
