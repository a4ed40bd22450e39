// SPDX-License-Identifier: MIT
/** Changes single values in the text of a configuration file, so that comments and everything else stay as they are. Pure. */

/** Where something stands in a text: from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One `key: value` of an object literal. */
export interface Property extends Span {
  readonly key: string;
  readonly value: Span;
}

/**
 * The object that a configuration file exports: the argument of defineConfig,
 * what follows `export default`, or the whole of a JSON file. Undefined where
 * it is written in another way: then a person has to edit it.
 */
export function configObject(text: string): Span | undefined {
  const match = /(?:^|\n)\s*export\s+default\s+(?:defineConfig\s*(?:<[^>]*>)?\s*\(\s*)?(?=\{)/.exec(text);
  const start = match === null ? (/^\s*\{/.exec(text)?.[0].length ?? 0) - 1 : match.index + match[0].length;
  if (start < 0 || text[start] !== '{') return undefined;
  const end = endOfValue(text, start);
  return end === undefined ? undefined : { start, end };
}

/** The properties of the object literal at `object`; undefined where there is more than plain `key: value` in it. */
export function properties(text: string, object: Span): readonly Property[] | undefined {
  const found: Property[] = [];
  let at = object.start + 1;
  for (;;) {
    at = afterBlanks(text, at);
    if (text[at] === ',') at = afterBlanks(text, at + 1);
    if (at >= object.end - 1) return found;
    const key = /^(?:([A-Za-z_$][\w$]*)|'([^'\\]*)'|"([^"\\]*)")/.exec(text.slice(at, object.end));
    if (key === null) return undefined;
    const colon = afterBlanks(text, at + key[0].length);
    if (text[colon] !== ':') return undefined;
    const start = afterBlanks(text, colon + 1);
    const end = endOfValue(text, start);
    if (end === undefined) return undefined;
    found.push({ key: key[1] ?? key[2] ?? key[3] ?? '', start: at, end, value: { start, end } });
    at = end;
  }
}

/** The items of the list literal at `list`. */
export function items(text: string, list: Span): readonly Span[] | undefined {
  const found: Span[] = [];
  let at = list.start + 1;
  for (;;) {
    at = afterBlanks(text, at);
    if (text[at] === ',') at = afterBlanks(text, at + 1);
    if (at >= list.end - 1) return found;
    const end = endOfValue(text, at);
    if (end === undefined) return undefined;
    found.push({ start: at, end });
    at = end;
  }
}

/** The value at a path of keys below the object; undefined where it is not there, or cannot be read. */
export function valueAt(text: string, object: Span, path: readonly string[]): Span | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return object;
  if (text[object.start] !== '{') return undefined;
  const found = properties(text, object)?.find(({ key }) => key === first);
  return found === undefined ? undefined : valueAt(text, found.value, rest);
}

/** Replaces parts that do not overlap. */
export function replaced(text: string, changes: readonly (Span & { readonly by: string })[]): string {
  let result = text;
  for (const { start, end, by } of [...changes].sort((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + by + result.slice(end);
  }
  return result;
}

/** The item with the comma and, where it stands alone on its lines, the lines: what goes when the item goes. */
export function wholeItem(text: string, { start, end }: Span): Span {
  const comma = afterBlanks(text, end);
  const last = text[comma] === ',' ? comma + 1 : end;
  const before = /[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0;
  const after = /^[ \t]*\n/.exec(text.slice(last))?.[0].length;
  const alone = after !== undefined && (start - before === 0 || text[start - before - 1] === '\n');
  return alone ? { start: start - before, end: last + after } : { start, end: last };
}

/** Index after blanks and comments. */
function afterBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const blank = /^(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(text.slice(at));
    if (blank === null) return at;
    at += blank[0].length;
  }
}

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };

/** Index after the value that begins here: up to a comma or a closing bracket of what it is in. */
function endOfValue(text: string, from: number): number | undefined {
  const open: string[] = [];
  let at = from;
  let end = from;
  while (at < text.length) {
    const next = afterBlanks(text, at);
    if (next !== at) {
      at = next;
      continue;
    }
    const char = text[at] ?? '';
    if (open.length === 0 && (char === ',' || '}])'.includes(char))) return end;
    const quoted = /^(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)/s.exec(text.slice(at));
    if (quoted !== null) at += quoted[0].length;
    else {
      const closing = CLOSING[char];
      if (closing !== undefined) open.push(closing);
      else if ('}])'.includes(char) && open.pop() !== char) return undefined;
      at += 1;
    }
    end = at;
    if (open.length === 0 && '}])'.includes(char)) return end;
  }
  return open.length === 0 ? end : undefined;
}
