// SPDX-License-Identifier: MIT
/** What a CI system keeps between runs, in a directory: caches as archives under their keys, artifacts as files. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { globSync } from 'tinyglobby';

export interface Caches {
  /** Unpacks what was kept of just these paths; gives the key under which it was. */
  restore(paths: readonly string[], key: string, prefixes: readonly string[]): string | undefined;
  /** Keeps those of the paths that are there; false when none is, or when the key is taken and may not be kept anew. */
  save(paths: readonly string[], key: string): boolean;
  keys(): readonly string[];
}

/** Another list of paths is another cache, whatever its key. */
function version(paths: readonly string[]): string {
  return createHash('sha256').update(paths.join('\n')).digest('hex').slice(0, 8);
}

/** `replaces`: a key may be kept again (GitLab), or is written once (GitHub). Relative paths are below `base`. */
export function cachesIn(directory: string, base: string, replaces: boolean): Caches {
  mkdirSync(directory, { recursive: true });
  const place = (paths: readonly string[], key: string) => join(directory, `${key}.${version(paths)}.tar`);
  const keys = () => readdirSync(directory).map((name) => name.replace(/\.[0-9a-f]{8}\.tar$/, ''));
  return {
    keys,
    restore(paths, key, prefixes) {
      const newest = (prefix: string) =>
        readdirSync(directory)
          .filter((name) => name.startsWith(prefix) && name.endsWith(`.${version(paths)}.tar`))
          .sort((a, b) => statSync(join(directory, b)).mtimeMs - statSync(join(directory, a)).mtimeMs)[0];
      const exact = place(paths, key);
      const found = existsSync(exact)
        ? `${key}.${version(paths)}.tar`
        : prefixes.flatMap((prefix) => newest(prefix) ?? [])[0];
      if (found === undefined) return undefined;
      execFileSync('tar', ['-xPf', join(directory, found), '-C', base]);
      return found.replace(/\.[0-9a-f]{8}\.tar$/, '');
    },
    save(paths, key) {
      const there = paths.filter((path) => existsSync(join(path.startsWith('/') ? '/' : base, path)));
      const file = place(paths, key);
      if (there.length === 0 || (existsSync(file) && !replaces)) return false;
      execFileSync('tar', ['--posix', '-cPf', file, '-C', base, ...there]);
      return true;
    },
  };
}

/** The files that glob patterns mean; a directory means all in it. `hidden`: also below names with a dot. */
export function matching(patterns: readonly string[], base: string, hidden: boolean): readonly string[] {
  const all = patterns.map((pattern) => pattern.replace(/\/$/, ''));
  const expanded = all.flatMap((pattern) =>
    pattern.startsWith('!') ? [pattern] : [pattern, `${pattern}/**`],
  );
  const found = globSync(expanded, { cwd: base, dot: true, absolute: true, followSymbolicLinks: false });
  const isHidden = (path: string) =>
    relative(base, path)
      .split('/')
      .some((name) => name.startsWith('.'));
  return found.filter((path) => hidden || !isHidden(path)).sort();
}

/** Copies files, with their paths below `base`. */
export function keepFiles(files: readonly string[], base: string, directory: string): void {
  for (const file of files) {
    const target = join(directory, relative(base, file));
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target);
  }
}

/** Variables as both systems read them from a file, `NAME=value` in lines. */
export function readVariables(file: string): Readonly<Record<string, string>> {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const lines = text.split('\n').filter((line) => line !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Za-z_][\w-]*)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined)
        throw new Error(`${file}: expected NAME=value, got ${line}`);
      return [name, value];
    }),
  );
}

/** An empty file. */
export function emptyFile(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  return path;
}
