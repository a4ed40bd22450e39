// SPDX-License-Identifier: MIT
/** Writes another release of a source into the text of a configuration file. Pure. */
import { configObject, items, properties, replaced, type Span, valueAt, wholeItem } from './edit-text.js';
import type { Place, SourceName } from '../../config/schema.js';

export interface NewRelease {
  readonly version: string;
  /** One for each place that is configured; undefined: it goes. */
  readonly places: readonly (Place | undefined)[];
  /** A tree of the user's own instead; null: none. Undefined: left as it is. */
  readonly tree?: string | null;
}

type Change = Span & { readonly by: string };

/** The new text; undefined where the file is written in a way that only a person can edit. */
export function withRelease(
  text: string,
  name: SourceName,
  release: NewRelease,
  json: boolean,
): string | undefined {
  const object = configObject(text);
  if (object === undefined || properties(text, object) === undefined) return undefined;
  const source = valueAt(text, object, ['sources', name]);
  const settings: Record<string, unknown> = {
    ...(release.tree === undefined || release.tree === null
      ? { version: release.version, places: release.places.filter((place) => place !== undefined) }
      : {}),
    ...(release.tree === undefined ? {} : { tree: release.tree }),
  };
  if (source === undefined) {
    const sources = valueAt(text, object, ['sources']);
    const value = sources === undefined ? { [name]: settings } : settings;
    return inserted(text, sources ?? object, sources === undefined ? 'sources' : name, value, json);
  }
  let result = text;
  for (const [key, value] of Object.entries(settings)) {
    const next = withSetting(result, name, key, value, release, json);
    if (next === undefined) return undefined;
    result = next;
  }
  return result;
}

function withSetting(
  text: string,
  name: SourceName,
  key: string,
  value: unknown,
  release: NewRelease,
  json: boolean,
): string | undefined {
  const object = configObject(text);
  const source = object && valueAt(text, object, ['sources', name]);
  if (source === undefined) return undefined;
  const old = valueAt(text, source, [key]);
  if (old === undefined) return inserted(text, source, key, value, json);
  if (key === 'places') {
    const changes = placeChanges(text, old, release.places);
    if (changes !== undefined) return replaced(text, changes);
  }
  const quote = text[old.start] === '"' || json ? '"' : "'";
  return replaced(text, [{ ...old, by: literal(value, indentAt(text, old.start), json, quote) }]);
}

/** Each place where it stands, so that what is said of it stays; undefined where the list is not the configured one. */
function placeChanges(
  text: string,
  list: Span,
  places: readonly (Place | undefined)[],
): readonly Change[] | undefined {
  const found = text[list.start] === '[' ? items(text, list) : undefined;
  if (found === undefined || found.length !== places.length) return undefined;
  const changes: Change[] = [];
  for (const [index, item] of found.entries()) {
    const place = places[index];
    if (place === undefined) {
      changes.push({ ...wholeItem(text, item), by: '' });
      continue;
    }
    for (const [key, value] of Object.entries(place)) {
      const old = text[item.start] === '{' ? valueAt(text, item, [key]) : undefined;
      const quote = old === undefined ? undefined : text[old.start];
      if (old === undefined || (quote !== "'" && quote !== '"')) return undefined;
      changes.push({ ...old, by: `${quote}${value}${quote}` });
    }
  }
  return changes;
}

/** One more property at the end of an object. */
function inserted(
  text: string,
  object: Span,
  key: string,
  value: unknown,
  json: boolean,
): string | undefined {
  const present = properties(text, object);
  if (present === undefined) return undefined;
  const outer = indentAt(text, object.start);
  const inner = `${outer}  `;
  const name = json ? `"${key}"` : key;
  const property = `${inner}${name}: ${literal(value, inner, json, json ? '"' : "'")}${json ? '' : ','}\n`;
  const last = present.at(-1);
  if (last === undefined) {
    return replaced(text, [{ start: object.start + 1, end: object.end - 1, by: `\n${property}${outer}` }]);
  }
  const rest = text.slice(last.end, object.end - 1);
  // A comma that is there already stays; what follows it may be a comment about the property before.
  const tail = rest.trimStart().startsWith(',') ? rest : `,${rest}`;
  return replaced(text, [
    { start: last.end, end: object.end - 1, by: `${tail.trimEnd()}\n${property}${outer}` },
  ]);
}

/** A value as it is written here, two blanks deep. */
function literal(value: unknown, indent: string, json: boolean, quote: string): string {
  if (typeof value === 'string') return `${quote}${value}${quote}`;
  if (Array.isArray(value)) {
    const lines = value.map((item) => `${indent}  ${literal(item, `${indent}  `, json, quote)}`);
    return `[\n${lines.join(',\n')}${json ? '' : ','}\n${indent}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const lines = Object.entries(value).map(
      ([key, each]) => `${indent}  ${json ? `"${key}"` : key}: ${literal(each, `${indent}  `, json, quote)}`,
    );
    return `{\n${lines.join(',\n')}${json ? '' : ','}\n${indent}}`;
  }
  return String(value);
}

/** Blanks at the beginning of the line that this stands in. */
function indentAt(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}
