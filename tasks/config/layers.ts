// SPDX-License-Identifier: MIT
/** Merges layers of values, and records the origin of each. */

/** Per setting ('vm.memoryMiB'): 'default', the path of a file, the name of a variable, or a flag. */
export type Provenance = Readonly<Record<string, string>>;

export interface Layered {
  readonly values: Record<string, unknown>;
  readonly provenance: Provenance;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Merges `over` into `base`: objects are merged, everything else (lists too) is replaced; undefined changes nothing. */
export function lay(base: Layered, over: Readonly<Record<string, unknown>>, origin: string): Layered {
  const provenance: Record<string, string> = { ...base.provenance };
  const values = merge(base.values, over, [], provenance, origin);
  return { values, provenance };
}

function merge(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
  path: readonly string[],
  provenance: Record<string, string>,
  origin: string,
): Record<string, unknown> {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const here = [...path, key];
    const below = merged.get(key);
    if (isPlainObject(value)) {
      const inner = merge(isPlainObject(below) ? below : {}, value, here, provenance, origin);
      merged.set(key, inner);
      if (Object.keys(inner).length === 0) provenance[here.join('.')] = origin;
    } else {
      merged.set(key, value);
      provenance[here.join('.')] = origin;
    }
  }
  return Object.fromEntries(merged);
}

/** The origin of the value at a path: for a part of a setting, that of the setting; for a group, that of its first setting. */
export function originOf(path: string, provenance: Provenance): string {
  const words = path.split('.');
  for (let length = words.length; length > 0; length--) {
    const origin = provenance[words.slice(0, length).join('.')];
    if (origin !== undefined) return origin;
  }
  const inside = Object.keys(provenance).find((key) => key.startsWith(`${path}.`));
  return (inside === undefined ? undefined : provenance[inside]) ?? 'default';
}

/** An object that holds one value at a path: ('vm.cpus', 2) → { vm: { cpus: 2 } }. */
export function nest(path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  return { [first]: rest.length === 0 ? value : nest(rest.join('.'), value) };
}
