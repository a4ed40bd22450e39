// SPDX-License-Identifier: MIT
/** Words for what is wrong with a configuration: the key, where it came from, expected and got. */
import { z } from 'zod';
import { shownAddress } from './cache-address.js';
import { didYouMean } from './closest.js';
import { expected, keysAt, schemaAt } from './leaves.js';
import { originOf, type Provenance } from './layers.js';
import { got } from './wording.js';

type Issue = z.core.$ZodIssue;

/** One sentence per problem, in the order of the schema. */
export function explain(issues: readonly Issue[], input: unknown, provenance: Provenance): string[] {
  return issues.flatMap((issue) => explainOne(issue, [], undefined, input, provenance));
}

function explainOne(
  issue: Issue,
  above: readonly PropertyKey[],
  within: unknown,
  input: unknown,
  provenance: Provenance,
): string[] {
  const path = [...above, ...issue.path];
  const schema = within === undefined ? schemaAt(path) : schemaAt(issue.path, within);
  const name = path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const full = [...path, key].join('.');
      const siblings = keysAt(path);
      const where = name === '' ? '' : `${name}.`;
      const suggestion = didYouMean(
        `${where}${key}`,
        siblings.map((sibling) => `${where}${sibling}`),
      );
      return `${full}${from(full, provenance)}: there is no such setting${suggestion}`;
    });
  }
  if (issue.code === 'invalid_union' && schema instanceof z.ZodUnion) {
    // The alternative that was nearest to fitting is the one that was meant.
    const { options } = schema;
    const ranked = issue.errors
      .map((errors, index) => ({ errors, option: options[index] }))
      .sort((a, b) => deepest(b.errors) - deepest(a.errors) || a.errors.length - b.errors.length);
    const best = ranked[0];
    if (best !== undefined && deepest(best.errors) > 0) {
      return best.errors.flatMap((error) => explainOne(error, path, best.option, input, provenance));
    }
  }
  const value = valueAt(input, path);
  // An address may have a password in it.
  const shown = name === 'cache.remote' && typeof value === 'string' ? shownAddress(value) : value;
  return [`${name}${from(name, provenance)}: expected ${expected(schema)}, got ${got(shown)}`];
}

/** 1 when all of an alternative's problems are inside it, 0 when the value is of another kind altogether. */
function deepest(errors: readonly Issue[]): number {
  return errors.length > 0 &&
    errors.every((error) => error.path.length > 0 && error.code !== 'unrecognized_keys')
    ? 1
    : 0;
}

function from(path: string, provenance: Provenance): string {
  return ` (from ${originOf(path, provenance)})`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
