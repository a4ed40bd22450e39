// SPDX-License-Identifier: MIT
/** What an archive may contain. Pure: entries in, problems out. */
import { posix } from 'node:path';

export interface ArchiveEntry {
  readonly path: string;
  /** As the `tar` package names them. */
  readonly type: string;
  /** Target of a symbolic or hard link. */
  readonly linkpath?: string | undefined;
}

/** Why a path may not be written below a directory; undefined when it may. */
export function pathProblem(path: string): string | undefined {
  if (path.startsWith('/')) return 'it is absolute';
  if (path.split('/').includes('..')) return 'it has ".." in it';
  if (path.includes('\0')) return 'it has a NUL byte in it';
  return undefined;
}

/** Makes a check to be asked about every entry in order; it gives the problem of that entry, or undefined. */
export function entryChecker(): (entry: ArchiveEntry) => string | undefined {
  const files = new Set<string>();
  const links = new Set<string>();

  const throughLink = (path: string): string | undefined => {
    const parts = path.split('/');
    for (let count = 1; count < parts.length; count++) {
      const parent = parts.slice(0, count).join('/');
      if (links.has(parent)) return `it leads through the symbolic link ${parent}`;
    }
    return undefined;
  };

  return ({ path: raw, type, linkpath = '' }) => {
    const problem = pathProblem(raw);
    if (problem !== undefined) return problem;
    const path = normal(raw);
    const through = throughLink(path);
    if (through !== undefined) return through;
    switch (type) {
      case 'File':
      case 'OldFile':
      case 'ContiguousFile':
        links.delete(path);
        files.add(path);
        return undefined;
      case 'Directory':
        return links.has(path) ? 'it is a directory in the place of a symbolic link' : undefined;
      case 'SymbolicLink': {
        const target = posix.join(posix.dirname(path), linkpath);
        if (linkpath === '' || linkpath.startsWith('/') || target === '..' || target.startsWith('../')) {
          return `it is a symbolic link to ${linkpath}, outside`;
        }
        links.add(path);
        files.delete(path);
        return undefined;
      }
      case 'Link':
        return files.has(normal(linkpath))
          ? undefined
          : `it is a hard link to ${linkpath}, no file of this archive`;
      default:
        return `it is neither file, directory nor link, but ${type}`;
    }
  };
}

function normal(path: string): string {
  return posix.normalize(path).replace(/\/$/, '');
}
