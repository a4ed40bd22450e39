// SPDX-License-Identifier: MIT
/** Settings from environment variables: STOPWATCH_VM_MEMORY_MIB=256. */
import { CREDENTIAL_VARIABLES } from './cache-address.js';
import { messageOf, StopwatchError } from '../../lib/errors.js';
import { unreachable } from '../../lib/unreachable.js';
import { didYouMean } from './closest.js';
import { leaves, type Leaf } from './leaves.js';
import { WORKDIR_VARIABLE } from './paths.js';
import { ENVIRONMENT_PREFIX } from '../../lib/product.js';
import { got } from './wording.js';

/** Not settings: what has no place in a configuration. */
const CREDENTIALS: ReadonlySet<string> = new Set(CREDENTIAL_VARIABLES);

export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting given from outside the files. */
export interface Given {
  readonly path: string;
  readonly value: unknown;
  /** Name of the variable, or the flag. */
  readonly origin: string;
}

/** The settings found in the environment, and a warning for each STOPWATCH_ variable that is none. Throws 'bad-config' for bad JSON. */
export function readEnvironment(environment: Environment): { given: Given[]; warnings: string[] } {
  const byVariable = new Map(leaves().map((leaf) => [leaf.variable, leaf]));
  const given: Given[] = [];
  const warnings: string[] = [];
  const names = Object.keys(environment).filter((name) => name.startsWith(ENVIRONMENT_PREFIX));
  for (const name of names.sort()) {
    const text = environment[name];
    if (text === undefined || name === WORKDIR_VARIABLE || CREDENTIALS.has(name)) continue;
    const leaf = byVariable.get(name);
    if (leaf === undefined) {
      const known = [...byVariable.keys(), WORKDIR_VARIABLE, ...CREDENTIALS];
      warnings.push(`The environment variable ${name} is no setting of stopwatch${didYouMean(name, known)}`);
      continue;
    }
    const value = parseValue(leaf, text);
    if (value !== undefined) given.push({ path: leaf.path, value, origin: name });
  }
  return { given, warnings };
}

/**
 * A variable's text as a value. What cannot be understood is handed on as text,
 * for the schema to say what it expected. Undefined: empty, as good as not set.
 */
function parseValue(leaf: Leaf, text: string): unknown {
  if (leaf.nullable && (text === '' || text === 'null')) return null;
  switch (leaf.kind) {
    case 'list':
      return text.trimStart().startsWith('[') ? parseJson(leaf, text) : words(text);
    case 'json':
      return text === '' ? undefined : parseJson(leaf, text);
    case 'number':
      if (text === '') return undefined;
      return /^[-+]?(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : text;
    case 'boolean':
      return text === '' ? undefined : (BOOLEANS[text.trim().toLowerCase()] ?? text);
    case 'string':
      return text === '' ? undefined : text;
    default:
      return unreachable(leaf.kind);
  }
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

function words(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

function parseJson(leaf: Leaf, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StopwatchError(
      'bad-config',
      `Bad configuration: ${leaf.path} (from ${leaf.variable}): expected JSON, got ${got(text)}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
