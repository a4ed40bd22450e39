// SPDX-License-Identifier: MIT
/** C that was renamed: lines that stood under an open parenthesis stand there again, as both trees' checkpatch wants it. Pure. */

const TAB = 8;

/** Column after the text, from 0; a tab ends at a multiple of 8. */
function width(text: string): number {
  let column = 0;
  for (const letter of text) column = letter === '\t' ? (Math.floor(column / TAB) + 1) * TAB : column + 1;
  return column;
}

/** Blanks up to a column, as the line had them: with tabs, or without. */
function blanks(column: number, like: string): string {
  if (!like.includes('\t')) return ' '.repeat(column);
  return '\t'.repeat(Math.floor(column / TAB)) + ' '.repeat(column % TAB);
}

interface Open {
  /** Columns of what comes after the parenthesis, before and after renaming. */
  readonly was: number;
  readonly is: number;
}

/** `rename` must change no line's number, no bracket, and no blanks at a line's beginning. */
export function renamedC(source: string, rename: (text: string) => string): string {
  const open: Open[] = [];
  let comment = false;
  return source
    .split('\n')
    .map((line) => {
      const indent = /^[\t ]*/.exec(line)?.[0] ?? '';
      const under = open.at(-1);
      const moved = under !== undefined && width(indent) === under.was;
      const before = moved ? blanks(under.is, indent) : indent;
      for (const token of line.matchAll(/\/\*|\*\/|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[()]/g)) {
        const [text] = token;
        if (text === '/*') comment = true;
        else if (text === '*/') comment = false;
        else if (comment) continue;
        else if (text === ')') open.pop();
        else if (text === '(') {
          const to = line.slice(0, token.index + 1);
          open.push({ was: width(to), is: width(before + rename(to.slice(indent.length))) });
        }
      }
      return before + rename(line.slice(indent.length));
    })
    .join('\n');
}
