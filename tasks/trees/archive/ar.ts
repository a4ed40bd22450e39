// SPDX-License-Identifier: MIT
/** The members of an `ar` archive, as .deb files are (deb(5), ar(5)). */
import { open } from 'node:fs/promises';
import { StopwatchError } from '../../../lib/errors.js';

export interface ArMember {
  readonly name: string;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  readonly size: number;
}

const MAGIC = '!<arch>\n';
const HEADER = 60;

/** Reads only the headers. Throws StopwatchError 'extract-failed' when the file is no whole ar archive. */
export async function arMembers(path: string): Promise<readonly ArMember[]> {
  const handle = await open(path);
  try {
    const { size: fileSize } = await handle.stat();
    const read = async (offset: number, length: number): Promise<string> => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
      return buffer.toString('latin1', 0, bytesRead);
    };
    if ((await read(0, MAGIC.length)) !== MAGIC) throw bad(path, 'expected "!<arch>" at its beginning');
    const members: ArMember[] = [];
    for (let at = MAGIC.length; at < fileSize; ) {
      const header = await read(at, HEADER);
      const size = header.slice(48, 58).trim();
      if (header.length !== HEADER || !header.endsWith('`\n') || !/^\d+$/.test(size)) {
        throw bad(path, `expected a member's header at byte ${at}`);
      }
      const member = {
        name: header.slice(0, 16).trim().replace(/\/$/, ''),
        offset: at + HEADER,
        size: Number(size),
      };
      if (member.offset + member.size > fileSize) throw bad(path, `it ends within its member ${member.name}`);
      members.push(member);
      // Members begin at even offsets.
      at = member.offset + member.size + (member.size % 2);
    }
    return members;
  } finally {
    await handle.close();
  }
}

function bad(path: string, why: string): StopwatchError {
  return new StopwatchError('extract-failed', `${path} is not a Debian package: ${why}`, {
    hint: 'Remove it and run the same command again.',
  });
}
