// SPDX-License-Identifier: MIT
/** Patch files, which are mails as git format-patch writes them. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StopwatchError } from '../../../lib/errors.js';
import type { Repository } from '../repository/repository.js';

export interface PatchFile {
  readonly file: string;
  readonly sha256: string;
}

export async function readPatchFiles(files: readonly string[]): Promise<readonly PatchFile[]> {
  return Promise.all(
    files.map(async (file) => {
      const content = await readFile(file).catch((cause: unknown) => {
        throw new StopwatchError('file-unreadable', `Could not read the patch ${file}`, { cause });
      });
      mustHaveUnixLineEnds(file, content);
      return { file, sha256: createHash('sha256').update(content).digest('hex') };
    }),
  );
}

/** Lines of a mail never end like that; those of a file in it may. */
function mustHaveUnixLineEnds(file: string, content: Buffer): void {
  const end = content.indexOf('\n');
  if (end < 1 || content[end - 1] !== 0x0d) return;
  throw new StopwatchError(
    'patch-failed',
    `The patch ${file} has CRLF line ends, so it fits no source tree: git converted it when it was checked out (core.autocrlf)`,
    {
      hint: 'A file .gitattributes with the line `* -text` keeps them; then: git rm --cached -rq . && git reset --hard (which loses what is not committed), or clone again.',
    },
  );
}

interface Mail {
  readonly author: string;
  readonly email: string;
  readonly subject: string;
  readonly body: string;
  /** File that holds the patch alone. */
  readonly diff: string;
}

export async function mailOf(repository: Repository, { file }: PatchFile): Promise<Mail> {
  const directory = repository.file('mail');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const [message, diff] = [join(directory, 'message'), join(directory, 'diff')];
  const script = 'git mailinfo -b --encoding=UTF-8 "$1" "$2" <"$3"';
  const info = await repository.script(script, [message, diff, file]);
  const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(info)?.[1] ?? '';
  if ((await readFile(diff)).length === 0) {
    throw new StopwatchError(
      'patch-failed',
      `The patch ${file} cannot be used: expected a mail as git format-patch writes it, got no diff`,
      { hint: 'Make the change in the tree and let npx stopwatch update_patches write it.' },
    );
  }
  return {
    author: header('Author'),
    email: header('Email'),
    subject: header('Subject') || basename(file, '.patch'),
    body: await readFile(message, 'utf8'),
    diff,
  };
}

export async function subjectOf(repository: Repository, patch: PatchFile): Promise<string> {
  return (await mailOf(repository, patch)).subject;
}
