// SPDX-License-Identifier: MIT
/**
 * Results of small tasks, by the fingerprint that they were made under:
 *
 *     <directory>/<task>/<fingerprint>/manifest.json   which file is which output, with its sum
 *     <directory>/<task>/<fingerprint>/0, 1, …         the files
 *
 * An entry gets its name when it is whole, and is checked against its sums
 * before anything is taken from it: a damaged one is removed, and the task
 * runs. Keeping only saves time, so a disk that is full is no failure.
 */
import { createHash } from 'node:crypto';
import { constants, createReadStream, lstatSync, statSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { taskFileName } from './state.js';
import type { Task } from './task.js';

const manifestSchema = z.strictObject({
  outputs: z.array(z.strictObject({ path: z.string(), sha256: z.string(), mode: z.int() })),
});

/** Entries of one task; the one used longest ago goes first. */
const MOST = 8;

export interface Results {
  /** Puts the outputs there as they were made under this fingerprint: all of them, or none (false). */
  restore(task: Task, fingerprint: string): Promise<boolean>;
  /** To be called when the outputs are complete. Never rejects. */
  keep(task: Task, fingerprint: string): Promise<void>;
}

/** The caller holds the lock of the work directory. */
export function createResults(directory: string): Results {
  const place = (task: Task) => join(directory, taskFileName(task.name));
  return {
    async restore(task, fingerprint) {
      const entry = join(place(task), fingerprint);
      const made: string[] = [];
      try {
        const { outputs } = manifestSchema.parse(
          JSON.parse(await readFile(join(entry, 'manifest.json'), 'utf8')),
        );
        if (outputs.map(({ path }) => path).join('\0') !== task.outputs.join('\0')) return false;
        for (const [index, { path, sha256, mode }] of outputs.entries()) {
          const fresh = temporary(path);
          made.push(fresh);
          // A copy, not a link: tools write into their outputs.
          await copyFile(join(entry, String(index)), fresh, constants.COPYFILE_FICLONE);
          if ((await sumOf(fresh)) !== sha256) throw new Error(`${entry} is damaged`);
          await chmod(fresh, mode);
        }
        for (const { path } of outputs) await rename(temporary(path), path);
        await utimes(entry, new Date(), new Date());
        return true;
      } catch {
        for (const path of made) await rm(path, { force: true });
        await rm(entry, { recursive: true, force: true });
        return false;
      }
    },
    async keep(task, fingerprint) {
      const parent = place(task);
      const partial = join(parent, `.partial-${fingerprint}`);
      try {
        for (const name of await readdir(parent).catch(() => [])) {
          if (name.startsWith('.partial-')) await rm(join(parent, name), { recursive: true });
        }
        await mkdir(partial, { recursive: true });
        const outputs = [];
        for (const [index, path] of task.outputs.entries()) {
          if (!lstatSync(path).isFile()) throw new Error(`${path} is no file`);
          const copy = join(partial, String(index));
          await copyFile(path, copy, constants.COPYFILE_FICLONE);
          outputs.push({ path, sha256: await sumOf(copy), mode: lstatSync(path).mode & 0o7777 });
        }
        await writeFile(join(partial, 'manifest.json'), JSON.stringify({ outputs }));
        await rm(join(parent, fingerprint), { recursive: true, force: true });
        await rename(partial, join(parent, fingerprint));
        await dropOld(parent);
      } catch {
        await rm(partial, { recursive: true, force: true }).catch(() => {});
      }
    },
  };
}

const temporary = (path: string): string => `${path}.${process.pid}-0.tmp`;

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function dropOld(parent: string): Promise<void> {
  const entries = (await readdir(parent)).map((name) => {
    const path = join(parent, name);
    return { path, usedMs: statSync(path).mtimeMs };
  });
  entries.sort((a, b) => b.usedMs - a.usedMs);
  for (const { path } of entries.slice(MOST)) await rm(path, { recursive: true, force: true });
}
