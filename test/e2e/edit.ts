// SPDX-License-Identifier: MIT
/** Edits of files, undone at the end of each test. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';

const originals = new Map<string, string>();

/** To be called once in each file that edits: puts back what its tests have changed. */
export function undoEdits(): void {
  afterEach(restore);
}

/** Puts back everything that was edited. */
export function restore(): void {
  for (const [file, text] of originals) writeFileSync(file, text);
  originals.clear();
}

/** Replaces the one place where `old` stands in a file. Throws where there is none, or several. */
export function edit(directory: string, name: string, old: string, replacement: string): void {
  const file = join(directory, name);
  const text = readFileSync(file, 'utf8');
  const parts = text.split(old);
  if (parts.length !== 2)
    throw new Error(`${file}: expected '${old}' once, got it ${parts.length - 1} times`);
  if (!originals.has(file)) originals.set(file, text);
  writeFileSync(file, parts.join(replacement));
}

/** Adds to the end of a file. */
export function append(directory: string, name: string, more: string): void {
  const file = join(directory, name);
  const text = readFileSync(file, 'utf8');
  if (!originals.has(file)) originals.set(file, text);
  writeFileSync(file, `${text}${more}`);
}

/** Gives a file other contents. */
export function replace(directory: string, name: string, text: string): void {
  const file = join(directory, name);
  if (!originals.has(file)) originals.set(file, readFileSync(file, 'utf8'));
  writeFileSync(file, text);
}
