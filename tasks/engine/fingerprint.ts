// SPDX-License-Identifier: MIT
/** Fingerprints: one digest over everything that a task's result depends on, and why two differ. Pure. */
import { createHash } from 'node:crypto';
import type { Reason } from './events.js';
import type { Json } from './task.js';

/** The parts of a fingerprint; each key is the name that a reason shows. */
export interface Parts {
  /** Canonical JSON. */
  readonly values: Readonly<Record<string, string>>;
  /** Digest of each path that exists; a directory's entries are listed one by one. */
  readonly files: Readonly<Record<string, string>>;
  readonly trees: Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, string>>;
  /** Fingerprint of each dependency. */
  readonly deps: Readonly<Record<string, string>>;
}

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: Json): string {
  if (isList(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value).sort();
    return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

export function fingerprintOf(parts: Parts): string {
  return createHash('sha256')
    .update(canonicalJson({ ...parts }))
    .digest('hex');
}

/** Longest part of a value that a reason shows, and how much of it stands before the first difference. */
const SHOWN = 200;
const BEFORE = 80;

/** The differences, the most specific first. `treeChanges`: the paths that changed in a tree, if known. */
export function differences(
  was: Parts,
  is: Parts,
  treeChanges: (root: string) => readonly string[] | undefined,
): Reason[] {
  const reasons: Reason[] = [];
  for (const [key, before, now] of changes(was.values, is.values)) {
    const from = firstDifference(before ?? '', now ?? '') - BEFORE;
    reasons.push({ kind: 'value', key, was: shown(before, from), is: shown(now, from) });
  }
  for (const [path, before, now] of changes(was.files, is.files)) {
    const change = before === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
    reasons.push({ kind: 'file', path, change });
  }
  for (const [path, before] of changes(was.trees, is.trees)) {
    const changed = (before === undefined ? undefined : treeChanges(path)) ?? [];
    reasons.push({
      kind: 'tree',
      path,
      changed: changed.slice(0, 10),
      more: Math.max(0, changed.length - 10),
    });
  }
  for (const [tool, before, now] of changes(was.tools, is.tools)) {
    reasons.push({ kind: 'tool', tool, was: before ?? 'not used', is: now ?? 'not used' });
  }
  for (const [task] of changes(was.deps, is.deps)) reasons.push({ kind: 'dependency', task });
  return reasons;
}

/** The keys whose values differ, with both values, sorted. */
function* changes(
  was: Readonly<Record<string, string>>,
  is: Readonly<Record<string, string>>,
): Generator<[key: string, was: string | undefined, is: string | undefined]> {
  for (const key of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()) {
    if (was[key] !== is[key]) yield [key, was[key], is[key]];
  }
}

/** The part of a long value from `from` on, so that both values show where they differ. */
function shown(value: string | undefined, from: number): string {
  if (value === undefined) return 'nothing';
  if (value.length <= SHOWN) return value;
  const start = Math.max(0, from);
  const part = value.slice(start, start + SHOWN);
  return `${start > 0 ? '…' : ''}${part}${start + SHOWN < value.length ? '…' : ''}`;
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
