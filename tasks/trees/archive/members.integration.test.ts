// SPDX-License-Identifier: MIT
/** Single files out of real archives, by reading all of them and by blocks. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { test, type Rig } from '../../../test/rig.js';
import type { ExtractDeps } from './extract.js';
import { membersOf } from './members.js';
import { membersByBlock } from './xz-blocks.js';

const deps = ({ processes, signal, env }: Rig): ExtractDeps => ({
  processes,
  signal,
  env,
  onProgress: () => {},
  log: () => {},
});

/** Files that do not compress, one of them longer than a block, one with a name too long for a plain header. */
function makeFiles(rig: Rig): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const put = (path: string, size: number): void => {
    const content = randomBytes(size);
    mkdirSync(dirname(rig.path('top', path)), { recursive: true });
    writeFileSync(rig.path('top', path), content);
    files.set(path, content);
  };
  for (let index = 0; index < 40; index++) put(`dir-${index % 7}/file ${index}`, 9000 + index * 100);
  put('big', 200_000);
  put('empty', 0);
  put(`dir-3/${'long/'.repeat(40)}name`, 5000);
  symlinkSync('big', rig.path('top', 'link'));
  return files;
}

/** In the order of `git archive`. */
function pack(rig: Rig, name: string, format: string, ...xz: string[]): string {
  const script = `find top | LC_ALL=C sort | tar --no-recursion --format=${format} -cf - -T - | xz ${xz.join(' ')} >${name}`;
  execFileSync('sh', ['-c', script], { cwd: rig.dir });
  return rig.path(name);
}

test.for(['pax', 'gnu'])('every file is found by blocks, and by reading all: %s', async (format, { rig }) => {
  const files = makeFiles(rig);
  const archive = pack(rig, 'a.tar.xz', format, '--block-size=65536');
  const paths = [...files.keys()];
  const byBlock = await membersByBlock(archive, [...paths, 'missing', 'zz'], deps(rig));
  const missed = paths.filter((path) => !byBlock.has(path));
  // Only where a long name and its file are in different blocks.
  expect(missed.filter((path) => path.length < 100)).toEqual([]);
  for (const [path, content] of byBlock) expect(files.get(path)?.equals(content), path).toBe(true);
  expect(new Map(await membersOf(archive, [...paths, 'missing'], rig.path('partial'), deps(rig)))).toEqual(
    files,
  );
});

test('an archive in one block, or none of xz, is left to who reads all of it', async ({ rig }) => {
  makeFiles(rig);
  expect((await membersByBlock(pack(rig, 'one.tar.xz', 'pax'), ['big'], deps(rig))).size).toBe(0);
  execFileSync('tar', ['-czf', 'a.tar.gz', 'top'], { cwd: rig.dir });
  expect((await membersByBlock(rig.path('a.tar.gz'), ['big'], deps(rig))).size).toBe(0);
  const [found] = [
    ...(await membersOf(rig.path('a.tar.gz'), ['big'], rig.path('partial'), deps(rig))).keys(),
  ];
  expect(found).toBe('big');
});
