// SPDX-License-Identifier: MIT
/** A generated directory: files with a given text, and links to sources. */
import { mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { linkAtomic, writeFileAtomic } from '../../lib/files/atomic.js';

export interface GeneratedDirectory {
  readonly directory: string;
  /** Text by path in the directory. */
  readonly files: Readonly<Record<string, string>>;
  /** Absolute target by path in the directory. */
  readonly links: Readonly<Record<string, string>>;
}

/** Its files and links, as absolute paths. */
export function pathsIn({ directory, files, links }: GeneratedDirectory): string[] {
  return [...Object.keys(files), ...Object.keys(links)].map((path) => join(directory, path));
}

/** Other links are removed, and all else stays: objects may be there too. What is right already keeps its time. */
export async function makeDirectory({ directory, files, links }: GeneratedDirectory): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink() && links[path.slice(directory.length + 1)] === undefined) await rm(path);
  }
  for (const [path, target] of Object.entries(links)) {
    const link = join(directory, path);
    if ((await readlink(link).catch(() => undefined)) !== target) await linkAtomic(link, target);
  }
  for (const [path, text] of Object.entries(files)) {
    const file = join(directory, path);
    if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) await writeFileAtomic(file, text);
  }
}
