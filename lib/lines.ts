// SPDX-License-Identifier: MIT
/** Cuts a stream of bytes into lines, in bounded memory. */
import { StringDecoder } from 'node:string_decoder';

/** A line that is longer is given in pieces of about this many characters. */
const LONGEST_LINE = 64 * 1024;

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Gives what is left, when the last line has no newline. */
  end(): void;
}

/** `onLine` gets each line without its newline (and without a carriage return before it). */
export function createLineSplitter(
  onLine: (line: string) => void,
  longest: number = LONGEST_LINE,
): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const give = (line: string) => onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  const take = (text: string) => {
    let start = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, at);
      rest = '';
      start = at + 1;
      give(line);
    }
    rest += text.slice(start);
    while (rest.length >= longest) {
      const piece = rest.slice(0, longest);
      rest = rest.slice(longest);
      onLine(piece);
    }
  };
  return {
    push: (chunk) => take(decoder.write(chunk)),
    end() {
      take(decoder.end());
      if (rest !== '') {
        const line = rest;
        rest = '';
        give(line);
      }
    },
  };
}
